#include <backdrop/ops/ops.hpp>

#include "oracle/step.hpp"

namespace backdrop::oracle {

namespace {

using Ints = std::vector<std::int64_t>;

Ints list(const Step& s, const char* name, Ints fallback) { return s.has(name) ? s.ints(name) : fallback; }

Var bias(const Step& s) { return s.count() > 2 ? s[2] : Var{}; }

ConvOptions convolution(const Step& s) {
  return {.stride = list(s, "stride", {1}),
          .padding = list(s, "padding", {0}),
          .dilation = list(s, "dilation", {1}),
          .groups = s.integer("groups", 1)};
}

ConvTransposeOptions transposed(const Step& s) {
  return {.stride = list(s, "stride", {1}),
          .padding = list(s, "padding", {0}),
          .output_padding = list(s, "output_padding", {0}),
          .groups = s.integer("groups", 1),
          .dilation = list(s, "dilation", {1})};
}

MaxPoolOptions max_options(const Step& s) {
  return {.stride = list(s, "stride", {}),
          .padding = list(s, "padding", {0}),
          .dilation = list(s, "dilation", {1}),
          .ceil_mode = s.flag("ceil_mode")};
}

AvgPoolOptions avg_options(const Step& s) {
  return {.stride = list(s, "stride", {}),
          .padding = list(s, "padding", {0}),
          .ceil_mode = s.flag("ceil_mode"),
          .count_include_pad = s.flag("count_include_pad", true)};
}

WindowOptions windows(const Step& s) {
  return {.stride = list(s, "stride", {1}),
          .padding = list(s, "padding", {0}),
          .dilation = list(s, "dilation", {1})};
}

}  // namespace

void window_calls(Vocabulary& v) {
  v["conv1d"] = [](const Step& s) { return conv1d(s[0], s[1], bias(s), convolution(s)); };
  v["conv2d"] = [](const Step& s) { return conv2d(s[0], s[1], bias(s), convolution(s)); };
  v["conv3d"] = [](const Step& s) { return conv3d(s[0], s[1], bias(s), convolution(s)); };
  v["conv_transpose1d"] = [](const Step& s) { return conv_transpose1d(s[0], s[1], bias(s), transposed(s)); };
  v["conv_transpose2d"] = [](const Step& s) { return conv_transpose2d(s[0], s[1], bias(s), transposed(s)); };
  v["max_pool1d"] = [](const Step& s) { return max_pool1d(s[0], s.ints("kernel"), max_options(s)); };
  v["max_pool2d"] = [](const Step& s) { return max_pool2d(s[0], s.ints("kernel"), max_options(s)); };
  v["avg_pool1d"] = [](const Step& s) { return avg_pool1d(s[0], s.ints("kernel"), avg_options(s)); };
  v["avg_pool2d"] = [](const Step& s) { return avg_pool2d(s[0], s.ints("kernel"), avg_options(s)); };
  v["conv_transpose3d"] = [](const Step& s) { return conv_transpose3d(s[0], s[1], bias(s), transposed(s)); };
  v["max_pool3d"] = [](const Step& s) { return max_pool3d(s[0], s.ints("kernel"), max_options(s)); };
  v["avg_pool3d"] = [](const Step& s) { return avg_pool3d(s[0], s.ints("kernel"), avg_options(s)); };
  v["adaptive_avg_pool2d"] = [](const Step& s) { return adaptive_avg_pool2d(s[0], s.ints("size")); };
  v["unfold"] = [](const Step& s) { return unfold(s[0], s.ints("kernel"), windows(s)); };
  v["fold"] = [](const Step& s) { return fold(s[0], s.ints("size"), s.ints("kernel"), windows(s)); };
  v["upsample_nearest"] = [](const Step& s) { return upsample_nearest(s[0], s.ints("size")); };
  v["upsample_bilinear"] = [](const Step& s) {
    return upsample_bilinear(s[0], s.ints("size"), s.flag("align_corners"));
  };
}

}  // namespace backdrop::oracle

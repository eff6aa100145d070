#include <backdrop/ops/ops.hpp>
#include <stdexcept>

#include "oracle/step.hpp"

namespace backdrop::oracle {

namespace {

Reduction reduction(const Step& s) {
  const std::string text = s.text("reduction", "mean");
  if (text == "mean") return Reduction::mean;
  if (text == "sum") return Reduction::sum;
  if (text == "none") return Reduction::none;
  if (text == "batchmean") return Reduction::batchmean;
  throw std::logic_error("no such reduction: " + text);
}

Var weight(const Step& s) { return s.count() > 2 ? s[2] : Var{}; }

std::optional<std::int64_t> ignored(const Step& s) {
  if (!s.has("ignore_index")) return std::nullopt;
  return s.integer("ignore_index");
}

bool weighted_by(const Step& s, const char* what) { return s.text("weighted", "") == what; }

}  // namespace

void loss_calls(Vocabulary& v) {
  v["cross_entropy"] = [](const Step& s) {
    const double smoothing = s.real("label_smoothing", 0);
    const bool plain = s.count() == 2 && s[0].shape().rank() == 2 && s[1].dtype() == DType::i64;
    if (plain && smoothing == 0 && !ignored(s)) return cross_entropy(s[0], s[1], reduction(s));
    return cross_entropy(s[0], s[1],
                         CrossEntropyOptions{.weight = weight(s),
                                             .ignore_index = ignored(s),
                                             .label_smoothing = smoothing,
                                             .reduction = reduction(s)});
  };
  v["nll"] = [](const Step& s) {
    return nll(s[0], s[1], {.weight = weight(s), .ignore_index = ignored(s), .reduction = reduction(s)});
  };
  v["mse"] = [](const Step& s) { return mse(s[0], s[1], reduction(s)); };
  v["l1"] = [](const Step& s) { return l1(s[0], s[1], reduction(s)); };
  v["huber"] = [](const Step& s) { return huber(s[0], s[1], s.real("delta", 1), reduction(s)); };
  v["smooth_l1"] = [](const Step& s) { return smooth_l1(s[0], s[1], s.real("beta", 1), reduction(s)); };
  v["bce"] = [](const Step& s) { return bce(s[0], s[1], {.weight = weight(s), .reduction = reduction(s)}); };
  v["bce_with_logits"] = [](const Step& s) {
    BceWithLogitsOptions options{.reduction = reduction(s)};
    if (weighted_by(s, "weight")) options.weight = s[2];
    if (weighted_by(s, "pos_weight")) options.pos_weight = s[2];
    return bce_with_logits(s[0], s[1], options);
  };
  v["kl_div"] = [](const Step& s) {
    return kl_div(s[0], s[1], {.log_target = s.flag("log_target"), .reduction = reduction(s)});
  };
}

}  // namespace backdrop::oracle

#include <doctest/doctest.h>

#include <backdrop/backdrop.hpp>
#include <string>

#include "integers.hpp"
#include "kernels/targets.hpp"

using namespace backdrop;

namespace {

// A convolution and its derivatives, as its kernels and as its body give them: exactly, of whole numbers.
void check_against_body(const Shape& x_shape, const Shape& w_shape, DType dtype, const ConvOptions& options) {
  Tape tape;
  const Var x = tape.variable("x", integers::tensor(x_shape, 1, dtype));
  const Var w = tape.variable("w", integers::tensor(w_shape, 2, dtype));
  const auto convolve = x_shape.rank() == 3 ? conv1d : x_shape.rank() == 4 ? conv2d : conv3d;
  const Var y = convolve(x, w, {}, options, Where::here());
  const Var g = tape.constant(integers::tensor(y.shape(), 3, dtype));
  const std::vector<Var> results{y, vjp(y, x, g), vjp(y, w, g)};
  const Rewrite opened = expand(tape);
  for (const Var v : results) {
    CHECK_MESSAGE(value(v).same_bits(value(opened(v))),
                  tape.node(v).op->name << " of " << to_string(x_shape) << " and " << to_string(w_shape));
  }
}

}  // namespace

TEST_CASE("rows of windows of every length are copied and added up, on every instruction set") {
  for (const std::int64_t target : kernels::vector_targets()) {
    const std::string name = kernels::target_name(target);
    CAPTURE(name);
    const kernels::ForcedTarget forced(target);
    for (std::int64_t width = 1; width <= 40; ++width) {
      for (const DType dtype : {DType::f32, DType::f64}) {
        check_against_body({2, 2, 3, width}, {3, 2, 3, 3}, dtype, {.padding = {1}});
        check_against_body({1, 2, 3, width}, {2, 2, 2, 2}, dtype, {.stride = {1, 2}, .padding = {2, 1}});
      }
    }
  }
}

TEST_CASE(
    "so are panels of every kind: rows in parts, channels in blocks, groups, windows that are elements") {
  for (const DType dtype : {DType::f32, DType::f64}) {
    check_against_body({2, 4, 9001}, {3, 4, 5}, dtype, {.padding = {2}});
    check_against_body({1, 1, 3000}, {2, 1, 700}, dtype, {.stride = {3}});
    check_against_body({2, 90, 9, 8}, {8, 90, 3, 3}, dtype, {.padding = {1}});
    check_against_body({2, 40, 30, 31}, {4, 20, 5, 5}, dtype, {.padding = {2}, .groups = 2});
    check_against_body({2, 24, 40, 41}, {24, 1, 3, 3}, dtype, {.padding = {1}, .groups = 24});
    check_against_body({2, 170, 30, 31}, {5, 170, 1, 1}, dtype, {});
    check_against_body({1, 2, 20, 21, 22}, {3, 2, 3, 3, 3}, dtype, {.padding = {1}});
    check_against_body({2, 6, 30, 31}, {4, 3, 1, 1}, dtype, {.stride = {2}, .groups = 2});
  }
}

TEST_CASE("a convolution and its derivatives run without the matrix of all windows") {
  Tape tape;
  const Var x = tape.variable("x", Tensor::ones({8, 4, 20, 20})),
            w = tape.variable("w", Tensor::ones({4, 4, 3, 3}));
  const auto [dx, dw] = grad(sum(square(conv2d(x, w))), x, w);
  const std::string schedule = compile(tape, {.outputs = {{dx, dw}}, .updates = {}}).explain();
  CHECK(schedule.find("transposed_convolution") != std::string::npos);
  CHECK(schedule.find("window_product") != std::string::npos);
  CHECK(schedule.find("windows") == std::string::npos);
}

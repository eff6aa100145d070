#pragma once

#include <backdrop/backdrop.hpp>
#include <limits>
#include <utility>
#include <vector>

/// Short ways to ask what a function of tensors gives, on a tape of its own.
namespace backdrop {

inline constexpr double kInf = std::numeric_limits<double>::infinity();
inline constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

inline std::vector<double> numbers(const Tensor& tensor) {
  std::vector<double> out(tensor.numel());
  for (std::size_t k = 0; k < out.size(); ++k) out[k] = tensor.at(k);
  return out;
}

inline Tensor vector_of(const std::vector<double>& values, DType dtype = DType::f64) {
  return Tensor::from(values, {static_cast<std::int64_t>(values.size())}).to(dtype);
}

/// f(x...) as numbers.
template <class F, class... X>
std::vector<double> results(F f, const X&... x) {
  Tape tape;
  return numbers(value(f(tape.constant(x)...)));
}

/// dy/dx for an elementwise y = f(x), by the reverse mode and, equal to it, by the forward mode.
template <class F>
std::pair<std::vector<double>, std::vector<double>> slopes(F f, const Tensor& x) {
  Tape tape;
  const Var a = tape.variable("x", x);
  const Var y = f(a);
  const Var one = full_like(a, 1);
  return {numbers(value(vjp(y, a, one))), numbers(value(jvp(y, a, one)))};
}

/// The slopes of a function of two tensors in the first and in the second, by the reverse mode.
template <class F>
std::pair<std::vector<double>, std::vector<double>> slopes2(F f, const Tensor& x0, const Tensor& x1) {
  Tape tape;
  const Var a = tape.variable("a", x0);
  const Var b = tape.variable("b", x1);
  const auto [ga, gb] = grad(sum(f(a, b)), a, b);
  return {numbers(value(ga)), numbers(value(gb))};
}

}  // namespace backdrop

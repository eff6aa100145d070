#pragma once

#include <array>
#include <cstdint>
#include <string>

namespace backdrop::bench {

/// Ten elementwise operations, for whatever they are defined on.
template <class X>
X chain(const X& x) {
  const X bell = exp(-0.5 * square(x));       // square, scale, exp
  const X t = 1.25 * tanh(bell * x + x) - x;  // mul, add, tanh, scale, sub
  return relu(t) * x;                         // relu, mul
}

inline std::string chain_row(std::int64_t n) {
  return "chain/10 elementwise ops with exp and tanh/n=" + std::to_string(n);
}

}  // namespace backdrop::bench

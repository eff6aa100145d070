#pragma once

#include <array>
#include <backdrop/backdrop.hpp>
#include <bit>
#include <cmath>
#include <cstdint>

/// Fused dropout beside Mul and then Scale, for floats named by their bit patterns.
namespace backdrop {

inline constexpr double kAlmostOne = 0x1.fffffffffffffp-1;  // nextafter(1, 0)
inline constexpr std::array<double, 10> kEveryP{0, 0.1, 0.2, 0.25, 1. / 3, 0.5, 0.75, 0.9, kAlmostOne, 1};

/// Compiled once, and run on many chunks of patterns, each kept and dropped, as x and as the cotangent.
class FusedBesideComposed {
 public:
  static constexpr std::int64_t kChunk = std::int64_t{1} << 16;

  explicit FusedBesideComposed(double p) : program_(record(p)) {}

  /// How many results differ in their bits and are not both NaN, for the patterns first, first + stride, ...
  /// (kChunk of them, modulo 2^32).
  std::size_t differing(std::uint32_t first, std::uint32_t stride = 1) {
    std::uint32_t pattern = first;
    for (float& x : x_.mutable_data<float>()) {
      x = std::bit_cast<float>(pattern);
      pattern += stride;
    }
    const Outputs y = program_.run({{"x", x_}, {"mask", mask_}}, {.threads = 1});
    std::size_t wrong = 0;
    for (std::size_t k = 0; k < y.size(); k += 2) wrong += differing(y[k], y[k + 1]);
    return wrong;
  }

 private:
  // Pairs of fused and composed: the value and the vjp, under a mask and under its complement.
  static Program record(double p) {
    Tape tape;
    const Var x = tape.input("x", {kChunk});
    const Var mask = tape.input("mask", {kChunk}, DType::mask);
    std::vector<Var> results;
    for (const Var kept : {mask, logical_not(mask)}) {
      const Var fused = dropout(x, p, kept), composed = scale(mul(x, kept), keep_scale(p));
      results.insert(results.end(), {fused, composed, vjp(fused, x, x), vjp(composed, x, x)});
    }
    return compile(tape, {.outputs = results, .updates = {}, .optimize = false});
  }

  static Tensor half_kept() {
    Tape tape;
    return value(dropout_mask(tape, {kChunk}, 0.5, Key{1, 0}));
  }

  static std::size_t differing(const Tensor& a, const Tensor& b) {
    const auto* u = static_cast<const std::uint32_t*>(a.bytes());
    const auto* v = static_cast<const std::uint32_t*>(b.bytes());
    std::uint32_t wrong = 0;
    for (std::size_t k = 0; k < a.numel(); ++k) {
      const bool both_nan = (u[k] & 0x7fffffff) > 0x7f800000 && (v[k] & 0x7fffffff) > 0x7f800000;
      wrong += u[k] != v[k] && !both_nan ? 1 : 0;
    }
    return wrong;
  }

  Program program_;
  Tensor mask_ = half_kept();
  Tensor x_ = Tensor::zeros({kChunk});
};

}  // namespace backdrop

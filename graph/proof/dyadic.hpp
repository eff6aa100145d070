#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace backdrop::proof {

/// A number m 2^e with integers m and e: what a finite double is, and what sums and products of such are.
/// Exact, so that equal coefficients are equal numbers and not equal roundings.
class Dyadic {
 public:
  Dyadic() = default;  ///< 0
  explicit Dyadic(double finite);

  bool is_zero() const { return digits_.empty(); }
  bool is_negative() const { return negative_; }
  bool is_one() const { return is_power_of_two() && exponent_ == 0 && !negative_; }
  /// Whether it is +-2^k, whose reciprocal is such a number too.
  bool is_power_of_two() const { return digits_.size() == 1 && digits_[0] == 1; }
  /// Whether it is of a size to go on calculating with.
  bool fits() const { return digits_.size() <= 64 && exponent_ <= 8192 && exponent_ >= -8192; }
  double rounded() const;
  Dyadic power_of_two() const;  ///< its sign times 2^e
  Dyadic odd() const;           ///< the rest: a positive odd integer
  Dyadic reciprocal() const;    ///< of a power of two

  friend Dyadic operator*(const Dyadic& a, const Dyadic& b);
  friend Dyadic operator+(const Dyadic& a, const Dyadic& b);
  Dyadic operator-() const;
  bool operator==(const Dyadic&) const = default;

  /// Equal numbers, and no others, append equal words.
  void append_to(std::vector<std::uint64_t>& words) const;

 private:
  using Digits = std::vector<std::uint32_t>;  // least first, the last one not 0
  void normalize();

  bool negative_ = false;
  std::int64_t exponent_ = 0;
  Digits digits_;  // an odd integer, or empty for 0
};

}  // namespace backdrop::proof

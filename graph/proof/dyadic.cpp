#include "proof/dyadic.hpp"

#include <algorithm>
#include <bit>
#include <cmath>

namespace backdrop::proof {

namespace {

using Digits = std::vector<std::uint32_t>;

void trim(Digits& d) {
  while (!d.empty() && d.back() == 0) d.pop_back();
}

Digits shifted_left(const Digits& d, std::size_t by) {
  Digits out(by / 32, 0);
  const unsigned bits = by % 32;
  std::uint32_t carry = 0;
  for (std::uint32_t digit : d) {
    const std::uint64_t wide = (std::uint64_t{digit} << bits) | carry;
    out.push_back(static_cast<std::uint32_t>(wide));
    carry = static_cast<std::uint32_t>(wide >> 32);
  }
  out.push_back(carry);
  trim(out);
  return out;
}

bool less(const Digits& a, const Digits& b) {
  if (a.size() != b.size()) return a.size() < b.size();
  return std::lexicographical_compare(a.rbegin(), a.rend(), b.rbegin(), b.rend());
}

Digits sum(const Digits& a, const Digits& b) {
  Digits out;
  std::uint64_t carry = 0;
  for (std::size_t k = 0; k < std::max(a.size(), b.size()); ++k) {
    carry += std::uint64_t{k < a.size() ? a[k] : 0} + (k < b.size() ? b[k] : 0);
    out.push_back(static_cast<std::uint32_t>(carry));
    carry >>= 32;
  }
  out.push_back(static_cast<std::uint32_t>(carry));
  trim(out);
  return out;
}

// a >= b
Digits difference(const Digits& a, const Digits& b) {
  Digits out;
  std::int64_t borrow = 0;
  for (std::size_t k = 0; k < a.size(); ++k) {
    std::int64_t digit = std::int64_t{a[k]} - (k < b.size() ? b[k] : 0) - borrow;
    borrow = digit < 0 ? 1 : 0;
    if (borrow != 0) digit += std::int64_t{1} << 32;
    out.push_back(static_cast<std::uint32_t>(digit));
  }
  trim(out);
  return out;
}

Digits product(const Digits& a, const Digits& b) {
  Digits out(a.size() + b.size(), 0);
  for (std::size_t i = 0; i < a.size(); ++i) {
    std::uint64_t carry = 0;
    for (std::size_t k = 0; k < b.size(); ++k) {
      carry += std::uint64_t{a[i]} * b[k] + out[i + k];
      out[i + k] = static_cast<std::uint32_t>(carry);
      carry >>= 32;
    }
    out[i + b.size()] = static_cast<std::uint32_t>(carry);
  }
  trim(out);
  return out;
}

}  // namespace

Dyadic::Dyadic(double finite) : negative_(finite < 0) {
  if (finite == 0) return;
  int exponent = 0;
  const auto mantissa = static_cast<std::uint64_t>(std::ldexp(std::frexp(std::abs(finite), &exponent), 53));
  exponent_ = exponent - 53;
  digits_ = {static_cast<std::uint32_t>(mantissa), static_cast<std::uint32_t>(mantissa >> 32)};
  trim(digits_);
  normalize();
}

void Dyadic::normalize() {
  if (digits_.empty()) {
    negative_ = false;
    exponent_ = 0;
    return;
  }
  std::size_t zeros = 0;
  while (digits_[zeros / 32] == 0) zeros += 32;
  zeros += static_cast<std::size_t>(std::countr_zero(digits_[zeros / 32]));
  if (zeros == 0) return;
  exponent_ += static_cast<std::int64_t>(zeros);
  const unsigned bits = zeros % 32;
  digits_.erase(digits_.begin(), digits_.begin() + static_cast<std::ptrdiff_t>(zeros / 32));
  for (std::size_t k = 0; bits > 0 && k < digits_.size(); ++k) {
    const std::uint64_t next = k + 1 < digits_.size() ? digits_[k + 1] : 0;
    digits_[k] = static_cast<std::uint32_t>((next << 32 | digits_[k]) >> bits);
  }
  trim(digits_);
}

double Dyadic::rounded() const {
  double out = 0;
  const std::size_t first = digits_.size() > 4 ? digits_.size() - 4 : 0;  // the rest is below rounding
  for (std::size_t k = digits_.size(); k-- > first;) out = out * 0x1p32 + digits_[k];
  const auto exponent =
      std::clamp<std::int64_t>(exponent_ + 32 * static_cast<std::int64_t>(first), -5000, 5000);
  out = std::ldexp(out, static_cast<int>(exponent));
  return negative_ ? -out : out;
}

Dyadic Dyadic::power_of_two() const {
  Dyadic out = *this;
  out.digits_ = {1};
  return out;
}

Dyadic Dyadic::odd() const {
  Dyadic out = *this;
  out.negative_ = false;
  out.exponent_ = 0;
  return out;
}

Dyadic Dyadic::reciprocal() const {
  Dyadic out = *this;
  out.exponent_ = -exponent_;
  return out;
}

Dyadic Dyadic::operator-() const {
  Dyadic out = *this;
  out.negative_ = !is_zero() && !negative_;
  return out;
}

Dyadic operator*(const Dyadic& a, const Dyadic& b) {
  if (a.is_one()) return b;
  if (b.is_one()) return a;
  Dyadic out;
  out.digits_ = product(a.digits_, b.digits_);
  out.exponent_ = a.exponent_ + b.exponent_;
  out.negative_ = a.negative_ != b.negative_;
  out.normalize();
  return out;
}

Dyadic operator+(const Dyadic& a, const Dyadic& b) {
  if (a.is_zero()) return b;
  if (b.is_zero()) return a;
  Dyadic out;
  out.exponent_ = std::min(a.exponent_, b.exponent_);
  const Digits x = shifted_left(a.digits_, static_cast<std::size_t>(a.exponent_ - out.exponent_));
  const Digits y = shifted_left(b.digits_, static_cast<std::size_t>(b.exponent_ - out.exponent_));
  if (a.negative_ == b.negative_) {
    out.digits_ = sum(x, y);
    out.negative_ = a.negative_;
  } else {
    const bool swap = less(x, y);
    out.digits_ = swap ? difference(y, x) : difference(x, y);
    out.negative_ = swap ? b.negative_ : a.negative_;
  }
  out.normalize();
  return out;
}

void Dyadic::append_to(std::vector<std::uint64_t>& words) const {
  words.push_back(digits_.size() * 2 + (negative_ ? 1 : 0));
  words.push_back(static_cast<std::uint64_t>(exponent_));
  words.insert(words.end(), digits_.begin(), digits_.end());
}

}  // namespace backdrop::proof

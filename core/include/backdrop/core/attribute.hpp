#pragma once

#include <backdrop/core/dtype.hpp>
#include <backdrop/core/random.hpp>
#include <bit>
#include <cstdint>
#include <limits>
#include <span>

namespace backdrop {

enum class AttrKind : std::uint8_t { none, real, integer, boolean, ints, key, dtype };

/// One attribute of an op as data: what loading checks and documentation prints.
struct AttrSpec {
  const char* name = nullptr;
  AttrKind kind = AttrKind::none;
  double low = -std::numeric_limits<double>::infinity();  // inclusive; NaN never lies between
  double high = std::numeric_limits<double>::infinity();
  bool bounded = false;
  bool optional = false;
  std::uint64_t fallback = 0;  // the slot when an optional attribute is not given
};

/// A value for an attribute, on its way into a tape or out of it.
struct AttrValue {
  AttrKind kind = AttrKind::none;
  std::uint64_t bits = 0;              // real, integer, boolean, dtype
  std::span<const std::int64_t> ints;  // ints: viewed, not owned
  Key key;                             // key

  AttrValue() = default;
  AttrValue(double v) : kind(AttrKind::real), bits(std::bit_cast<std::uint64_t>(v)) {}
  AttrValue(std::int64_t v) : kind(AttrKind::integer), bits(static_cast<std::uint64_t>(v)) {}
  AttrValue(bool v) : kind(AttrKind::boolean), bits(v ? 1 : 0) {}
  AttrValue(std::span<const std::int64_t> v) : kind(AttrKind::ints), ints(v) {}
  AttrValue(Key v) : kind(AttrKind::key), key(v) {}
  AttrValue(DType v) : kind(AttrKind::dtype), bits(static_cast<std::uint64_t>(v)) {}

  double real() const { return std::bit_cast<double>(bits); }
  std::int64_t integer() const { return static_cast<std::int64_t>(bits); }
  bool boolean() const { return bits != 0; }
  DType dtype() const { return static_cast<DType>(bits); }
};

/// A typed name for an attribute. Declared once beside an op's literal, listed in it, and used by its rules
/// and kernels as `c[p]`: the token knows the type, so no string is searched and no cast is written.
template <class T>
struct Attr {
  AttrSpec spec;

  constexpr operator AttrSpec() const { return spec; }

  /// Restricts a number to [low, high]; recording or loading any other value, NaN too, throws ValueError.
  constexpr Attr between(double low, double high) const {
    Attr out = *this;
    out.spec.low = low;
    out.spec.high = high;
    out.spec.bounded = true;
    return out;
  }
  /// The value taken when the attribute is not given.
  constexpr Attr or_else(T fallback) const {
    Attr out = *this;
    out.spec.optional = true;
    if constexpr (std::is_same_v<T, double>) {
      out.spec.fallback = std::bit_cast<std::uint64_t>(fallback);
    } else {
      out.spec.fallback = static_cast<std::uint64_t>(fallback);
    }
    return out;
  }
};

/// Declares attributes: `constexpr auto p = attr::real("p").between(0, 1);`
namespace attr {
constexpr Attr<double> real(const char* name) { return {{.name = name, .kind = AttrKind::real}}; }
constexpr Attr<std::int64_t> integer(const char* name) { return {{.name = name, .kind = AttrKind::integer}}; }
constexpr Attr<bool> boolean(const char* name) { return {{.name = name, .kind = AttrKind::boolean}}; }
constexpr Attr<std::span<const std::int64_t>> ints(const char* name) {
  return {{.name = name, .kind = AttrKind::ints}};
}
constexpr Attr<Key> key(const char* name) { return {{.name = name, .kind = AttrKind::key}}; }
constexpr Attr<DType> dtype(const char* name) { return {{.name = name, .kind = AttrKind::dtype}}; }
}  // namespace attr

}  // namespace backdrop

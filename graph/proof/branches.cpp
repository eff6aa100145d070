#include <algorithm>
#include <backdrop/ops/compare.hpp>
#include <optional>

#include "proof/application.hpp"

namespace backdrop::proof::branches {

namespace {

// Values are looked at for both values of so many factors that are 0 or 1, at most.
constexpr std::size_t kMostBits = 3;

// What is compared with 0 may be scaled: so that the leading coefficient is 1 or -1, where exact numbers can.
Id scaled(const Application& n, Id x) {
  Algebra& a = n.algebra();
  std::vector<Term> terms = a.value(x).terms;
  const Dyadic leading = terms[0].coefficient, odd = leading.odd(), size = leading.power_of_two();
  const bool common =
      std::ranges::all_of(terms, [&](const Term& term) { return term.coefficient.odd() == odd; });
  const Dyadic factor = (size.is_negative() ? -size : size).reciprocal();
  if (!common) return a.scale(x, factor);
  for (Term& term : terms) term.coefficient = term.coefficient.power_of_two() * factor;
  return a.of_terms(std::move(terms), a.shape_of(x));
}

// [u = 0], u not leading with a minus.
Id zero_bit(const Application& n, Id u) { return elementwise(n, equal_op, {u}, {}, true); }

// Whether x is a multiple of u, by exact coefficients.
bool is_multiple(const Algebra& a, Id x, Id u) {
  const std::vector<Term>&p = a.value(x).terms, &q = a.value(u).terms;
  if (p.size() != q.size() || p.empty()) return p.empty();
  for (std::size_t k = 0; k < p.size(); ++k) {
    if (p[k].product != q[k].product ||
        p[k].coefficient * q[0].coefficient != p[0].coefficient * q[k].coefficient)
      return false;
  }
  return true;
}

// The same for each value of the factors of x that are 0 or 1.
bool is_multiple_by_cases(Algebra& a, Id x, Id u) {
  if (is_multiple(a, x, u)) return true;
  const Product bits = a.bits_of(x);
  if (bits.empty() || bits.size() > kMostBits) return false;
  return is_multiple_by_cases(a, a.where_bit(x, bits[0], true), u) &&
         is_multiple_by_cases(a, a.where_bit(x, bits[0], false), u);
}

// y without the terms that have a factor [u = 0] of which x is a multiple: x times them is 0.
Id without_zeros(const Application& n, Id y, Id x) {
  Algebra& a = n.algebra();
  const Id shape = a.shape_of(y);
  const std::vector<Term> terms = a.value(y).terms;
  Id out = y;
  for (const Term& term : terms) {
    const Product product = a.product(term.product);
    const bool vanishes = std::ranges::any_of(product, [&](const Factor& factor) {
      const Atom& atom = a.atom(factor.atom);
      if (atom.op != &equal_op || !atom.bit || atom.args.size() != 1) return false;
      const Id argument = atom.args[0];
      return is_multiple_by_cases(a, x, a.spread(argument, factor.axes, shape));
    });
    if (vanishes) out = n.difference(out, a.of_terms({term}, shape));
  }
  return out;
}

// f(x) = B f(x where B = 1) + (1 - B) f(x where B = 0) for a factor B that is 0 or 1, if there are few.
template <class F>
std::optional<Id> by_cases(const Application& n, Id x, F f) {
  Algebra& a = n.algebra();
  const Product bits = a.bits_of(x);
  if (bits.empty() || bits.size() > kMostBits) return std::nullopt;
  const Id bit = a.of_factor(bits[0].atom, bits[0].axes, a.shape_of(x));
  const Id one = f(n, a.where_bit(x, bits[0], true)), none = f(n, a.where_bit(x, bits[0], false));
  return a.add(a.multiply(bit, one), a.multiply(n.complement(bit), none));
}

}  // namespace

Id is_positive(const Application& n, Id x) {
  Algebra& a = n.algebra();
  if (const Dyadic* number = a.number(x)) {
    return a.constant(a.shape_of(x), Dyadic(number->is_zero() || number->is_negative() ? 0 : 1));
  }
  if (const std::optional<Id> found = by_cases(n, x, is_positive)) return *found;
  x = scaled(n, x);
  if (!a.leads_negative(x)) return elementwise(n, greater_op, {x}, {}, true);
  const Id u = n.negative(x);
  return n.difference(n.complement(elementwise(n, greater_op, {u}, {}, true)), zero_bit(n, u));
}

Id is_nonzero(const Application& n, Id x) {
  Algebra& a = n.algebra();
  if (const Dyadic* number = a.number(x)) return a.constant(a.shape_of(x), Dyadic(number->is_zero() ? 0 : 1));
  if (const std::optional<Id> found = by_cases(n, x, is_nonzero)) return *found;
  x = scaled(n, x);
  return n.complement(zero_bit(n, a.leads_negative(x) ? n.negative(x) : x));
}

Id is_zero(const Application& n, Id x) { return n.complement(is_nonzero(n, x)); }

Id times(const Application& n, Id x, Id y) {
  return n.algebra().multiply(without_zeros(n, x, y), without_zeros(n, y, x));
}

Id choose(const Application& n, Id bits, Id x, Id y) {
  Algebra& a = n.algebra();
  const Id kept = without_zeros(n, bits, n.difference(x, y));
  return a.add(a.multiply(kept, x), a.multiply(n.complement(kept), y));
}

Id relu(const Application& n) { return times(n, n.x[0], is_positive(n, n.x[0])); }

Id abs(const Application& n) { return n.difference(n.algebra().scale(relu(n), Dyadic(2)), n.x[0]); }

Id sign(const Application& n) {
  return n.difference(is_positive(n, n.x[0]), is_positive(n, n.negative(n.x[0])));
}

Id maximum(const Application& n) {
  const Id gap = n.difference(n.x[0], n.x[1]);
  return n.algebra().add(n.x[1], times(n, gap, is_positive(n, gap)));
}

Id minimum(const Application& n) { return n.difference(n.algebra().add(n.x[0], n.x[1]), maximum(n)); }

}  // namespace backdrop::proof::branches

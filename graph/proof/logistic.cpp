#include <algorithm>
#include <backdrop/ops/elementwise.hpp>
#include <utility>

#include "proof/algebra.hpp"

/// S = 1 / (1 + 1/E) for E = e^u: of products of both only powers of one of them are kept, by E S = E - S and
/// S / E = 1 - S. What is left are partial fractions in E, which are equal only if they are the same.
namespace backdrop::proof {

namespace {

const Words kKeyOfFloats{2};  // of an elementwise op of one float without attributes: see attributes()

}  // namespace

bool Algebra::is(const Factor& factor, const Op& op) const { return atoms_[factor.atom].op == &op; }

// The factor of the op, of the same argument.
Factor Algebra::twin(const Factor& factor, const Op& op) {
  const Atom& from = atoms_[factor.atom];
  const Atom atom{.op = &op, .args = from.args, .shape = from.shape, .source = from.source};
  return {intern(atom, kKeyOfFloats), factor.axes, 1};
}

// Its S in a product with powers of E, or with a power below 0; or none.
const Factor* Algebra::unreduced_logistic(const Product& product) const {
  for (const Factor& s : product) {
    if (!is(s, sigmoid_op)) continue;
    if (s.exponent < 0) return &s;
    for (const Factor& e : product) {
      if (is(e, exp_op) && e.axes == s.axes && atoms_[e.atom].args == atoms_[s.atom].args) return &s;
    }
  }
  return nullptr;
}

Id Algebra::reduced_logistic(const Product& factors, const Factor& logistic, Id to,
                             const Dyadic& coefficient) {
  const Factor s{logistic.atom, logistic.axes, 1}, e = twin(logistic, exp_op);
  Product rest;
  int of_e = 0;
  for (const Factor& factor : factors) {
    if (factor.atom == e.atom && factor.axes == e.axes) {
      of_e = factor.exponent;
    } else if (!(factor.atom == s.atom && factor.axes == s.axes)) {
      rest.push_back(factor);
    }
  }
  const Id one = constant(to, Dyadic(1)), value_of_s = of_factor(s.atom, s.axes, to),
           value_of_e = of_factor(e.atom, e.axes, to);
  const auto difference = [&](Id a, Id b) { return add(a, scale(b, Dyadic(-1))); };
  Id out = make({to, {{intern(std::move(rest)), coefficient}}});
  if (logistic.exponent < 0) {
    out = multiply(out, power(value_of_e, of_e));
    return multiply(out, power(add(one, power(value_of_e, -1)), -logistic.exponent));
  }
  // One S goes with one E; the others are multiplied after.
  const Id pair = of_e > 0 ? difference(value_of_e, value_of_s) : difference(one, value_of_s);
  out = multiply(multiply(out, pair), power(value_of_s, logistic.exponent - 1));
  return multiply(out, power(value_of_e, of_e > 0 ? of_e - 1 : of_e + 1));
}

// 1 / a, if a is a number times a power of 1 + E, 1 + 1/E or 1 - S.
std::optional<Id> Algebra::logistic_reciprocal(Id a) {
  const Value value = values_[a];
  const std::size_t times = value.terms.size() - 1;  // (1 + E)^n has n + 1 terms
  const auto number =
      std::ranges::find_if(value.terms, [&](const Term& t) { return products_[t.product].empty(); });
  if (times == 0 || times > 4 || number == value.terms.end()) return std::nullopt;
  const Term& other = value.terms[number == value.terms.begin() ? 1 : 0];
  const Product product = products_[other.product];
  if (product.size() != 1 || !(is(product[0], exp_op) || is(product[0], sigmoid_op))) return std::nullopt;
  const bool of_exp = is(product[0], exp_op);
  const Factor e = of_exp ? Factor{product[0].atom, product[0].axes, 1} : twin(product[0], exp_op),
               s = twin(e, sigmoid_op);
  const auto one_and = [&](const Factor& factor, int exponent, int sign) {
    const Id power_of = power(of_factor(factor.atom, factor.axes, value.shape), exponent);
    return add(constant(value.shape, Dyadic(1)), scale(power_of, Dyadic(sign)));
  };
  const Id of_s = of_factor(s.atom, s.axes, value.shape), rest_of_s = one_and(s, 1, -1), n = one_and(e, 1, 1);
  const std::pair<Id, Id> candidates[] = {{n, rest_of_s}, {one_and(e, -1, 1), of_s}, {rest_of_s, n}};
  for (const auto& [base, inverse] : candidates) {
    const auto exponent = static_cast<int>(times);
    if (scale(power(base, exponent), number->coefficient) != a) continue;
    return multiply(power(inverse, exponent), power(constant(value.shape, number->coefficient), -1));
  }
  return std::nullopt;
}

}  // namespace backdrop::proof

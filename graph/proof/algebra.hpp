#pragma once

#include <backdrop/core/op.hpp>
#include <cstdint>
#include <optional>
#include <unordered_map>
#include <utility>
#include <vector>

#include "proof/dyadic.hpp"

/// Values as sums of products of atoms, with exact coefficients, so that equal ids are equal functions over
/// the reals. What is one number everywhere, and axes of extent 1, are no part of a value: a product says for
/// each factor which axes of the whole its own axes are, which is all that broadcasts and transpositions do;
/// a sum over axes is an atom that holds a product, as in einsum. What would grow too large is kept as an
/// atom.
namespace backdrop::proof {

using Id = std::uint32_t;
using Words = std::vector<std::uint64_t>;
using Axes = std::vector<std::uint8_t>;
using Extents = std::vector<std::int64_t>;

/// Distinct contents have distinct ids, equal ones the same: 0, 1, 2, ... in the order in which they come.
class Interner {
 public:
  Id operator()(Words words) {
    return ids_.try_emplace(std::move(words), static_cast<Id>(ids_.size())).first->second;
  }

 private:
  struct Hash {
    std::size_t operator()(const Words& words) const;
  };
  std::unordered_map<Words, Id, Hash> ids_;
};

/// atom[axes]^exponent, exponent not 0: axis k of the atom is axis axes[k] of the whole.
struct Factor {
  Id atom = 0;
  Axes axes;
  int exponent = 1;

  auto operator<=>(const Factor&) const =
      default;  // NOLINT(modernize-use-nullptr): of the comparison's own 0
};
using Product = std::vector<Factor>;  // sorted

struct Term {
  Id product = 0;
  Dyadic coefficient;
};
struct Value {
  Id shape = 0;
  std::vector<Term> terms;  // sorted by product, none of them 0
};

struct Atom {
  enum class Kind : std::uint8_t {
    op,     ///< an application of an op that is not looked into: `op`, args = values
    sum,    ///< args = a product and its shape, the last `summed` axes of which are summed over
    whole,  ///< args[0] = a value that is not multiplied out
    sqrt,   ///< args[0] = a value
  };
  Kind kind = Kind::op;
  const Op* op = nullptr;
  std::vector<Id> args{};
  Id shape = 0;
  std::size_t summed = 0;
  bool bit = false;  ///< is 0 or 1 everywhere, so that its powers are itself
  Var source{};      ///< a node that it was first met at, if there is one
};

class Algebra {
 public:
  Id shape(Extents extents);
  const Extents& extents(Id shape) const { return shapes_[shape]; }
  const Value& value(Id id) const { return values_[id]; }
  const Product& product(Id id) const { return products_[id]; }
  const Atom& atom(Id id) const { return atoms_[id]; }
  Id shape_of(Id value) const { return values_[value].shape; }

  Id constant(Id shape, const Dyadic& number);
  /// The atom that `key` and its op, kind, args and shape tell from all others.
  Id intern(const Atom& atom, const Words& key = {});
  /// The value atom[axes] of the given shape.
  Id of_factor(Id atom, const Axes& axes, Id shape);
  Id of_terms(std::vector<Term> terms, Id shape) { return make({shape, std::move(terms)}); }
  Id add(Id a, Id b);
  Id scale(Id a, const Dyadic& factor);
  Id multiply(Id a, Id b);
  Id power(Id a, int exponent);
  Id square_root(Id a);
  /// The same elements elsewhere: axis k of `a` becomes axis axes[k] of `to`, repeated along the others.
  Id spread(Id a, const Axes& axes, Id to);
  /// Summed over the axes for which `over` is true, which are then gone.
  Id sum(Id a, const std::vector<bool>& over);

  /// f(value of a product) for each term, added up with the coefficients: what a linear map is.
  template <class F>
  Id linear(Id a, Id to, F f) {
    if (values_[a].terms.size() > kMaxLinear) a = whole(a);
    const Value from = values_[a];
    Id out = constant(to, Dyadic());
    for (const Term& term : from.terms) {
      out = add(out, scale(f(make({from.shape, {{term.product, Dyadic(1)}}})), term.coefficient));
    }
    return out;
  }
  /// f(atom, axes) for each factor, multiplied and added up again: what picks elements does that.
  template <class F>
  Id by_factor(Id a, Id to, F f) {
    const Value from = values_[a];
    Id out = constant(to, Dyadic());
    for (const Term& term : from.terms) {
      Id product = constant(to, term.coefficient);
      const Product factors = products_[term.product];
      for (const Factor& factor : factors) product = multiply(product, power(f(factor), factor.exponent));
      out = add(out, product);
    }
    return out;
  }

  bool is_zero(Id a) const { return values_[a].terms.empty(); }
  /// The number that it is everywhere, if it is one.
  const Dyadic* number(Id a) const;
  bool leads_negative(Id a) const;
  /// The factors that are 0 or 1, of all terms.
  Product bits_of(Id a) const;
  /// a where that factor is 1, or 0.
  Id where_bit(Id a, const Factor& bit, bool one);
  /// Axes of the values (of one shape) that matter to any of them, in an order that a transposition of all
  /// keeps where that is easily told.
  Axes used_axes(const std::vector<Id>& values) const;
  /// The value on these axes alone, in this order; the others must not matter.
  Id narrowed(Id a, const Axes& axes);

 private:
  static constexpr std::size_t kMaxTerms = 64, kMaxLinear = 16, kMaxFactors = 24;
  static constexpr int kMaxExponent = 64;

  Id make(Value value);
  Id intern(Value value);
  Id intern(Product product);
  Id whole(Id a, bool always = false);
  bool is_plain(const Value& value) const;
  bool merge(Product& product, const Product& more) const;
  bool vanishes(const Product& product) const;
  bool is(const Factor& factor, const Op& op) const;
  Factor twin(const Factor& factor, const Op& op);
  const Factor* unreduced_logistic(const Product& product) const;
  Id reduced_logistic(const Product& factors, const Factor& logistic, Id shape, const Dyadic& coefficient);
  std::optional<Id> logistic_reciprocal(Id a);
  Id reduced(const Product& factors, Id shape, const Dyadic& coefficient);
  Id contracted(Product factors, Extents extents, std::vector<bool> over, Id to);
  void flatten(Product& factors, Extents& extents, std::vector<bool>& over) const;
  Factor summed(Product part, const Extents& extents, const std::vector<bool>& over);

  Interner shape_ids_, product_ids_, value_ids_, atom_ids_;
  std::vector<Extents> shapes_;
  std::vector<Product> products_;
  std::vector<Value> values_;
  std::vector<Atom> atoms_;
};

}  // namespace backdrop::proof

#include "proof/algebra.hpp"

#include <algorithm>
#include <backdrop/ops/compare.hpp>
#include <bit>
#include <iterator>
#include <numeric>
#include <tuple>
#include <utility>

namespace backdrop::proof {

namespace {

const Dyadic kZero, kOne(1);

bool by_atom_and_axes(const Factor& a, const Factor& b) {
  return std::tie(a.atom, a.axes) < std::tie(b.atom, b.axes);
}

void renumber(Product& product, const Axes& to) {
  for (Factor& factor : product) {
    for (std::uint8_t& axis : factor.axes) axis = to[axis];
  }
  std::sort(product.begin(), product.end());
}

void combine(std::vector<Term>& terms) {
  std::sort(terms.begin(), terms.end(), [](const Term& a, const Term& b) { return a.product < b.product; });
  std::size_t kept = 0;
  for (std::size_t k = 0; k < terms.size();) {
    Term sum = terms[k];
    for (++k; k < terms.size() && terms[k].product == sum.product; ++k) {
      sum.coefficient = sum.coefficient + terms[k].coefficient;
    }
    if (!sum.coefficient.is_zero()) terms[kept++] = std::move(sum);
  }
  terms.resize(kept);
}

}  // namespace

std::size_t Interner::Hash::operator()(const Words& words) const {
  std::uint64_t h = words.size();
  for (std::uint64_t word : words) {
    h = (h ^ word) * 0x9E3779B97F4A7C15U;
    h ^= h >> 32;
  }
  return h;
}

Id Algebra::shape(Extents extents) {
  const Id id = shape_ids_(Words(extents.begin(), extents.end()));
  if (id == shapes_.size()) shapes_.push_back(std::move(extents));
  return id;
}

Id Algebra::intern(Product product) {
  Words words;
  for (const Factor& factor : product) {
    words.push_back(std::uint64_t{factor.atom} << 32 | factor.axes.size());
    words.push_back(static_cast<std::uint64_t>(factor.exponent));
    words.insert(words.end(), factor.axes.begin(), factor.axes.end());
  }
  const Id id = product_ids_(std::move(words));
  if (id == products_.size()) products_.push_back(std::move(product));
  return id;
}

Id Algebra::intern(Value value) {
  Words words{value.shape};
  for (const Term& term : value.terms) {
    words.push_back(term.product);
    term.coefficient.append_to(words);
  }
  const Id id = value_ids_(std::move(words));
  if (id == values_.size()) values_.push_back(std::move(value));
  return id;
}

Id Algebra::intern(const Atom& atom, const Words& key) {
  Words words{static_cast<std::uint64_t>(atom.kind), std::bit_cast<std::uintptr_t>(atom.op), atom.shape,
              atom.summed, atom.args.size()};
  words.insert(words.end(), atom.args.begin(), atom.args.end());
  words.insert(words.end(), key.begin(), key.end());
  const Id id = atom_ids_(std::move(words));
  if (id == atoms_.size()) atoms_.push_back(atom);
  return id;
}

Id Algebra::make(Value value) {
  combine(value.terms);
  const bool large =
      value.terms.size() > kMaxTerms ||
      !std::ranges::all_of(value.terms, [](const Term& term) { return term.coefficient.fits(); });
  const Id id = intern(std::move(value));
  return large ? whole(id, true) : id;
}

Id Algebra::constant(Id shape, const Dyadic& number) { return make({shape, {{intern(Product{}), number}}}); }

Id Algebra::of_factor(Id atom, const Axes& axes, Id shape) {
  return make({shape, {{intern(Product{{atom, axes, 1}}), kOne}}});
}

const Dyadic* Algebra::number(Id a) const {
  const std::vector<Term>& terms = values_[a].terms;
  if (terms.empty()) return &kZero;
  return terms.size() == 1 && products_[terms[0].product].empty() ? &terms[0].coefficient : nullptr;
}

bool Algebra::leads_negative(Id a) const {
  return !is_zero(a) && values_[a].terms[0].coefficient.is_negative();
}

bool Algebra::is_plain(const Value& value) const {
  if (value.terms.size() != 1) return value.terms.empty();
  const Product& product = products_[value.terms[0].product];
  return product.empty() || (product.size() == 1 && product[0].exponent == 1);
}

// A value as an atom of its own: c w with c = +-2^k such that its multiples by such numbers share the atom.
Id Algebra::whole(Id a, bool always) {
  if (!always && is_plain(values_[a])) return a;
  Value value = values_[a];
  const Id shape = value.shape;
  Dyadic leading = value.terms.empty() ? kOne : value.terms[0].coefficient.power_of_two();
  if (!leading.fits()) leading = kOne;
  for (Term& term : value.terms) term.coefficient = term.coefficient * leading.reciprocal();
  const Id scaled = intern(std::move(value));
  const Axes axes = used_axes({scaled});
  const Id inner = narrowed(scaled, axes);
  const Id atom = intern(Atom{.kind = Atom::Kind::whole, .args = {inner}, .shape = shape_of(inner)});
  return make({shape, {{intern(Product{{atom, axes, 1}}), leading}}});
}

Axes Algebra::used_axes(const std::vector<Id>& values) const {
  if (values.empty()) return {};
  std::vector<bool> used(extents(shape_of(values[0])).size(), false);
  const Axes* only = nullptr;
  bool same = true;
  for (Id value : values) {
    for (const Term& term : values_[value].terms) {
      for (const Factor& factor : products_[term.product]) {
        for (std::uint8_t axis : factor.axes) used[axis] = true;
        same = same && (only == nullptr || *only == factor.axes);
        only = &factor.axes;
      }
    }
  }
  if (same && only != nullptr) return *only;
  Axes axes;
  for (std::size_t k = 0; k < used.size(); ++k) {
    if (used[k]) axes.push_back(static_cast<std::uint8_t>(k));
  }
  return axes;
}

Id Algebra::narrowed(Id a, const Axes& axes) {
  Value value = values_[a];
  const Extents& from = extents(value.shape);
  Axes to(from.size(), 0);
  Extents narrow;
  for (std::size_t k = 0; k < axes.size(); ++k) {
    to[axes[k]] = static_cast<std::uint8_t>(k);
    narrow.push_back(from[axes[k]]);
  }
  value.shape = shape(std::move(narrow));
  for (Term& term : value.terms) {
    Product product = products_[term.product];
    renumber(product, to);
    term.product = intern(std::move(product));
  }
  combine(value.terms);
  return intern(std::move(value));
}

Id Algebra::spread(Id a, const Axes& axes, Id to) {
  Value value = values_[a];
  value.shape = to;
  for (Term& term : value.terms) {
    Product product = products_[term.product];
    renumber(product, axes);
    term.product = intern(std::move(product));
  }
  return make(std::move(value));
}

Product Algebra::bits_of(Id a) const {
  Product out;
  for (const Term& term : values_[a].terms) {
    std::ranges::copy_if(products_[term.product], std::back_inserter(out),
                         [&](const Factor& factor) { return atoms_[factor.atom].bit; });
  }
  std::ranges::sort(out);
  out.erase(std::unique(out.begin(), out.end()), out.end());
  return out;
}

Id Algebra::where_bit(Id a, const Factor& bit, bool one) {
  Value value = values_[a];
  std::vector<Term> kept;
  for (const Term& term : value.terms) {
    Product product = products_[term.product];
    const auto found = std::ranges::find(product, bit);
    if (found != product.end() && !one) continue;
    if (found != product.end()) product.erase(found);
    kept.push_back({intern(std::move(product)), term.coefficient});
  }
  value.terms = std::move(kept);
  return make(std::move(value));
}

Id Algebra::scale(Id a, const Dyadic& factor) {
  Value value = values_[a];
  for (Term& term : value.terms) term.coefficient = term.coefficient * factor;
  return make(std::move(value));
}

Id Algebra::add(Id a, Id b) {
  Value value = values_[a];
  value.terms.insert(value.terms.end(), values_[b].terms.begin(), values_[b].terms.end());
  return make(std::move(value));
}

// False where the product would grow too large.
bool Algebra::merge(Product& product, const Product& more) const {
  Product out;
  out.reserve(product.size() + more.size());
  std::merge(product.begin(), product.end(), more.begin(), more.end(), std::back_inserter(out),
             by_atom_and_axes);
  std::size_t kept = 0;
  for (std::size_t k = 0; k < out.size();) {
    Factor factor = out[k];
    for (++k; k < out.size() && out[k].atom == factor.atom && out[k].axes == factor.axes; ++k) {
      factor.exponent += out[k].exponent;
    }
    if (atoms_[factor.atom].bit) factor.exponent = 1;
    if (factor.exponent > kMaxExponent || factor.exponent < -kMaxExponent) return false;
    if (factor.exponent != 0) out[kept++] = std::move(factor);
  }
  out.resize(kept);
  product = std::move(out);
  return product.size() <= kMaxFactors;
}

// [u > 0] [u = 0] is 0, and so is u [u = 0], where u is a product.
bool Algebra::vanishes(const Product& product) const {
  for (const Factor& zero : product) {
    const Atom& atom = atoms_[zero.atom];
    if (atom.op != &equal_op || !atom.bit || atom.args.size() != 1) continue;
    for (const Factor& other : product) {
      const Atom& positive = atoms_[other.atom];
      if (positive.op == &greater_op && positive.bit && other.axes == zero.axes && positive.args == atom.args)
        return true;
    }
    const std::vector<Term>& argument = values_[atom.args[0]].terms;
    const auto is_in_product = [&](Factor factor) {
      for (std::uint8_t& axis : factor.axes) axis = zero.axes[axis];
      return std::ranges::any_of(product, [&](const Factor& other) {
        return other.atom == factor.atom && other.axes == factor.axes &&
               (factor.exponent > 0 ? other.exponent >= factor.exponent : other.exponent <= factor.exponent);
      });
    };
    if (argument.size() == 1 && std::ranges::all_of(products_[argument[0].product], is_in_product))
      return true;
  }
  return false;
}

// Takes even powers out of square roots: s^(2q + r) = u^q s^r.
Id Algebra::reduced(const Product& factors, Id to, const Dyadic& coefficient) {
  Product rest;
  std::vector<std::pair<const Factor*, int>> roots;
  for (const Factor& factor : factors) {
    const bool root = atoms_[factor.atom].kind == Atom::Kind::sqrt;
    const int odd = factor.exponent & 1;
    if (!root || factor.exponent == odd) {
      rest.push_back(factor);
      continue;
    }
    roots.emplace_back(&factor, (factor.exponent - odd) / 2);
    if (odd != 0) rest.push_back({factor.atom, factor.axes, 1});
  }
  Id out = make({to, {{intern(std::move(rest)), coefficient}}});
  for (const auto& [factor, exponent] : roots) {
    out = multiply(out, spread(power(atoms_[factor->atom].args[0], exponent), factor->axes, to));
  }
  return out;
}

Id Algebra::multiply(Id a, Id b) {
  if (const Dyadic* factor = number(a)) return scale(b, Dyadic(*factor));
  if (const Dyadic* factor = number(b)) return scale(a, Dyadic(*factor));
  if (values_[a].terms.size() < values_[b].terms.size()) std::swap(a, b);
  if (values_[a].terms.size() * values_[b].terms.size() > kMaxTerms) return multiply(whole(a), b);
  const Value x = values_[a], y = values_[b];
  Value sum{x.shape, {}};
  std::vector<Id> more;
  for (const Term& left : x.terms) {
    for (const Term& right : y.terms) {
      Product product = products_[left.product];
      if (!merge(product, products_[right.product])) return multiply(whole(a), whole(b));
      if (vanishes(product)) continue;
      const Dyadic coefficient = left.coefficient * right.coefficient;
      const bool has_root = std::ranges::any_of(product, [&](const Factor& factor) {
        return atoms_[factor.atom].kind == Atom::Kind::sqrt && factor.exponent != 1;
      });
      if (has_root) {
        more.push_back(reduced(product, x.shape, coefficient));
      } else if (const Factor* logistic = unreduced_logistic(product)) {
        more.push_back(reduced_logistic(product, Factor(*logistic), x.shape, coefficient));
      } else {
        sum.terms.push_back({intern(std::move(product)), coefficient});
      }
    }
  }
  Id out = make(std::move(sum));
  for (Id value : more) out = add(out, value);
  return out;
}

Id Algebra::power(Id a, int exponent) {
  const Value value = values_[a];
  if (exponent == 0) return constant(value.shape, kOne);
  if (exponent == 1) return a;
  if (value.terms.size() > 1) {
    if (exponent < 0) {
      if (const std::optional<Id> inverse = logistic_reciprocal(a)) return power(*inverse, -exponent);
    }
    if (exponent < 0 || exponent > 4) return power(whole(a), exponent);
    Id out = a;
    for (int k = 1; k < exponent; ++k) out = multiply(out, a);
    return out;
  }
  if (value.terms.empty()) return exponent > 0 ? a : power(whole(a, true), exponent);

  const Dyadic& base = value.terms[0].coefficient;
  Product product = products_[value.terms[0].product];
  for (Factor& factor : product) {
    const bool bit = atoms_[factor.atom].bit;
    const bool large =
        factor.exponent * exponent > kMaxExponent || factor.exponent * exponent < -kMaxExponent;
    if (large || (bit && exponent < 0)) return power(whole(a, true), exponent);
    if (!bit) factor.exponent *= exponent;
  }
  // c^-n = (+-2^k)^-n times an odd integer^-n, which stays a factor.
  const Dyadic step = exponent > 0 ? base : base.power_of_two().reciprocal();
  Dyadic coefficient = kOne;
  for (int k = 0; k < (exponent > 0 ? exponent : -exponent); ++k) coefficient = coefficient * step;
  if (exponent < 0 && !base.is_power_of_two()) {
    const Id odd = constant(shape({}), base.odd());
    const Id atom = intern(Atom{.kind = Atom::Kind::whole, .args = {odd}, .shape = shape({})});
    if (!merge(product, {{atom, {}, exponent}})) return power(whole(a, true), exponent);
  }
  if (const Factor* logistic = unreduced_logistic(product)) {
    return reduced_logistic(product, Factor(*logistic), value.shape, coefficient);
  }
  return reduced(product, value.shape, coefficient);
}

Id Algebra::square_root(Id a) {
  const Axes axes = used_axes({a});
  const Id inner = narrowed(a, axes);
  return of_factor(intern(Atom{.kind = Atom::Kind::sqrt, .args = {inner}, .shape = shape_of(inner)}), axes,
                   shape_of(a));
}

Id Algebra::sum(Id a, const std::vector<bool>& over) {
  const Extents from = extents(shape_of(a));
  Extents rest;
  for (std::size_t k = 0; k < from.size(); ++k) {
    if (!over[k]) rest.push_back(from[k]);
  }
  const Id to = shape(std::move(rest));
  return linear(
      a, to, [&](Id term) { return contracted(products_[values_[term].terms[0].product], from, over, to); });
}

// A sum within a sum is one sum over more axes.
void Algebra::flatten(Product& factors, Extents& axes, std::vector<bool>& over) const {
  for (std::size_t k = 0; k < factors.size();) {
    const Factor factor = factors[k];
    const Atom& atom = atoms_[factor.atom];
    const bool inside = std::ranges::any_of(factor.axes, [&](std::uint8_t axis) { return over[axis]; });
    ++k;
    if (atom.kind != Atom::Kind::sum || factor.exponent != 1 || !inside || axes.size() + atom.summed > 32)
      continue;
    Axes to = factor.axes;
    for (std::size_t j = 0; j < atom.summed; ++j) to.push_back(static_cast<std::uint8_t>(axes.size() + j));
    Product inner = products_[atom.args[0]];
    renumber(inner, to);
    Product all = factors;
    all.erase(all.begin() + static_cast<std::ptrdiff_t>(k - 1));
    if (!merge(all, inner)) continue;
    factors = std::move(all);
    const Extents& more = extents(atom.args[1]);
    axes.insert(axes.end(), more.end() - static_cast<std::ptrdiff_t>(atom.summed), more.end());
    over.resize(axes.size(), true);
    k = 0;
  }
}

// The sum of a product over axes: factors that share none of them are summed by themselves.
Id Algebra::contracted(Product factors, Extents axes, std::vector<bool> over, Id to) {
  flatten(factors, axes, over);
  Axes left(axes.size(), 0);
  std::uint8_t rank = 0;
  for (std::size_t k = 0; k < axes.size(); ++k) left[k] = over[k] ? 0 : rank++;

  std::vector<std::size_t> group(factors.size());
  std::iota(group.begin(), group.end(), std::size_t{0});
  Dyadic count = kOne;
  for (std::size_t axis = 0; axis < axes.size(); ++axis) {
    if (!over[axis]) continue;
    std::size_t first = factors.size();
    for (std::size_t k = 0; k < factors.size(); ++k) {
      if (std::ranges::find(factors[k].axes, axis) == factors[k].axes.end()) continue;
      if (first == factors.size()) first = k;
      const std::size_t from = group[k], into = group[first];
      std::ranges::replace(group, from, into);
    }
    if (first == factors.size()) count = count * Dyadic(static_cast<double>(axes[axis]));
  }

  Id out = constant(to, count);
  for (std::size_t g = 0; g < factors.size(); ++g) {
    Product part;
    for (std::size_t k = 0; k < factors.size(); ++k) {
      if (group[k] == g) part.push_back(factors[k]);
    }
    if (part.empty()) continue;
    const bool inside = std::ranges::any_of(part[0].axes, [&](std::uint8_t axis) { return over[axis]; });
    Product result = inside ? Product{summed(std::move(part), axes, over)} : std::move(part);
    renumber(result, left);
    out = multiply(out, make({to, {{intern(std::move(result)), kOne}}}));
  }
  return out;
}

// Axes are numbered as they occur in the factors, sorted without a look at their numbers where that can be.
Factor Algebra::summed(Product part, const Extents& axes, const std::vector<bool>& over) {
  std::sort(part.begin(), part.end(), [](const Factor& a, const Factor& b) {
    return std::tie(a.atom, a.exponent, a.axes) < std::tie(b.atom, b.exponent, b.axes);
  });
  std::vector<bool> seen(axes.size(), false);
  Axes kept, gone;
  for (const Factor& factor : part) {
    for (std::uint8_t axis : factor.axes) {
      if (!seen[axis]) (over[axis] ? gone : kept).push_back(axis);
      seen[axis] = true;
    }
  }
  Axes to(axes.size(), 0);
  Extents outer, inner;
  for (std::uint8_t axis : kept) {
    to[axis] = static_cast<std::uint8_t>(outer.size());
    outer.push_back(axes[axis]);
  }
  inner = outer;
  for (std::uint8_t axis : gone) {
    to[axis] = static_cast<std::uint8_t>(inner.size());
    inner.push_back(axes[axis]);
  }
  renumber(part, to);
  Atom atom{.kind = Atom::Kind::sum, .shape = shape(std::move(outer)), .summed = gone.size()};
  atom.args = {intern(std::move(part)), shape(std::move(inner))};
  return {intern(atom), kept, 1};
}

}  // namespace backdrop::proof

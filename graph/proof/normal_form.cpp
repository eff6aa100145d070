#include "proof/normal_form.hpp"

#include <algorithm>
#include <backdrop/ops/ops.hpp>
#include <backdrop/ops/registry.hpp>
#include <bit>
#include <cmath>
#include <cstring>
#include <span>
#include <string_view>
#include <unordered_map>

#include "proof/application.hpp"

namespace backdrop::proof {

namespace {

Atom atom_of(const Application& n, const Op& op, std::vector<Id> args, Id shape) {
  return {.op = &op,
          .args = std::move(args),
          .shape = shape,
          .bit = n.node().dtype == DType::mask,
          .source = n.tape.var(n.index)};
}

}  // namespace

Words attributes(const Application& n) {
  Words key;
  for (std::size_t k = 0; k < n.op().attr_count(); ++k) {
    if (is_of_library(n.op()) && std::string_view(n.op().attrs[k].name) == "keepdims") continue;
    const AttrValue value = n.attribute(k);
    key.insert(key.end(), {static_cast<std::uint64_t>(value.kind), value.bits, value.key.seed,
                           value.key.stream, value.ints.size()});
    for (std::int64_t number : value.ints) key.push_back(static_cast<std::uint64_t>(number));
  }
  for (std::size_t k = 0; k < n.x.size(); ++k) {
    const DType dtype = n.input(k).dtype;
    key.push_back(dtype == DType::mask ? 0 : dtype == DType::i64 ? 1 : 2);
  }
  return key;
}

Id elementwise(const Application& n, const Op& op, std::vector<Id> args, const Words& key, bool bit) {
  Algebra& a = n.algebra();
  const Axes axes = a.used_axes(args);
  for (Id& arg : args) arg = a.narrowed(arg, axes);
  const Id shape = a.shape_of(args[0]);
  Atom atom = atom_of(n, op, std::move(args), shape);
  atom.bit = bit;
  return a.of_factor(a.intern(atom, key), axes, n.shape);
}

namespace {

using Rule = Id (*)(const Application&);

Extents squeezed(const Shape& full) {
  Extents out;
  std::ranges::copy_if(full, std::back_inserter(out), [](std::int64_t extent) { return extent != 1; });
  return out;
}

// Axis k of `from` is axis to_axis(k) of `to`, all counted with axes of extent 1: the same without them.
template <class F>
Axes mapped(const Shape& from, const Shape& to, F to_axis) {
  Axes number(to.rank(), 0);
  std::uint8_t count = 0;
  for (std::size_t k = 0; k < to.rank(); ++k) number[k] = to[k] == 1 ? count : count++;
  Axes out;
  for (std::size_t k = 0; k < from.rank(); ++k) {
    if (from[k] != 1) out.push_back(number[to_axis(k)]);
  }
  return out;
}

void append(Words& key, const Shape& shape) {
  key.push_back(shape.rank());
  for (std::int64_t extent : shape) key.push_back(static_cast<std::uint64_t>(extent));
}

Id elementwise(const Application& n, const Op& op, std::vector<Id> args, const Words& key) {
  return elementwise(n, op, std::move(args), key, n.node().dtype == DType::mask);
}

Axes all_axes(const Application& n, Id shape) {
  Axes axes(n.algebra().extents(shape).size());
  for (std::size_t k = 0; k < axes.size(); ++k) axes[k] = static_cast<std::uint8_t>(k);
  return axes;
}

Id opaque(const Application& n, std::vector<Id> args) {
  Words key = attributes(n);
  for (std::size_t k = 0; k < n.x.size(); ++k) append(key, n.full(k));
  const Id atom = n.algebra().intern(atom_of(n, n.op(), std::move(args), n.shape), key);
  return n.algebra().of_factor(atom, all_axes(n, n.shape), n.shape);
}

Id function(const Application& n) { return elementwise(n, n.op(), n.x, attributes(n)); }

// f(a, b) = f(b, a)
Id symmetric(const Application& n) {
  return elementwise(n, n.op(), {std::min(n.x[0], n.x[1]), std::max(n.x[0], n.x[1])}, attributes(n));
}

// f(x) where x does not lead with a minus; of -x, `mirrored` makes what is right for x.
template <class F>
Id mirrored(const Application& n, F f) {
  const bool negative = n.algebra().leads_negative(n.x[0]);
  const Id y = elementwise(n, n.op(), {negative ? n.negative(n.x[0]) : n.x[0]}, attributes(n));
  return negative ? f(y) : y;
}
// 1 / (1 + e^-x), which is 1 - the same of -x.
Id logistic(const Application& n, Id x) {
  if (n.algebra().is_zero(x)) return n.number(.5);
  const bool negative = n.algebra().leads_negative(x);
  const Id y = elementwise(n, sigmoid_op, {negative ? n.negative(x) : x}, attributes(n));
  return negative ? n.complement(y) : y;
}
// tanh x = 2 / (1 + e^-2x) - 1
Id hyperbolic_tangent(const Application& n) {
  Algebra& a = n.algebra();
  return n.difference(a.scale(logistic(n, a.scale(n.x[0], Dyadic(2))), Dyadic(2)), n.number(1));
}

// f(-x) = -f(x), so f(0) = 0
Id odd(const Application& n) {
  if (n.algebra().is_zero(n.x[0])) return n.x[0];
  return mirrored(n, [&](Id y) { return n.negative(y); });
}
Id even(const Application& n) {
  return mirrored(n, [](Id y) { return y; });
}

bool is_nonfinite(const Node& node, const Tape& tape) {
  return node.op == &full_op && !std::isfinite(tape.attribute(node, 1).real());
}

bool has_infinity(const Application& n) { return n.is_infinite(0) || n.is_infinite(1); }

// a = b; a real number is not infinity.
Id are_equal(const Application& n) {
  const bool never = n.is_infinite(0) ? is_nonfinite(n.input(0), n.tape) && !n.is_infinite(1)
                                      : n.is_infinite(1) && is_nonfinite(n.input(1), n.tape);
  return never ? n.number(0) : branches::is_zero(n, n.difference(n.x[0], n.x[1]));
}

// e^(u + n log v) = e^u v^n
Id exponential(const Application& n) {
  Algebra& a = n.algebra();
  const std::vector<Term> terms = a.value(n.x[0]).terms;
  Id rest = n.x[0], powers = n.number(1);
  for (const Term& term : terms) {
    const Product product = a.product(term.product);
    const double times = term.coefficient.rounded();
    const bool is_log =
        product.size() == 1 && product[0].exponent == 1 && a.atom(product[0].atom).op == &log_op;
    if (!is_log || times != std::trunc(times) || std::abs(times) > 8 || term.coefficient != Dyadic(times))
      continue;
    const Id argument = a.atom(product[0].atom).args[0];
    powers =
        a.multiply(powers, a.power(a.spread(argument, product[0].axes, n.shape), static_cast<int>(times)));
    rest =
        n.difference(rest, a.scale(a.of_factor(product[0].atom, product[0].axes, n.shape), term.coefficient));
  }
  if (a.is_zero(rest)) return powers;
  const bool negative = a.leads_negative(rest);
  const Id y = elementwise(n, exp_op, {negative ? n.negative(rest) : rest}, attributes(n));
  return a.multiply(negative ? a.power(y, -1) : y, powers);
}

Id cast_value(const Application& n) {
  const DType to = n.node().dtype, from = n.input(0).dtype;
  if (to == DType::mask) return n.is_bit(n.x[0]) ? n.x[0] : branches::is_nonzero(n, n.x[0]);
  const bool exact = to != DType::i64 || from == DType::mask || from == DType::i64 || n.is_integer(n.x[0]) ||
                     n.is_bit(n.x[0]);
  return exact ? n.x[0] : function(n);
}

Id raised(const Application& n) {
  const double exponent = n.attribute(0).real();
  if (!(std::abs(exponent) <= 32) || 2 * exponent != std::trunc(2 * exponent)) return function(n);
  if (exponent == std::trunc(exponent)) return n.algebra().power(n.x[0], static_cast<int>(exponent));
  return n.algebra().power(n.algebra().square_root(n.x[0]), static_cast<int>(2 * exponent));
}

Id scaled(const Application& n) {
  const double factor = n.attribute(0).real();
  return std::isfinite(factor) ? n.algebra().scale(n.x[0], Dyadic(factor)) : function(n);
}

Id filled(const Application& n) {
  const double value = n.attribute(1).real();
  return std::isfinite(value) ? n.number(value) : opaque(n, {});
}

Id drawn_mask(const Application& n) {
  const DropThreshold threshold(n.attribute(1).real());
  return threshold.bits > 0 ? opaque(n, {}) : n.number(threshold.value == 0 ? 1 : 0);
}

Id broadcast_value(const Application& n) {
  const std::size_t lead = n.full().rank() - n.full(0).rank();
  return n.algebra().spread(n.x[0], mapped(n.full(0), n.full(), [=](std::size_t k) { return k + lead; }),
                            n.shape);
}

Id transposed(const Application& n) {
  const std::span<const std::int64_t> order = n.attribute(0).ints;
  std::vector<std::size_t> to(order.size());
  for (std::size_t k = 0; k < order.size(); ++k) to[static_cast<std::size_t>(order[k])] = k;
  return n.algebra().spread(n.x[0], mapped(n.full(0), n.full(), [&](std::size_t k) { return to[k]; }),
                            n.shape);
}

template <class F>
Id summed(const Application& n, F is_summed) {
  std::vector<bool> over;
  for (std::size_t k = 0; k < n.full(0).rank(); ++k) {
    if (n.full(0)[k] != 1) over.push_back(is_summed(k));
  }
  return n.algebra().sum(n.x[0], over);
}
Id summed_over(const Application& n) {
  const std::span<const std::int64_t> axes = n.attribute(0).ints;
  return summed(
      n, [&](std::size_t k) { return std::ranges::find(axes, static_cast<std::int64_t>(k)) != axes.end(); });
}
Id summed_to(const Application& n) {
  const std::size_t lead = n.full(0).rank() - n.full().rank();
  return summed(n, [&](std::size_t k) { return k < lead || n.full()[k - lead] == 1; });
}

// The sum over k of a[..., i, k] b[..., k, j].
Id matrix_product(const Application& n) {
  Algebra& a = n.algebra();
  const std::size_t rank = n.full().rank();
  const bool ta = n.attribute(0).boolean(), tb = n.attribute(1).boolean();
  Extents extents(n.full().begin(), n.full().end());
  extents.push_back(n.full(0)[ta ? rank - 2 : rank - 1]);
  const Shape whole(std::move(extents));
  const auto axes_of_a = [&](std::size_t k) {
    return k + 2 < rank ? k : (k + 2 == rank) != ta ? rank - 2 : rank;
  };
  const auto axes_of_b = [&](std::size_t k) {
    return k + 2 < rank ? k : (k + 2 == rank) != tb ? rank : rank - 1;
  };
  const Id shape = a.shape(squeezed(whole));
  const Id terms = a.multiply(a.spread(n.x[0], mapped(n.full(0), whole, axes_of_a), shape),
                              a.spread(n.x[1], mapped(n.full(1), whole, axes_of_b), shape));
  std::vector<bool> over(a.extents(shape).size(), false);
  if (whole[rank] != 1) over.back() = true;
  return a.sum(terms, over);
}

// Picks elements of x, and so does with each factor of a product.
Id picked(const Application& n) {
  Algebra& a = n.algebra();
  Words key = attributes(n);
  append(key, n.full(0));
  const Id from = a.shape_of(n.x[0]);
  return a.by_factor(n.x[0], n.shape, [&](const Factor& factor) {
    const Id base = a.of_factor(factor.atom, factor.axes, from);
    Atom atom = atom_of(n, n.op(), {base}, n.shape);
    atom.bit = a.atom(factor.atom).bit;
    return a.of_factor(a.intern(atom, key), all_axes(n, n.shape), n.shape);
  });
}

// Another shape of the same elements; going back leads back.
Id reshaped(const Application& n) {
  Algebra& a = n.algebra();
  const Id from = a.shape_of(n.x[0]);
  if (from == n.shape) return n.x[0];
  return a.by_factor(n.x[0], n.shape, [&](const Factor& factor) {
    const Atom& inner = a.atom(factor.atom);
    Id base = a.of_factor(factor.atom, factor.axes, from);
    if (inner.op == &reshape_op && factor.axes == all_axes(n, from)) {
      base = inner.args[0];
      if (a.shape_of(base) == n.shape) return base;
    }
    Atom atom = atom_of(n, reshape_op, {base}, n.shape);
    atom.bit = a.atom(factor.atom).bit;
    return a.of_factor(a.intern(atom), all_axes(n, n.shape), n.shape);
  });
}

// Linear in input 0; the others are part of the map.
Id linear(const Application& n) {
  return n.algebra().linear(n.x[0], n.shape, [&](Id term) {
    std::vector<Id> args = n.x;
    args[0] = term;
    return opaque(n, std::move(args));
  });
}

const std::unordered_map<const Op*, Rule>& rules() {
  using N = const Application&;
  static const std::unordered_map<const Op*, Rule> kRules{
      {&add_op, [](N n) { return n.algebra().add(n.x[0], n.x[1]); }},
      {&sub_op, [](N n) { return n.difference(n.x[0], n.x[1]); }},
      {&neg_op, [](N n) { return n.negative(n.x[0]); }},
      {&mul_op, [](N n) { return branches::times(n, n.x[0], n.x[1]); }},
      {&square_op, [](N n) { return n.algebra().power(n.x[0], 2); }},
      {&div_op, [](N n) { return n.algebra().multiply(n.x[0], n.algebra().power(n.x[1], -1)); }},
      {&reciprocal_op, [](N n) { return n.algebra().power(n.x[0], -1); }},
      {&sqrt_op, [](N n) { return n.algebra().square_root(n.x[0]); }},
      {&rsqrt_op, [](N n) { return n.algebra().power(n.algebra().square_root(n.x[0]), -1); }},
      {&scale_op, scaled},
      {&pow_op, raised},
      {&full_op, filled},
      {&dropout_mask_op, drawn_mask},

      {&stop_gradient_op, [](N n) { return n.x[0]; }},
      {&again_op, [](N n) { return n.x[0]; }},
      {&checkpoint_op, [](N n) { return n.x[0]; }},
      {&cast_op, cast_value},
      {&broadcast_to_op, broadcast_value},
      {&transpose_op, transposed},
      {&reshape_op, reshaped},
      {&slice_op, picked},
      {&sum_op, summed_over},
      {&sum_to_op, summed_to},
      {&matmul_op, matrix_product},
      {&index_select_op, linear},
      {&gather_op, linear},
      {&windows_op, [](N n) { return n.attribute(5).real() == 0 ? linear(n) : opaque(n, n.x); }},
      {&index_add_op, linear},
      {&scatter_add_op, linear},

      {&greater_op, [](N n) { return branches::is_positive(n, n.difference(n.x[0], n.x[1])); }},
      {&less_op, [](N n) { return branches::is_positive(n, n.difference(n.x[1], n.x[0])); }},
      {&greater_equal_op,
       [](N n) { return n.complement(branches::is_positive(n, n.difference(n.x[1], n.x[0]))); }},
      {&less_equal_op,
       [](N n) { return n.complement(branches::is_positive(n, n.difference(n.x[0], n.x[1]))); }},
      {&equal_op, are_equal},
      {&not_equal_op, [](N n) { return n.complement(are_equal(n)); }},
      {&logical_not_op, [](N n) { return n.complement(n.x[0]); }},
      {&logical_and_op, [](N n) { return n.algebra().multiply(n.x[0], n.x[1]); }},
      {&logical_or_op,
       [](N n) { return n.complement(n.algebra().multiply(n.complement(n.x[0]), n.complement(n.x[1]))); }},
      {&logical_xor_op,
       [](N n) {
         const Id both = n.algebra().multiply(n.x[0], n.x[1]);
         return n.algebra().add(n.algebra().add(n.x[0], n.x[1]), n.algebra().scale(both, Dyadic(-2)));
       }},
      {&where_op, [](N n) { return branches::choose(n, n.x[0], n.x[1], n.x[2]); }},
      {&relu_op, branches::relu},
      {&abs_op, branches::abs},
      {&sign_op, branches::sign},
      {&maximum_op, [](N n) { return has_infinity(n) ? symmetric(n) : branches::maximum(n); }},
      {&minimum_op, [](N n) { return has_infinity(n) ? symmetric(n) : branches::minimum(n); }},

      {&logaddexp_op, symmetric},
      {&hypot_op, symmetric},
      {&sin_op, odd},
      {&tan_op, odd},
      {&asin_op, odd},
      {&atan_op, odd},
      {&sinh_op, odd},
      {&asinh_op, odd},
      {&atanh_op, odd},
      {&tanh_op, hyperbolic_tangent},
      {&erf_op, odd},
      {&cos_op, even},
      {&cosh_op, even},
      {&exp_op, exponential},
      {&sigmoid_op, [](N n) { return logistic(n, n.x[0]); }},
      {&softplus_op, [](N n) { return mirrored(n, [&](Id y) { return n.algebra().add(y, n.x[0]); }); }},
  };
  return kRules;
}

Id of_node(const Application& n) {
  if (n.full().numel() == 0) return n.number(0);  // an array without elements is every array without elements
  const Op& op = n.op();
  if (const auto rule = rules().find(&op); rule != rules().end()) return rule->second(n);
  if (!is_of_library(op)) return opaque(n, n.x);
  if (op.arity() == 1 && !op.variadic() && op.jvp.word == Rules::Word::linear) return linear(n);
  return op.block != nullptr && !n.x.empty() ? function(n) : opaque(n, n.x);
}

// Whether all elements are one finite number, and a double at that.
bool is_uniform(const Tensor& tensor) {
  const double first = tensor.at(0);
  if (!std::isfinite(first) || (tensor.dtype() == DType::i64 && std::abs(first) >= 0x1p53)) return false;
  for (std::size_t k = 1; k < tensor.numel(); ++k) {
    if (tensor.at(k) != first) return false;
  }
  return true;
}

bool is_finite(const Tensor& tensor) {
  for (std::size_t k = 0; k < tensor.numel(); ++k) {
    if (!std::isfinite(tensor.at(k))) return false;
  }
  return true;
}

}  // namespace

Id NormalForm::of_leaf(const Tape& tape, std::size_t index,
                       const std::map<const void*, const void*>& same_as) {
  const Node& node = tape.node(index);
  const Shape& full = tape.shape(node.shape);
  const Application n{*this, tape, index, {}, algebra_.shape(squeezed(full)), nullptr};
  if (full.numel() == 0) return n.number(0);
  Words key;
  if (node.op == &variable_op) {
    const void* identity = tape.variable_of(node).identity();
    const auto other = same_as.find(identity);
    key.push_back(std::bit_cast<std::uintptr_t>(other == same_as.end() ? identity : other->second));
  } else if (node.op == &constant_op) {
    const Tensor& tensor = tape.constant_of(node);
    if (is_uniform(tensor)) return n.number(tensor.at(0));
    const std::size_t bytes = byte_size(tensor.dtype(), tensor.numel());
    key.resize((bytes + 7) / 8 + 1);
    key[0] = static_cast<std::uint64_t>(node.dtype);
    std::memcpy(key.data() + 1, tensor.bytes(), bytes);
  } else {
    key.push_back(static_cast<std::uint64_t>(node.dtype));
    append(key, full);
    for (char letter : tape.name(index)) key.push_back(static_cast<unsigned char>(letter));
  }
  return algebra_.of_factor(algebra_.intern(atom_of(n, *node.op, {}, n.shape), key), all_axes(n, n.shape),
                            n.shape);
}

std::vector<Id> NormalForm::of(const Tape& tape, const std::map<const void*, const void*>& same_as) {
  std::vector<Id> values;
  std::vector<bool> infinite(tape.size(), false);
  values.reserve(tape.size());
  for (std::size_t i = 0; i < tape.size(); ++i) {
    const Node& node = tape.node(i);
    if (is_leaf(*node.op)) {
      values.push_back(of_leaf(tape, i, same_as));
      infinite[i] = node.op == &constant_op && !is_finite(tape.constant_of(node));
    } else {
      const Id shape = algebra_.shape(squeezed(tape.shape(node.shape)));
      Application n{*this, tape, i, {}, shape, &infinite};
      n.x.reserve(node.arity);
      infinite[i] = is_nonfinite(node, tape);
      for (std::uint32_t input : node.inputs()) {
        n.x.push_back(values[input]);
        infinite[i] = infinite[i] || (infinite[input] && node.dtype != DType::mask);
      }
      values.push_back(of_node(n));
    }
    if (node.dtype == DType::mask) bits_.insert(values.back());
    if (node.dtype == DType::i64) integers_.insert(values.back());
  }
  return values;
}

}  // namespace backdrop::proof

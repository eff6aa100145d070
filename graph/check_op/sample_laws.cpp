#include <fmt/format.h>

#include <algorithm>
#include <backdrop/core/error.hpp>
#include <backdrop/graph/gradient.hpp>
#include <backdrop/graph/rewrite.hpp>
#include <backdrop/ops/registry.hpp>

#include "laws.hpp"

namespace backdrop::laws {

namespace {

bool same_attribute(const AttrValue& a, const AttrValue& b) {
  return a.bits == b.bits && a.key == b.key && std::ranges::equal(a.ints, b.ints);
}

using Cases = std::vector<std::unique_ptr<Case>>;

Cases as_written(const Bench& b) {
  Cases out;
  for (const OpSample& sample : b.samples()) {
    for (const DType dtype : b.options().dtypes) out.push_back(make_case(b.op(), sample, dtype));
  }
  return out;
}

AttrValue setting(Case& c, std::size_t k) { return c.tape().attribute(c.tape().node(c.at), k); }

bool has_empty_input(Case& c) {
  const auto& leaves = c.maker.leaves();
  return std::any_of(leaves.begin(), leaves.end(), [](const auto& l) { return l.value.numel() == 0; }) ||
         make_case(c.op(), c.sample, c.maker.dtype(), Variant::empty) != nullptr;
}

// Settings near this one that the attribute may have.
std::vector<AttrValue> neighbours(const AttrSpec& spec, const AttrValue& now,
                                  std::vector<std::vector<std::int64_t>>& memory) {
  std::vector<AttrValue> out;
  const auto within = [&](double x) { return !spec.bounded || (x >= spec.low && x <= spec.high); };
  switch (spec.kind) {
    case AttrKind::real:
      for (const double x : {now.real() * 0.75 + 0.0625, now.real() + 0.5, now.real() - 0.5}) {
        if (within(x)) out.emplace_back(x);
      }
      break;
    case AttrKind::integer:
      for (const std::int64_t n : {now.integer() + 1, now.integer() - 1}) {
        if (within(static_cast<double>(n))) out.emplace_back(n);
      }
      break;
    case AttrKind::boolean:
      out.emplace_back(!now.boolean());
      break;
    case AttrKind::ints:
      for (const std::int64_t by : {1, -1}) {
        memory.emplace_back(now.ints.begin(), now.ints.end());
        for (std::int64_t& n : memory.back()) n += by;
        out.emplace_back(std::span<const std::int64_t>(memory.back()));
      }
      break;
    case AttrKind::key:
      out.emplace_back(Key{now.key.seed + 1, now.key.stream});
      break;
    case AttrKind::dtype:
      for (const DType d : {DType::f32, DType::f64}) out.emplace_back(d);
      break;
    default:
      break;
  }
  return out;
}

// Without what inference has no use for.
std::vector<Feed> fed(const Case& c, const Rewrite& rewrite) {
  std::vector<Feed> out;
  for (const SampleMaker::Leaf& leaf : c.maker.leaves()) {
    if (rewrite(leaf.var)) out.emplace_back(leaf.var, leaf.value);
  }
  return out;
}

// The value of the node, its vjp in every differentiable leaf, and what it is at inference.
std::vector<Tensor> outcome(Case& c, Var y, Var g) {
  std::vector<Var> vars{y};
  const std::vector<Var> xs = c.maker.differentiable();
  if (g && !xs.empty()) {
    for (Var v : vjp(y, xs, g)) vars.push_back(v);
  }
  std::vector<Tensor> out = values(c, vars);
  if (c.op().inference != nullptr) {
    const Rewrite inference = without_dropout(c.tape());
    out.push_back(value(inference(y), {.feeds = fed(c, inference), .step = kStep, .threads = 1}));
  }
  return out;
}

// Whether the call with this setting is another function. Being refused is one, too: all settings tried are
// within the range of the attribute.
bool makes_a_difference(const Case& original, std::size_t k, const AttrValue& value) {
  const auto c = make_case(original.op(), original.sample, original.maker.dtype());
  SampledCall call = sampled(*c);
  if (same_attribute(call.attrs[k], value)) return false;
  call.attrs[k] = value;
  const Var now = c->tape().var(c->at);
  try {
    const Var then = c->tape().record(c->op(), call.inputs, call.attrs, Where::here());
    if (then.dtype() != now.dtype() || then.shape() != now.shape()) return true;
    const Var g = is_float(now.dtype()) ? c->direction(now) : Var{};
    const std::vector<Tensor> a = outcome(*c, now, g), b = outcome(*c, then, g);
    return !std::equal(a.begin(), a.end(), b.begin(), b.end(),
                       [](const Tensor& x, const Tensor& y) { return x.same_bits(y); });
  } catch (const Error&) {  // what only the numbers tell, say an index out of range
    return true;
  }
}

bool has_effect(const Bench& b, std::size_t k) {
  const Cases cases = as_written(b);
  for (const auto& c : cases) {
    if (c->sample.traits.large) continue;
    std::vector<std::vector<std::int64_t>> memory;
    memory.reserve(2);
    for (const AttrValue& value : neighbours(b.op().attrs[k], setting(*c, k), memory)) {
      if (makes_a_difference(*c, k, value)) return true;
    }
    for (const auto& other : cases) {
      if (makes_a_difference(*c, k, setting(*other, k))) return true;
    }
  }
  return false;
}

}  // namespace

void samples(Bench& b) {
  b.look();
  const Op& op = b.op();
  const std::string name = op.name;
  if (op.infer == nullptr || (!op.has_kernel() && !op.is_composite())) {
    return b.fail(name + ": an op needs infer, and block, eval or body");
  }
  const Op* known = find_op(name);
  if (known != nullptr && known != &op)
    b.fail(name + ": the library has an op of this name, so none can be loaded");
  const Cases cases = as_written(b);
  for (std::size_t k = 0; k < op.attr_count(); ++k) {
    if (op.attrs[k].kind == AttrKind::key) continue;
    const bool varies = std::any_of(cases.begin(), cases.end(), [&](const auto& c) {
      return !same_attribute(setting(*c, k), setting(*cases[0], k));
    });
    if (!varies) b.fail(fmt::format("{}: all samples set '{}' alike", name, op.attrs[k].name));
  }
  const auto any = [&](auto&& has) {
    return std::any_of(cases.begin(), cases.end(), [&](const auto& c) { return has(*c); });
  };
  if (op.arity() > 0 && !any(has_empty_input)) b.fail(name + ": no sample has an empty input");
  const auto smooth = [](Case& c) { return c.sample.traits.smooth && !c.sample.traits.large; };
  if (any(has_derivatives) && !any(smooth))
    b.fail(name + ": no sample is smooth, so no derivative is compared");
}

void attributes(Bench& b) {
  for (std::size_t k = 0; k < b.op().attr_count(); ++k) {
    b.look();
    if (!has_effect(b, k)) {
      b.fail(fmt::format("{}: the attribute '{}' has no effect on type, value or derivative", b.op().name,
                         b.op().attrs[k].name));
    }
  }
}

}  // namespace backdrop::laws

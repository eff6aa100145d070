#include "cases.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <backdrop/core/error.hpp>
#include <backdrop/graph/gradient.hpp>
#include <backdrop/ops/arithmetic.hpp>
#include <backdrop/ops/reduce.hpp>
#include <cmath>
#include <cstring>
#include <limits>

namespace backdrop {

namespace {

const char* text(Variant variant) {
  switch (variant) {
    case Variant::scalar:
      return ", rank 0";
    case Variant::empty:
      return ", empty";
    case Variant::large:
      return ", large";
    default:
      return "";
  }
}

std::size_t find_sampled(const Tape& tape, const Op* op) {
  for (std::size_t i = 0; i < tape.size(); ++i) {
    if (tape.node(i).op == op) return i;
  }
  throw GraphError("the sample does not record " + std::string(op->name));
}

// Whether the op acts on each element by itself, so that it can be recorded on any shape.
bool is_elementwise(const Call& c) {
  const Op& op = *c.node.op;
  if (op.block == nullptr && op.structure != Structure::diagonal) return false;
  for (std::size_t k = 0; k < c.arity(); ++k) {
    if (c.type(k).shape != c.node.shape) return false;
  }
  return c.arity() > 0;
}

// The elements of `from` repeated to fill `shape`.
Tensor tiled(const Tensor& from, const Shape& shape) {
  Tensor numbers = Tensor::uninitialized(shape, DType::f64);
  std::size_t k = 0;
  for (double& x : numbers.mutable_data<double>()) x = from.at(k++ % from.numel());
  return numbers.to(from.dtype());
}

Shape shape_of(Variant variant) {
  if (variant == Variant::scalar) return {};
  if (variant == Variant::empty) return {0, 3};
  return {40'009};  // more than two pieces for threads, and no whole byte of mask at the end
}

// The sampled op alone, on inputs of another size that hold the numbers it had.
bool record_resized(Case& out, Case& original) {
  const Call c = original.tape().call(original.at);
  if (!is_elementwise(c) || c.y.shape().numel() == 0) return false;
  std::vector<Var> inputs;
  for (std::size_t k = 0; k < c.arity(); ++k) inputs.push_back(c[k]);
  const Shape shape = shape_of(out.variant);
  const std::vector<Tensor> held = values(original, inputs);
  for (std::size_t k = 0; k < inputs.size(); ++k) {
    const Var x = out.maker.leaf(tiled(held[k], shape));
    for (const SampleMaker::Leaf& leaf : original.maker.leaves()) {
      if (leaf.var == inputs[k] && !leaf.differentiable) out.maker.fixed(x);
    }
    inputs[k] = x;
  }
  std::vector<AttrValue> attrs;
  for (std::size_t k = 0; k < c.node.op->attr_count(); ++k) {
    attrs.push_back(original.tape().attribute(c.node, k));
  }
  out.y = out.tape().record(*c.node.op, inputs, attrs, Where::here());
  return true;
}

}  // namespace

std::string name_of(const Op& op, const OpSample& sample, DType dtype, Variant variant) {
  const char* slash = std::strrchr(sample.where.file, '/');
  return fmt::format("{} [{}:{}], {}{}", op.name, slash == nullptr ? sample.where.file : slash + 1,
                     sample.where.line, name(dtype), text(variant));
}

std::string Case::name() const { return name_of(op(), sample, maker.dtype(), variant); }

std::vector<Case::Subset> Case::subsets() const {
  constexpr std::size_t kAllOf = 3;
  const std::vector<Var> xs = maker.differentiable();
  std::vector<Subset> out;
  const auto add = [&](const auto& chosen) {
    Subset subset{", in", {}};
    for (std::size_t k = 0; k < xs.size(); ++k) {
      if (!chosen(k)) continue;
      (subset.name += " ") += xs[k].name();
      subset.xs.push_back(xs[k]);
    }
    out.push_back(std::move(subset));
  };
  if (xs.size() <= kAllOf) {
    for (unsigned bits = 1; bits < 1U << xs.size(); ++bits) {
      add([bits](std::size_t k) { return (bits >> k & 1) != 0; });
    }
    return out;
  }
  for (std::size_t one = 0; one < xs.size(); ++one) add([one](std::size_t k) { return k == one; });
  add([](std::size_t) { return true; });
  return out;
}

std::unique_ptr<Case> make_case(const Op& op, const OpSample& sample, DType dtype, Variant variant) {
  auto written = std::make_unique<Case>(op, sample, dtype, Variant::as_written);
  written->y = sample.make(written->maker);
  written->at = find_sampled(written->tape(), &op);
  if (variant == Variant::as_written) return written;
  auto resized = std::make_unique<Case>(op, sample, dtype, variant);
  if (!record_resized(*resized, *written)) return nullptr;
  resized->at = resized->y.index();
  return resized;
}

std::vector<Tensor> values(const Case& c, std::span<const Var> vars, const HowToRun& how) {
  if (vars.empty()) return {};
  const Program program = compile(
      vars[0].tape(), {.outputs = {vars.begin(), vars.end()}, .updates = {}, .optimize = how.optimize});
  const Outputs outputs = program.run(c.maker.feeds(), {.step = how.step, .threads = how.threads});
  std::vector<Tensor> out;
  for (std::size_t k = 0; k < outputs.size(); ++k) out.push_back(outputs[k]);
  return out;
}

Tensor value_of(const Case& c, Var v) { return values(c, std::span<const Var>(&v, 1))[0]; }

Derivatives2 differentiate(Var y, std::span<const Var> xs, Var g, std::span<const Var> ts) {
  Derivatives2 out;
  out.reverse = vjp(y, xs, g);
  out.forward = jvp(y, xs, ts);
  Var contracted;
  for (std::size_t k = 0; k < xs.size(); ++k) {
    const Var term = sum(mul(out.reverse[k], ts[k]));
    contracted = contracted ? add(contracted, term) : term;
  }
  out.second = grad(contracted, xs);
  return out;
}

std::vector<Var> listed(const Derivatives2& d) {
  std::vector<Var> out = d.reverse;
  out.push_back(d.forward);
  out.insert(out.end(), d.second.begin(), d.second.end());
  return out;
}

std::vector<Var> results(Case& c) {
  std::vector<Var> out{c.y};
  const std::vector<Var> xs = c.maker.differentiable();
  if (!c.float_result() || xs.empty()) return out;
  const Var g = c.direction(c.y);
  std::vector<Var> ts;
  ts.reserve(xs.size());
  for (Var x : xs) ts.push_back(c.direction(x));
  for (Var v : listed(differentiate(c.y, xs, g, ts))) out.push_back(v);
  return out;
}

double epsilon_of(DType dtype) {
  return dtype == DType::f32 ? static_cast<double>(std::numeric_limits<float>::epsilon())
                             : std::numeric_limits<double>::epsilon();
}

double distance(const Tensor& a, const Tensor& b, double epsilon, double least) {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  if (a.shape() != b.shape()) return kInfinity;
  double largest = least, difference = 0;
  for (std::size_t k = 0; k < b.numel(); ++k) {
    const double x = a.at(k), y = b.at(k);
    if (x == y || (std::isnan(x) && std::isnan(y))) {
      if (std::isfinite(y)) largest = std::max(largest, std::abs(y));
      continue;
    }
    if (!std::isfinite(x) || !std::isfinite(y)) return kInfinity;
    largest = std::max(largest, std::abs(y));
    difference = std::max(difference, std::abs(x - y));
  }
  return difference <= 0 ? 0 : difference / (epsilon * largest);
}

}  // namespace backdrop

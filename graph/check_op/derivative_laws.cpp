#include <backdrop/graph/gradcheck.hpp>
#include <backdrop/graph/gradient.hpp>
#include <backdrop/graph/rewrite.hpp>
#include <backdrop/ops/arithmetic.hpp>
#include <cmath>

#include "laws.hpp"

namespace backdrop::laws {

namespace {

const std::initializer_list<Variant> kSmall{Variant::as_written, Variant::scalar, Variant::empty};

bool can_be_compared(const Bench& b, const Case& c) {
  return c.maker.dtype() == b.widest() && has_derivatives(c) && c.sample.traits.smooth &&
         !c.sample.traits.large;
}

// Samples that call themselves smooth have no kink near by: a verdict "kink" would hide a wrong derivative.
// A saturated function may leave nothing but rounding to see in some entries, not in most.
void compare(Bench& b, Case& c, Var y, CheckMode mode, bool forward) {
  const Report report =
      gradcheck(y, c.maker.differentiable(),
                {.mode = mode, .feeds = c.maker.feeds(), .step = kStep, .forward = forward});
  const std::size_t passed = report.count(Verdict::pass), inconclusive = report.count(Verdict::inconclusive);
  const bool good =
      report.count(Verdict::fail) == 0 && report.count(Verdict::kink) == 0 && inconclusive <= passed;
  if (!good) b.fail(c, to_string(report));
}

struct Product {
  double sum = 0, magnitude = 0;  // of all terms
};

void accumulate(Product& product, const Tensor& a, const Tensor& b) {
  for (std::size_t k = 0; k < a.numel(); ++k) {
    product.sum += a.at(k) * b.at(k);
    product.magnitude += std::abs(a.at(k) * b.at(k));
  }
}

// |<g, J t> - <J' g, t>| in units of epsilon times the size of their terms.
double disagreement(Case& c, std::span<const Var> xs) {
  const Var g = c.direction(c.y);
  std::vector<Var> ts;
  for (Var x : xs) ts.push_back(c.direction(x));
  std::vector<Var> wanted = vjp(c.y, xs, g);
  wanted.insert(wanted.end(), ts.begin(), ts.end());
  wanted.push_back(jvp(c.y, xs, ts));
  wanted.push_back(g);
  const std::vector<Tensor> v = values(c, wanted);
  Product reverse, forward;
  for (std::size_t k = 0; k < xs.size(); ++k) accumulate(reverse, v[k], v[xs.size() + k]);
  accumulate(forward, v[v.size() - 2], v[v.size() - 1]);
  const double magnitude = std::max(reverse.magnitude, forward.magnitude);
  const double difference = std::abs(reverse.sum - forward.sum);
  return difference == 0 ? 0 : difference / (magnitude * epsilon_of(c.maker.dtype()));
}

// The recording with leaf `a` wherever leaf `b` stood.
Rewrite with_one_for_two(const Tape& tape, Var a, Var b) {
  Rewrite out(tape);
  for (std::size_t i = 0; i < tape.size(); ++i) {
    if (i == b.index()) {
      out.map(i, out(a));
    } else {
      out.copy(i);
    }
  }
  return out;
}

std::vector<Tensor> run(const Case& c, Var skip, Var also, std::initializer_list<Var> vars) {
  std::vector<Feed> feeds;
  for (const SampleMaker::Leaf& leaf : c.maker.leaves()) {
    if (leaf.var == skip) continue;
    const auto& source = leaf.var == also ? c.maker.leaves().front() : leaf;
    feeds.emplace_back(leaf.var, source.value);
  }
  return value(vars, {.feeds = std::move(feeds), .step = kStep, .threads = 1});
}

// f(x, x) has the sum of both derivatives of f(a, b).
void check_tied(Bench& bench, Case& c, Var a, Var b) {
  const Var g = c.direction(c.y), t = c.direction(a);
  const Rewrite once = with_one_for_two(c.tape(), a, b);
  const std::vector<Tensor> alone =
      run(c, b, {}, {once(c.y), vjp(once(c.y), once(a), once(g)), jvp(once(c.y), once(a), once(t))});
  const Var both[] = {a, b}, tangents[] = {t, t};
  const std::vector<Var> parts = vjp(c.y, both, g);
  const std::vector<Tensor> apart = run(c, {}, b, {c.y, add(parts[0], parts[1]), jvp(c.y, both, tangents)});
  constexpr const char* kWhat[] = {"value", "vjp", "jvp"};
  for (std::size_t k = 0; k < alone.size(); ++k) {
    if (distance(alone[k], apart[k], epsilon_of(c.maker.dtype()), 1) <= 16) continue;
    bench.fail(c, fmt::format("{} = {}: the {} of one Var is {}, of two equal ones {}", b.name(), a.name(),
                              kWhat[k], to_string(alone[k]), to_string(apart[k])));
  }
}

}  // namespace

void reverse(Bench& b) {
  b.for_each(kSmall, [&](Case& c) {
    if (!can_be_compared(b, c)) return false;
    compare(b, c, c.y, CheckMode::full, false);
    return true;
  });
}

void forward(Bench& b) {
  b.for_each(kSmall, [&](Case& c) {
    if (!can_be_compared(b, c)) return false;
    compare(b, c, c.y, CheckMode::full, true);
    return true;
  });
}

void second_order(Bench& b) {
  b.for_each(kSmall, [&](Case& c) {
    if (!can_be_compared(b, c)) return false;
    compare(b, c, c.y, CheckMode::second_order, false);
    compare(b, c, c.y, CheckMode::second_order, true);
    const std::vector<Var> xs = c.maker.differentiable();
    std::vector<Var> ts;
    ts.reserve(xs.size());
    for (Var x : xs) ts.push_back(c.maker.fixed(c.direction(x)));
    const Report report =
        gradcheck(jvp(c.y, xs, ts), xs, {.mode = CheckMode::full, .feeds = c.maker.feeds(), .step = kStep});
    if (report.count(Verdict::fail) > 0) b.fail(c, "of the jvp: " + to_string(report));
    return true;
  });
}

void transposed(Bench& b) {
  b.for_each(kSmall, [&](Case& c) {
    if (!has_derivatives(c) || !c.sample.traits.smooth) return false;
    for (const Case::Subset& subset : c.subsets()) {
      const double off = disagreement(c, subset.xs);
      if (!(off <= 64)) {
        b.fail(c, fmt::format("{}: <g, J t> and <J' g, t> are {:g} epsilon apart", subset.name, off));
      }
    }
    return true;
  });
}

void tied(Bench& b) {
  b.for_each(kSmall, [&](Case& c) {
    const std::vector<Var> xs = c.maker.differentiable();
    if (!c.float_result() || xs.size() < 2 || !c.sample.traits.smooth) return false;
    if (xs[0] != c.maker.leaves().front().var) return false;
    bool looked = false;
    for (std::size_t k = 1; k < xs.size(); ++k) {
      if (xs[k].shape() != xs[0].shape() || xs[k].dtype() != xs[0].dtype()) continue;
      check_tied(b, c, xs[0], xs[k]);
      looked = true;
    }
    return looked;
  });
}

}  // namespace backdrop::laws

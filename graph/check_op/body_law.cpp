#include <fmt/format.h>

#include <backdrop/graph/gradient.hpp>
#include <backdrop/graph/rewrite.hpp>

#include "laws.hpp"

namespace backdrop::laws {

namespace {

// The recording with every node of the sampled composite opened.
Rewrite opened(const Tape& tape, const Op& op) {
  Rewrite out(tape);
  for (std::size_t i = 0; i < tape.size(); ++i) {
    if (tape.node(i).op == &op) {
      out.open(i);
    } else {
      out.copy(i);
    }
  }
  return out;
}

std::vector<Var> moved(const Rewrite& to, std::span<const Var> vars) {
  std::vector<Var> out;
  for (Var v : vars) out.push_back(to(v));
  return out;
}

// Value and derivatives of y, by the composite's own kernel and rules.
std::vector<Var> everything(Var y, std::span<const Var> xs, Var g, std::span<const Var> ts) {
  std::vector<Var> out{y};
  if (!xs.empty()) {
    for (Var v : listed(differentiate(y, xs, g, ts))) out.push_back(v);
  }
  return out;
}

// "value", "vjp in x0", "jvp", "second derivative in x0"
std::string what(std::size_t k, std::span<const Var> xs) {
  if (k == 0) return "value";
  if (k <= xs.size()) return fmt::format("vjp in {}", xs[k - 1].name());
  if (k == xs.size() + 1) return "jvp";
  return fmt::format("second derivative in {}", xs[k - xs.size() - 2].name());
}

void check_equal(Bench& b, const Case& c, std::span<const Var> xs, std::span<const Tensor> own,
                 std::span<const Tensor> body) {
  const Op& op = c.op();
  for (std::size_t k = 0; k < own.size(); ++k) {
    if (own[k].same_bits(body[k]) || (!op.exact && !is_float(own[k].dtype()))) continue;
    std::string by = "not the same bits";
    if (!op.exact) {
      const double off =
          distance(own[k], body[k], epsilon_of(own[k].dtype()), k == 0 ? 0 : 1);  // derivatives cancel
      if (off <= op.tolerance) continue;
      by = fmt::format("{:g} epsilon apart, and {:g} are allowed", off, op.tolerance);
    }
    b.fail(c, fmt::format("{} by the op {}, by its body {}: {}", what(k, xs), to_string(own[k]),
                          to_string(body[k]), by));
  }
}

void check_composite(Bench& b, Case& c, std::span<const Var> xs) {
  Var g;
  std::vector<Var> ts;
  if (!xs.empty()) g = c.direction(c.y);
  for (Var x : xs) ts.push_back(c.direction(x));
  const Rewrite body = opened(c.tape(), c.op());
  const std::vector<Var> inside =
      everything(body(c.y), moved(body, xs), xs.empty() ? g : body(g), moved(body, ts));
  const std::vector<Var> outside = everything(c.y, xs, g, ts);
  check_equal(b, c, xs, values(c, outside), values(c, inside));
}

void check_refolded(Bench& b, Case& c, const Tape& expected) {
  const Rewrite expanded = expand(c.tape());
  for (std::size_t i = 0; i < expanded.tape().size(); ++i) {
    const Op& op = *expanded.tape().node(i).op;
    if (op.is_composite()) b.fail(c, fmt::format("expand leaves {}", op.name));
  }
  const Rewrite fused = fuse(expanded.tape());
  if (same_recording(fused.tape(), expected)) return;
  b.fail(c, fmt::format("expanded and fused again it has {} nodes, or other ones; should be {}",
                        fused.tape().size(), expected.size()));
}

}  // namespace

void body(Bench& b) {
  if (!b.op().is_composite()) return;
  b.for_each({Variant::as_written, Variant::scalar, Variant::empty, Variant::large}, [&](Case& c) {
    check_composite(b, c, {});
    if (!c.float_result()) return true;
    for (const Case::Subset& subset : c.subsets()) check_composite(b, c, subset.xs);
    return true;
  });
}

// A rule may write dropout by hand: scale(mul(g, mask), s) of a leaky function. It is folded with or without
// the expansion.
void refold(Bench& b) {
  b.for_each({Variant::as_written, Variant::scalar, Variant::empty}, [&](Case& c) {
    check_refolded(b, c, c.tape());
    results(c);
    check_refolded(b, c, fuse(c.tape()).tape());
    return true;
  });
}

}  // namespace backdrop::laws

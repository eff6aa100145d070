#include <doctest/doctest.h>

#include <backdrop/backdrop.hpp>

#include "laws/cases.hpp"

using namespace backdrop;

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

void check_equal(const Case& c, const std::string& subset, std::span<const Tensor> own,
                 std::span<const Tensor> body) {
  const Op& op = c.op();
  for (std::size_t k = 0; k < own.size(); ++k) {
    const std::string what = k == 0 ? "value" : "derivative " + std::to_string(k);
    if (op.exact) {
      CHECK_MESSAGE(own[k].same_bits(body[k]), c.name() << subset << ": " << what << " by the op "
                                                        << to_string(own[k]) << ", by its body "
                                                        << to_string(body[k]));
    } else if (is_float(own[k].dtype())) {
      const double off =
          distance(own[k], body[k], epsilon_of(own[k].dtype()), k == 0 ? 0 : 1);  // derivatives cancel
      CHECK_MESSAGE(off <= op.tolerance, c.name() << subset << ": " << what << " by the op "
                                                  << to_string(own[k]) << ", by its body "
                                                  << to_string(body[k]) << ": " << off << " epsilon");
    }
  }
}

void check_composite(Case& c, const std::string& subset, std::span<const Var> xs) {
  Var g;
  std::vector<Var> ts;
  if (!xs.empty()) g = c.direction(c.y);
  for (Var x : xs) ts.push_back(c.direction(x));
  const Rewrite body = opened(c.tape(), c.op());
  const std::vector<Var> inside =
      everything(body(c.y), moved(body, xs), xs.empty() ? g : body(g), moved(body, ts));
  const std::vector<Var> outside = everything(c.y, xs, g, ts);
  check_equal(c, subset, values(c, outside), values(c, inside));
}

}  // namespace

TEST_CASE("a composite equals its body: value, vjp, jvp and second order") {
  for_each_case({Variant::as_written, Variant::scalar, Variant::empty, Variant::large}, [](Case& c) {
    if (!c.op().is_composite()) return;
    check_composite(c, "", {});
    if (!c.float_result()) return;
    for (const Case::Subset& subset : c.subsets()) check_composite(c, subset.name, subset.xs);
  });
}

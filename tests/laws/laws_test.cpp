#include <doctest/doctest.h>

#include <algorithm>
#include <backdrop/backdrop.hpp>

#include "laws/cases.hpp"

using namespace backdrop;

namespace {

// What these take that others refuse.
bool (*accepted_by(const Op& op))(std::size_t, DType) {
  constexpr std::string_view kAny[] = {"cast", "stop_gradient", "again", "checkpoint"};
  if (std::find(std::begin(kAny), std::end(kAny), op.name) != std::end(kAny)) {
    return [](std::size_t, DType) { return true; };
  }
  if (&op == &mul_op) return [](std::size_t k, DType dtype) { return k == 0 || dtype != DType::i64; };
  // What chooses among numbers, and computes nothing from them.
  constexpr const Op* kChoose[] = {&clip_op, &masked_fill_op, &tril_op, &triu_op};
  if (std::find(std::begin(kChoose), std::end(kChoose), &op) != std::end(kChoose)) {
    return [](std::size_t k, DType dtype) { return k == 0 && dtype == DType::i64; };
  }
  return nullptr;
}

// Every op of the library keeps the law, and it applies to at least so many of their cases.
void holds(OpLaw law, std::size_t least) {
  std::size_t cases = 0;
  for (const Op* op : all_ops()) {
    if (is_leaf(*op)) continue;
    const std::vector<OpSample> samples = samples_of(*op);
    if (samples.empty()) continue;  // seen below
    const OpReport report = check_op(*op, samples, {.laws = {law}, .accepts = accepted_by(*op)});
    CHECK(report);
    cases += report[law].cases;
  }
  CHECK(cases >= least);
}

}  // namespace

TEST_CASE("every op has samples, of empty inputs too, and in two settings of every attribute") {
  for (const Op* op : all_ops()) {
    if (is_leaf(*op)) continue;
    CHECK_MESSAGE(!samples_of(*op).empty(), op->name << " has no sample; add a row to tests/laws/samples/");
  }
  holds(OpLaw::samples, 150);
}

TEST_CASE("no attribute is without effect") { holds(OpLaw::attributes, 100); }

TEST_CASE("derivatives equal differences of values") {
  holds(OpLaw::reverse, 400);
  holds(OpLaw::forward, 400);
}

TEST_CASE("second derivatives equal differences of first ones") { holds(OpLaw::second_order, 400); }

TEST_CASE("jvp and vjp are transposes: <g, J t> = <J' g, t>") { holds(OpLaw::transposed, 800); }

TEST_CASE("the same Var in two places receives the sum of both derivatives") { holds(OpLaw::tied, 80); }

// A checker that trusted a wrong declaration would look at the wrong entries.
TEST_CASE("what an op declares of the structure of its Jacobian is so") { holds(OpLaw::structure, 300); }

TEST_CASE("no entry of a Jacobian lies outside of its pattern") {
  holds(OpLaw::sparsity, 400);
  std::size_t sparse = 0;
  for_each_case({Variant::as_written}, [&](Case& c) {
    if (c.maker.dtype() != DType::f64 || !c.float_result() || c.sample.traits.large) return;
    for (const Var x : c.maker.differentiable()) {
      const SparseJacobian found = sparse_jacobian(c.y, x, {.feeds = c.maker.feeds(), .step = kStep});
      sparse += found.column.size() < found.rows * found.columns ? 1 : 0;
    }
  });
  CHECK(sparse > 100);
}

TEST_CASE("an op on many inputs at once is the op on each") { holds(OpLaw::batch, 1000); }

TEST_CASE("a composite equals its body: value, vjp, jvp and second order") { holds(OpLaw::body, 400); }

// Inputs and directions are of size 1, and so is what cancels where a result is much smaller.
TEST_CASE("results and derivatives in f32 are near those in f64") { holds(OpLaw::precision, 500); }

TEST_CASE("the bits do not depend on optimisation, nor on the number of threads") {
  holds(OpLaw::schedule, 1500);
}

TEST_CASE("the bits do not depend on how many rows or elements a kernel is given at a time") {
  holds(OpLaw::panels, 700);
}

TEST_CASE("what is computed or recorded again is the same, and operands stay as they are") {
  holds(OpLaw::purity, 800);
}

TEST_CASE("a dumped and loaded recording dumps the same and runs to the same bits, derivatives too") {
  holds(OpLaw::reload, 1200);
}

TEST_CASE("fuse(expand(t)) is t again") { holds(OpLaw::refold, 1200); }

TEST_CASE("wrong types, attributes, Vars and numbers of inputs are refused with the tape as it was") {
  holds(OpLaw::refusals, 800);
}

// Value by value, vmap is right for any op, and slow.
TEST_CASE("every op of the library with a kernel of its own records many values at once") {
  for (const Op* op : all_ops()) {
    const bool elementwise = op->block != nullptr || op->arity() == 0 || is_leaf(*op);
    CHECK_MESSAGE((elementwise || op->eval == nullptr || op->batch != nullptr), op->name);
  }
}

#include "mutants/tally.hpp"

#include <backdrop/backdrop.hpp>

namespace backdrop {

namespace {

// Smaller changes are not looked for: a rule may round differently from its mutant.
constexpr double kVisible = 1e-5;

Report check(CheckMode mode, const Mutant& mutant, const Case& c, Var y, const std::vector<Var>& xs) {
  const bool either = mode == CheckMode::full || mode == CheckMode::directional;
  return gradcheck(y, xs,
                   {.mode = mode,
                    .feeds = c.maker.feeds(),
                    .step = 3,
                    .forward = either && mutant.place == Place::jvp,
                    .locate = false});
}

// A saturated function may leave nothing to see, be it right or wrong.
void try_mode(CheckMode mode, const Mutant& mutant, const Case& c, const Mutated& wrong, Tally& out) {
  if (!check(mode, mutant, c, c.y, c.maker.differentiable()).passed()) return;
  const Report report = check(mode, mutant, c, wrong.y, wrong.xs);
  Tally::Cell& cell = out.cells[static_cast<std::size_t>(mutant.fault)][static_cast<std::size_t>(mode)];
  ++cell.of;
  if (report.count(Verdict::fail) > 0) {
    ++cell.found;
    return;
  }
  constexpr const char* kPlaces[] = {"vjp", "jvp", "derivative"};
  out.missed.push_back(fmt::format("{}: {} in the {} of input {}, site {}, is not found by {}\n{}", c.name(),
                                   name(mutant.fault), kPlaces[static_cast<std::size_t>(mutant.place)],
                                   mutant.input, mutant.site, name(mode), to_string(report)));
}

bool is_usable(const Case& c) { return c.float_result() && !c.maker.differentiable().empty(); }

}  // namespace

bool promises(CheckMode mode, const Mutant& mutant) {
  const Place place = mutant.place;
  if (mutant.fault == Fault::second_order) return mode == CheckMode::second_order && place != Place::jvp;
  switch (mode) {
    case CheckMode::full:
    case CheckMode::directional:
      return true;
    case CheckMode::taylor:
      return place != Place::jvp;
    case CheckMode::dot_product:
      return place != Place::both;
    default:
      return false;
  }
}

Tally tally() {
  Tally out;
  for (const Op* op : all_ops()) {
    for (const auto& mutant : mutants_of(*op)) {
      bool told = false;
      for (const OpSample& sample : samples_of(*op)) {
        if (!sample.traits.smooth || sample.traits.large) continue;
        const auto c = make_case(*op, sample, DType::f64);
        if (!is_usable(*c)) continue;
        Mutated wrong;
        mutate(*c, *mutant, wrong);
        {
          const auto right = make_case(*op, sample, DType::f64);
          Mutated compared;
          mutate(*right, *mutant, compared);
          if (!(damage(*right, compared, *mutant) > kVisible)) continue;
        }
        told = true;
        for (std::size_t m = 0; m < kModes; ++m) {
          const auto mode = static_cast<CheckMode>(m);
          if (promises(mode, *mutant)) try_mode(mode, *mutant, *c, wrong, out);
        }
      }
      if (told) ++out.mutants;
    }
  }
  return out;
}

}  // namespace backdrop

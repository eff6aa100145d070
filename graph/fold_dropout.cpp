#include "fold_dropout.hpp"

#include <backdrop/core/op.hpp>
#include <backdrop/ops/arithmetic.hpp>
#include <backdrop/ops/compare.hpp>
#include <backdrop/ops/create.hpp>
#include <backdrop/ops/dropout.hpp>
#include <charconv>
#include <cmath>
#include <map>
#include <optional>

#include "uses.hpp"

namespace backdrop {

namespace {

// x, its mask and p of a dropout that ends in some node, and the inner node it passes through.
struct Match {
  std::uint32_t x, mask;
  double p;
  std::uint32_t inner;
};

// The p in [0, 1] with the shortest decimal for which `fits` holds, near `guess`.
template <class Fits>
std::optional<double> shortest_p(double guess, Fits fits) {
  const auto good = [&](double p) { return p >= 0 && p <= 1 && fits(p); };
  for (int digits = 1; digits <= 17; ++digits) {
    char text[40];
    const auto end =
        std::to_chars(text, text + sizeof text, guess, std::chars_format::scientific, digits - 1);
    double p = 0;
    std::from_chars(text, end.ptr, p);
    if (good(p)) return p;
  }
  for (double p : {std::nextafter(guess, 0.0), std::nextafter(guess, 1.0)}) {
    if (good(p)) return p;
  }
  return std::nullopt;
}

std::optional<double> p_of_scale(double s) {
  if (s == 0) return 1.0;
  return shortest_p(1 - 1 / s, [s](double p) { return keep_scale(p) == s; });
}

std::optional<double> p_of_divisor(double d) {
  return shortest_p(1 - d, [d](double p) { return 1 - p == d; });
}

// Of each node whether it is made of random numbers, and of constants beside them: numbers that they are
// compared with, but no masks, since a constant one may mean padding.
std::vector<bool> drawn_nodes(const Tape& tape) {
  std::vector<bool> drawn(tape.size(), false), constant(tape.size(), false);
  for (std::size_t i = 0; i < tape.size(); ++i) {
    const Node& node = tape.node(i);
    bool all_constant =
        node.dtype != DType::mask && node.op != &input_op && node.op != &variable_op && !node.op->random;
    bool any_drawn = node.op->random, all = true;
    for (std::uint32_t input : node.inputs()) {
      all_constant = all_constant && constant[input];
      any_drawn = any_drawn || drawn[input];
      all = all && (drawn[input] || constant[input]);
    }
    constant[i] = all_constant;
    drawn[i] = any_drawn && all;
  }
  return drawn;
}

class Finder {
 public:
  Finder(const Tape& tape, bool relaxed) : tape_(tape), relaxed_(relaxed) {}

  std::optional<Match> at(std::uint32_t index) const {
    const Node& node = tape_.node(index);
    if (node.op == &scale_op || (relaxed_ && node.op == &div_op)) return weighted_product(node);
    if (relaxed_ && node.op == &mul_op) return weighted_mask(node);
    return std::nullopt;
  }

 private:
  const Node& input(const Node& node, std::size_t k) const { return tape_.node(node.inputs()[k]); }
  double factor(const Node& scale) const { return tape_.attribute(scale, 0).real(); }
  std::optional<double> number(const Node& full) const {
    if (full.op != &full_op) return std::nullopt;
    return tape_.attribute(full, 1).real();
  }
  bool selects(const Node& mul) const { return mul.op == &mul_op && input(mul, 1).dtype == DType::mask; }

  // Where `node` divides by a number or scales: the p that stands for.
  std::optional<double> p_at(const Node& node) const {
    if (node.op == &scale_op) return p_of_scale(factor(node));
    if (node.op != &div_op) return std::nullopt;
    const auto divisor = number(input(node, 1));
    return divisor ? p_of_divisor(*divisor) : std::nullopt;
  }

  // mul(x, mask) * s, mul(x, mask) / d
  std::optional<Match> weighted_product(const Node& node) const {
    const Node& mul = input(node, 0);
    if (!selects(mul)) return std::nullopt;
    const auto p = p_at(node);
    if (!p) return std::nullopt;
    return Match{mul.inputs()[0], mul.inputs()[1], *p, node.inputs()[0]};
  }

  // x * (cast(mask) / d), x * (cast(mask) * s), on either side
  std::optional<Match> weighted_mask(const Node& node) const {
    for (std::size_t side : {0U, 1U}) {
      const Node& weight = input(node, side);
      if (weight.op != &scale_op && weight.op != &div_op) continue;
      const Node& cast = input(weight, 0);
      const auto p = p_at(weight);
      if (!p || cast.op != &cast_op || input(cast, 0).dtype != DType::mask) continue;
      return Match{node.inputs()[1 - side], cast.inputs()[0], *p, node.inputs()[side]};
    }
    return std::nullopt;
  }

  const Tape& tape_;
  bool relaxed_;
};

}  // namespace

Rewrite fold_dropout(const Tape& tape, bool relaxed, Masks masks) {
  const std::vector<std::uint32_t> uses_of = uses(tape);
  const Finder finder(tape, relaxed);
  const std::vector<bool> may_be_mask =
      masks == Masks::any ? std::vector<bool>(tape.size(), true) : drawn_nodes(tape);
  std::map<std::uint32_t, Match> matches;
  std::vector<bool> gone(tape.size(), false);
  for (std::uint32_t i = 0; i < tape.size(); ++i) {
    const auto match = finder.at(i);
    if (!match || uses_of[match->inner] != 1 || !may_be_mask[match->mask]) continue;
    matches.emplace(i, *match);
    gone[match->inner] = true;
  }
  Rewrite out(tape);
  for (std::uint32_t i = 0; i < tape.size(); ++i) {
    if (gone[i]) continue;
    const auto found = matches.find(i);
    if (found == matches.end()) {
      out.copy(i);
      continue;
    }
    const Match& match = found->second;
    out.stand_in(i, dropout(out.at(match.x), match.p, out.at(match.mask)));
  }
  return out;
}

}  // namespace backdrop

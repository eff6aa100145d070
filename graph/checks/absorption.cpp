#include "checks/absorption.hpp"

#include <algorithm>
#include <backdrop/core/error.hpp>
#include <backdrop/core/op.hpp>
#include <backdrop/graph/gradient.hpp>
#include <backdrop/ops/arithmetic.hpp>
#include <backdrop/ops/registry.hpp>
#include <cmath>

namespace backdrop::checking {

namespace {

// More nodes are not looked into.
constexpr std::size_t kMostNodes = 5000;

// What y needs and an input moves, the inputs themselves included.
std::vector<std::uint32_t> moving(const Replay& replay, Var y) {
  const Tape& tape = replay.tape();
  std::vector<bool> needed(y.index() + std::size_t{1}, false), moves = needed;
  needed.back() = true;
  for (std::size_t i = needed.size(); i-- > 0;) {
    for (std::uint32_t input : tape.node(i).inputs()) needed[input] = needed[input] || needed[i];
  }
  for (Var x : replay.inputs()) {
    if (x.index() < moves.size()) moves[x.index()] = true;
  }
  std::vector<std::uint32_t> out;
  for (std::uint32_t i = 0; i < moves.size(); ++i) {
    const Node& node = tape.node(i);
    for (std::uint32_t input : node.inputs()) moves[i] = moves[i] || moves[input];
    if (needed[i] && moves[i] && is_float(node.dtype)) out.push_back(i);
  }
  if (out.size() > kMostNodes) out.clear();
  return out;
}

// Far above rounding.
constexpr double kNudge = 0x1p-20;

void read_all(const Outputs& run, std::vector<std::vector<double>>& out) {
  out.resize(run.size());
  for (std::size_t k = 0; k < run.size(); ++k) {
    out[k].resize(run[k].numel());
    read_elements(run[k], out[k]);
  }
}

}  // namespace

Absorption::Absorption(const Replay& replay, Var y) : replay_(&replay) {
  Tape& tape = replay.tape();
  const Tape::Mark before = tape.mark();
  const std::vector<std::uint32_t> nodes = moving(replay, y);
  record_parts(nodes);
  if (!parts_.empty()) record_nudges(nodes, y);
  tape.rewind(before);
}

// What each operand that moves moves its node by, as the rules of the node's op say.
void Absorption::record_parts(const std::vector<std::uint32_t>& nodes) {
  Tape& tape = replay_->tape();
  const auto number_of = [&](std::uint32_t i) {
    return static_cast<std::size_t>(std::lower_bound(nodes.begin(), nodes.end(), i) - nodes.begin());
  };
  std::vector<Var> values, tangents, pushed;
  for (std::uint32_t i : nodes) values.push_back(tape.var(i));
  for (std::uint32_t i : nodes) {
    std::vector<Var> operands;
    for (std::uint32_t input : tape.node(i).inputs()) {
      const bool moves = std::binary_search(nodes.begin(), nodes.end(), input);
      const bool fresh = std::find(operands.begin(), operands.end(), tape.var(input)) == operands.end();
      if (moves && fresh) operands.push_back(tape.var(input));
    }
    if (operands.empty() || !is_of_library(*tape.node(i).op)) continue;
    for (std::size_t k = 0; k < operands.size(); ++k) {
      const Tape::Mark before = tape.mark();
      std::vector<Var> along;
      along.reserve(operands.size());
      for (Var x : operands) along.push_back(tape.constant(Tensor::zeros(x.shape(), x.dtype())));
      along[k] =
          tape.input("moved " + std::to_string(parts_.size()), operands[k].shape(), operands[k].dtype());
      try {
        pushed.push_back(jvp(tape.var(i), operands, along));
      } catch (const GraphError&) {  // no rule: nothing is known of it
        tape.rewind(before);
        continue;
      }
      tangents.push_back(along[k]);
      parts_.push_back({number_of(i), number_of(operands[k].index())});
    }
    const bool looked = !parts_.empty() && parts_.back().node == number_of(i);
    if (looked) looked_into_.push_back(number_of(i));
  }
  if (parts_.empty()) return;
  values_ = std::make_unique<Compiled>(*replay_, values);
  parts_moved_ = std::make_unique<Compiled>(*replay_, pushed, tangents);
  read_all(values_->run(), here_);
}

void Absorption::record_nudges(const std::vector<std::uint32_t>& nodes, Var y) {
  Tape& tape = replay_->tape();
  std::vector<Var> factors, now(y.index() + std::size_t{1});
  for (std::uint32_t i = 0; i < now.size(); ++i) now[i] = tape.var(i);
  for (std::size_t n = 0; n < nodes.size(); ++n) {
    const std::uint32_t i = nodes[n];
    if (is_leaf(*tape.node(i).op)) continue;
    std::vector<Var> inputs;
    for (std::uint32_t input : tape.node(i).inputs()) inputs.push_back(now[input]);
    now[i] = tape.record_again(tape, i, inputs);
    if (!std::binary_search(looked_into_.begin(), looked_into_.end(), n)) continue;
    factors.push_back(tape.input("factor " + std::to_string(n), now[i].shape(), now[i].dtype()));
    now[i] = mul(now[i], factors.back());
  }
  nudged_ = std::make_unique<Compiled>(*replay_, std::vector<Var>{now.back()}, factors);
}

void Absorption::evaluate(const Move& move) {
  const std::size_t inputs = replay_->at().size();
  for (std::size_t k = 0; k < inputs; ++k) values_->input(k) = replay_->at()[k];
  move(*values_);
  read_all(values_->run(), there_);
  for (std::size_t p = 0; p < parts_.size(); ++p) {
    Tensor& tangent = parts_moved_->input(inputs + p);
    const std::size_t operand = parts_[p].operand;
    for (std::size_t k = 0; k < tangent.numel(); ++k) {
      const double gone = there_[operand][k] - here_[operand][k];
      set_element(tangent, k, std::isfinite(gone) ? gone : 0);
    }
  }
  read_all(parts_moved_->run(), moved_);
}

bool Absorption::possible(const Move& move) {
  constexpr double kSmall = 0x1p-30;
  if (parts_.empty()) return false;
  evaluate(move);
  for (std::size_t p = 0; p < parts_.size(); ++p) {
    const std::vector<double>& value = here_[parts_[p].node];
    for (std::size_t k = 0; k < value.size(); ++k) {
      if (moved_[p][k] != 0 && std::fabs(moved_[p][k]) < kSmall * std::fabs(value[k])) return true;
    }
  }
  return false;
}

std::vector<bool> Absorption::swallowed(const Move& move) {
  if (parts_.empty()) return {};
  evaluate(move);
  const std::size_t inputs = replay_->at().size();
  bool any = false;
  for (std::size_t n = 0, p = 0; n < looked_into_.size(); ++n) {
    const std::size_t node = looked_into_[n];
    std::vector<double> whole(here_[node].size());
    for (; p < parts_.size() && parts_[p].node == node; ++p) {
      for (std::size_t k = 0; k < whole.size(); ++k) whole[k] += moved_[p][k];
    }
    Tensor& factors = nudged_->input(inputs + n);
    for (std::size_t k = 0; k < whole.size(); ++k) {
      const bool stays = whole[k] != 0 && std::isfinite(whole[k]) && there_[node][k] == here_[node][k];
      set_element(factors, k, stays ? 1 + kNudge : 1);
      any = any || stays;
    }
  }
  if (!any) return {};
  std::vector<std::vector<double>> nudged;
  read_all(nudged_->run(), nudged);
  std::vector<bool> out;
  for (std::size_t i = 0; i < nudged[0].size(); ++i) out.push_back(nudged[0][i] != here_.back()[i]);
  return out;
}

}  // namespace backdrop::checking

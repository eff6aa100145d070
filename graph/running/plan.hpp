#pragma once

#include <backdrop/core/op.hpp>
#include <backdrop/graph/program.hpp>
#include <backdrop/graph/rewrite.hpp>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "passes/passes.hpp"
#include "running/layout.hpp"

namespace backdrop::running {

class Workspace;

/// What goes in and comes out of a recording.
struct Ends {
  struct Input {
    DType dtype;
    Shape shape;
    std::optional<std::uint32_t> leaf;  // none: no target needs it
  };
  struct Publish {
    static constexpr std::uint32_t kNone = 0xFFFFFFFF;
    Variable variable;
    std::uint32_t result;
    std::uint32_t leaf = kNone;  // the Variable's own node
  };

  Ends(const Rewrite& lowered, const Targets& targets);
  /// The index of a node among the leaves.
  std::uint32_t leaf_of(std::uint32_t node) const;

  std::map<std::string, Input, std::less<>> inputs;
  std::vector<std::uint32_t> leaves;   // input and variable nodes, in order
  std::vector<std::uint32_t> results;  // distinct nodes behind outputs and updates
  std::vector<std::uint32_t> outputs;  // as indices of results
  std::vector<Publish> updates;
  bool random = false;
};

/// What a Program is: immutable but for the shelf of workspaces, one for each run under way at once.
struct Plan {
  enum class Order : std::uint8_t { grouped, one_by_one };

  Plan(std::shared_ptr<const Rewrite> lowered, Ends from_to, Order order);
  ~Plan();
  Plan(const Plan&) = delete;
  Plan& operator=(const Plan&) = delete;

  const Tape& tape() const { return recording->tape(); }
  std::uint32_t home(std::size_t node) const { return schedule.home[node]; }
  std::size_t steps() const;

  /// The same, node by node, for runs that look at every value.
  std::shared_ptr<const Plan> ungrouped() const;

  Workspace* borrow() const;
  void give_back(Workspace* workspace) const noexcept;

  std::shared_ptr<const Rewrite> recording;
  Ends ends;
  Order order;
  passes::Schedule schedule;
  passes::MemoryPlan memory;
  std::vector<Layout> groups;     // as schedule.groups
  std::vector<bool> in_place;     // of each result: whether it may be written over the old value
  std::size_t scratch_bytes = 0;  // that a thread needs
  std::size_t state_bytes = 0;    // that the folds of a group need

 private:
  void find_updates_in_place();

  std::deque<Shape> panel_shapes_;
  mutable std::mutex mutex_;
  mutable std::vector<std::unique_ptr<Workspace>> shelf_;
  mutable std::size_t made_ = 0;  // workspaces; the shelf has room for them all
  mutable std::shared_ptr<const Plan> ungrouped_;
};

}  // namespace backdrop::running

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
#include "running/operand.hpp"

namespace backdrop::running {

class Workspace;

/// One kernel call. Operands stand in the plan's table from `first` on: the output, then the inputs.
struct Kernel {
  Call call;
  std::uint32_t first;
  std::uint32_t places = 0;  ///< of a group's kernel: where in the table of places its operands stand
  bool repeated = false;     ///< the same for every panel
};

/// Kernels that run together: one, or a group that works panel by panel.
struct Step {
  std::uint32_t begin, end;
  std::size_t positions = 0;  ///< of a group; otherwise elements of the one output
  std::size_t panel = 0;      ///< positions worked on at a time; 0: no group
  std::size_t grain = 0;      ///< positions given to a thread at a time
};

/// What goes in and comes out of a recording.
struct Ends {
  struct Input {
    DType dtype;
    Shape shape;
    std::optional<std::uint32_t> node;  // none: no target needs it
  };
  struct Publish {
    static constexpr std::uint32_t kNone = 0xFFFFFFFF;
    Variable variable;
    std::uint32_t result;
    std::uint32_t leaf = kNone;  // the Variable's own node
  };

  Ends(const Rewrite& lowered, const Targets& targets);

  std::map<std::string, Input, std::less<>> inputs;
  std::vector<std::uint32_t> leaves;   // input and variable nodes
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

  /// The same, node by node, for runs that look at every value.
  std::shared_ptr<const Plan> ungrouped() const;

  Workspace* borrow() const;
  void give_back(Workspace* workspace) const noexcept;

  std::shared_ptr<const Rewrite> recording;
  Ends ends;
  Order order;
  passes::Schedule schedule;
  passes::MemoryPlan memory;
  std::vector<Kernel> kernels;
  std::vector<std::uint32_t> operands;  // nodes
  std::vector<Operand> places;          // of the kernels of groups
  std::vector<Step> steps;
  std::vector<Kernel> fixed;      // once per workspace
  std::vector<bool> in_place;     // of each result: whether it may be written over the old value
  std::size_t scratch_bytes = 0;  // that a thread needs

 private:
  void find_updates_in_place();
  void add_steps();
  void add_kernel(std::vector<Kernel>& to, std::uint32_t node);
  void add_group(const passes::Schedule::Step& group);

  std::deque<Shape> panel_shapes_;
  mutable std::mutex mutex_;
  mutable std::vector<std::unique_ptr<Workspace>> shelf_;
  mutable std::size_t made_ = 0;  // workspaces; the shelf has room for them all
  mutable std::shared_ptr<const Plan> ungrouped_;
};

}  // namespace backdrop::running

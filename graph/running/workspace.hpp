#pragma once

#include <backdrop/core/workers.hpp>
#include <new>
#include <span>
#include <vector>

#include "running/plan.hpp"

namespace backdrop::running {

/// The memory of one run: an arena, and tables that say where every operand lies.
class Workspace {
 public:
  explicit Workspace(const Plan& plan);
  ~Workspace();
  Workspace(const Workspace&) = delete;
  Workspace& operator=(const Workspace&) = delete;

  void bind(std::span<const Feed> feeds, int threads);
  void run(std::uint32_t step) { run_steps(plan_.steps.size(), step); }
  /// For plans without groups: looks at every value.
  void run_watched(const RunOptions& options);
  void publish();
  /// Lets go of the caller's tensors.
  void forget();
  const Tensor& output(std::size_t k) const { return results_[plan_.ends.outputs.at(k)]; }

 private:
  void set_threads(int threads);
  void bind_feeds(std::span<const Feed> feeds);
  void bind_leaves();
  void bind_results();
  void placed_outside(std::uint32_t node);
  void place(std::uint32_t node, void* data);

  void run_steps(std::size_t count, std::uint32_t step);
  void execute(const Kernel& kernel, std::size_t count, std::uint32_t step);
  void execute_group(const Step& group, std::uint32_t step);
  struct Panel;
  void execute_panel(const Kernel& kernel, const Panel& panel, std::uint32_t step);

  const Plan& plan_;
  void* arena_ = nullptr;
  std::byte* scratch_ = nullptr;       // plan_.scratch_bytes for each thread
  std::vector<Array> arrays_;          // as plan_.operands
  std::vector<const void*> pointers_;  // the same, as elementwise kernels take them
  std::vector<std::vector<std::uint32_t>>
      uses_;                            // operands of the nodes that are placed outside the arena ...
  std::vector<std::uint32_t> uses_of_;  // ... and by node, where in uses_ they stand
  std::vector<Tensor> leaves_;          // what each leaf is in this run
  std::vector<bool> fed_;
  std::vector<std::uint32_t> leaf_of_;    // node -> index of leaves
  std::vector<Tensor> results_, spares_;  // spares: what a Variable held before, memory for the next run
  std::vector<void*>
      old_;  // of each result: where the Variable lies that it is written over; null for others
  std::unique_ptr<Workers> workers_;
  Workers alone_{1};  // for kernels within a group
  int threads_asked_ = 0;
};

}  // namespace backdrop::running

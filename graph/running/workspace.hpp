#pragma once

#include <backdrop/core/workers.hpp>
#include <new>
#include <span>
#include <vector>

#include "running/plan.hpp"

namespace backdrop::running {

/// The memory of one run: an arena, and a table that says where the value of each node lies.
class Workspace {
 public:
  explicit Workspace(const Plan& plan);
  ~Workspace();
  Workspace(const Workspace&) = delete;
  Workspace& operator=(const Workspace&) = delete;

  void bind(std::span<const Feed> feeds, int threads);
  void run(std::uint32_t step);
  /// For plans without groups: looks at every value.
  void run_watched(const RunOptions& options);
  void publish();
  /// Lets go of the caller's tensors.
  void forget();
  const Tensor& output(std::size_t k) const { return results_[plan_.ends.outputs[k]]; }

 private:
  void set_threads(int threads);
  void bind_feeds(std::span<const Feed> feeds);
  void bind_leaves();
  void bind_results();
  void bind_views();

  void execute_parts(std::size_t begin, std::size_t end, std::uint32_t step);
  void execute(std::uint32_t node, std::uint32_t step);
  Array array(std::uint32_t node) const;

  const Plan& plan_;
  LargeArray<std::byte> arena_;
  LargeVector<std::byte> states_;     // of the folds of the group that runs
  LargeVector<std::byte> scratch_;    // plan_.scratch_bytes for each thread
  LargeArray<void*> data_;            // by node; null where a group keeps the value to itself
  std::vector<std::uint32_t> views_;  // of what lies outside of the arena, and may lie elsewhere in each run
  std::vector<Array> operands_;       // of the kernel that runs
  std::vector<Tensor> leaves_;        // what each leaf is in this run
  std::vector<bool> fed_;
  std::vector<Tensor> results_, spares_;  // spares: what a Variable held before, memory for the next run
  std::vector<void*>
      old_;  // of each result: where the Variable lies that it is written over; null for others
  std::unique_ptr<Workers> workers_;
  int threads_asked_ = 0;
};

}  // namespace backdrop::running

#pragma once

#include <backdrop/core/workers.hpp>
#include <cstddef>
#include <cstdint>

#include "running/layout.hpp"

namespace backdrop::running {

/// Where a group finds its operands in a run.
struct GroupMemory {
  void* const* data;           ///< by node: what lies in memory
  std::byte* states;           ///< of its folds
  std::byte* scratch;          ///< of all threads ...
  std::size_t scratch_stride;  ///< ... and from one to the next
};

/// All kernels of the group for some positions, then for the next ones.
void run_group(const Layout& group, const GroupMemory& memory, const Workers& workers, std::uint32_t step);

}  // namespace backdrop::running

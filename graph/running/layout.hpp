#pragma once

#include <deque>
#include <vector>

#include "passes/passes.hpp"
#include "running/operand.hpp"

namespace backdrop::running {

/// How a group is cut into panels, and where its kernels find their operands.
struct Layout {
  std::size_t positions;  ///< of the leading axes
  std::size_t panel;      ///< positions worked on at a time
  std::size_t grain;      ///< positions given to a thread at a time, which go through one state of each fold
  std::size_t scratch_bytes = 0;  ///< of a thread
  std::size_t state_bytes = 0;    ///< of all folds
  struct Part {
    std::uint32_t node;
    bool repeated;         ///< the same for all panels, and written before them
    bool streams = false;  ///< the output is made in scratch, and goes on to memory past the caches
    std::vector<Operand> operands = {};  ///< the output, then the inputs
    std::size_t states = 0;              ///< of a fold: where they lie, in bytes ...
    std::size_t state_bytes = 0;  ///< ... and how large each is; 0: no fold, it is computed panel by panel
  };
  std::vector<Part> parts = {};
  bool streams = false;  ///< whether any part does

  std::size_t pieces() const { return (positions + grain - 1) / grain; }
};

/// `shapes` keeps the shapes of panels.
Layout lay_out(const Tape& tape, const passes::Schedule& schedule, const passes::MemoryPlan& memory,
               const passes::Schedule::Step& group, std::deque<Shape>& shapes);

}  // namespace backdrop::running

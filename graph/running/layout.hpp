#pragma once

#include <backdrop/core/op.hpp>
#include <deque>
#include <span>
#include <vector>

#include "passes/passes.hpp"
#include "running/operand.hpp"

namespace backdrop::running {

/// How a group is cut into panels, and where its kernels find their operands.
struct Layout {
  std::size_t positions;  ///< of the leading axes
  std::size_t panel;      ///< positions worked on at a time
  std::size_t grain;      ///< positions given to a thread at a time, which go through one state of each fold
  std::size_t addresses = 0;      ///< in the scratch of a thread: where each operand lies, behind all panels
  std::size_t scratch_bytes = 0;  ///< of a thread
  std::size_t state_bytes = 0;    ///< of all folds
  /// The output and the inputs of each part, and of one that streams where the output goes to.
  std::vector<Operand> operands = {};
  struct Part {
    Call call;
    std::uint32_t first;          ///< of its operands
    bool repeated;                ///< the same for all panels, and written before them
    bool streams = false;         ///< the output is made in scratch, and goes on to memory past the caches
    std::size_t states = 0;       ///< of a fold: where they lie, in bytes ...
    std::size_t state_bytes = 0;  ///< ... and how large each is; 0: no fold, it is computed panel by panel

    const Op& op() const { return *call.node.op; }
  };
  std::vector<Part> parts = {};
  /// What lies in memory, and not at hand there: which operand, and how many bytes of the next panel are
  /// asked for after each kernel.
  struct Asked {
    std::uint32_t operand;
    std::size_t portion;
  };
  std::vector<Asked> asked = {};
  bool streams = false;  ///< whether any part does

  std::size_t pieces() const { return (positions + grain - 1) / grain; }
  std::span<const Operand> operands_of(const Part& part) const {
    return std::span(operands).subspan(part.first, 1 + part.call.arity() + (part.streams ? 1 : 0));
  }
};

/// `shapes` keeps the shapes of panels.
Layout lay_out(const Tape& tape, const passes::Schedule& schedule, const passes::MemoryPlan& memory,
               const passes::Schedule::Step& group, std::deque<Shape>& shapes);

}  // namespace backdrop::running

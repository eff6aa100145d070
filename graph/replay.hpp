#pragma once

#include <backdrop/graph/program.hpp>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

/// What the checks of derivatives stand on: a recording copied to a tape of its own, as a function of some of
/// its nodes and of nothing else.
namespace backdrop {

/// The nodes `inputs` become inputs of the private tape; what does not depend on them - masks, Variables,
/// feeds - is computed once, as recorded, and becomes constant. So random nodes keep their bits, and the
/// user's tape and Variables stay as they are.
class Replay {
 public:
  enum class Precision { recorded, f64 };

  /// With Precision::f64, every f32 tensor and dtype attribute becomes f64 (the values are the same).
  Replay(std::span<const Var> roots, std::span<const Var> inputs, const ValueOptions& options,
         Precision precision);

  Tape& tape() const { return *tape_; }
  /// The roots and inputs, on the private tape.
  const std::vector<Var>& roots() const { return roots_; }
  const std::vector<Var>& inputs() const { return inputs_; }
  /// Where the inputs stand: one value per input.
  const std::vector<Tensor>& at() const { return at_; }
  std::optional<std::uint32_t> step() const { return step_; }

 private:
  std::unique_ptr<Tape> tape_;
  std::vector<Var> roots_, inputs_;
  std::vector<Tensor> at_;
  std::optional<std::uint32_t> step_;
};

/// Outputs of a private tape as a function of its inputs, compiled once and run for many values.
class Compiled {
 public:
  Compiled(const Replay& replay, const std::vector<Var>& outputs, std::span<const Var> more_inputs = {},
           bool optimize = true);
  Compiled(const Compiled&) = delete;
  Compiled& operator=(const Compiled&) = delete;

  /// What input k is in the next run: those of the replay, then the others, which start as zeros.
  Tensor& input(std::size_t k) { return feeds_[k].value; }
  Outputs run() const {
    ++runs_;
    return program_.run(feeds_, {.step = step_, .threads = 1});
  }
  /// How often it ran.
  std::size_t runs() const { return runs_; }

 private:
  Program program_;
  std::optional<std::uint32_t> step_;
  std::vector<std::string> names_;
  std::vector<Feed> feeds_;
  mutable std::size_t runs_ = 0;
};

/// Element `flat` = `number`, rounded to the dtype of the tensor.
void set_element(Tensor& tensor, std::size_t flat, double number);

/// All elements of an f32 or f64 tensor.
void read_elements(const Tensor& tensor, std::span<double> out);

struct JacobianOptions {
  bool optimize = true;
  /// Of a block diagonal Jacobian (independent_blocks) one row or column of every block at once; the result
  /// is [elements of y, columns of a block].
  std::size_t blocks = 1;
  /// Seeds of various signs and sizes in place of 1, powers of two that are taken off again to the same bits:
  /// they show a rule that is not linear, and one that mixes the blocks.
  bool various_seeds = false;
};
/// dy/dx for each x as [elements of y, elements of x]: a run with a unit cotangent per row (dtype of x), or
/// a run with a unit tangent per column (dtype of y). y and xs are of the replay's tape, xs among its inputs.
std::vector<Tensor> jacobians_by_rows(const Replay& replay, Var y, std::span<const Var> xs,
                                      const JacobianOptions& options = {});
std::vector<Tensor> jacobians_by_columns(const Replay& replay, Var y, std::span<const Var> xs,
                                         const JacobianOptions& options = {});

/// "a", or "mul at train.cpp:12" for a node without a name.
std::string describe(Var v);

}  // namespace backdrop

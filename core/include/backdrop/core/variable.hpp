#pragma once

#include <backdrop/core/tensor.hpp>
#include <memory>
#include <string>

namespace backdrop {

/// A named tensor that lives outside tapes: a parameter, an optimiser's moment. A handle: copies refer to the
/// same value, and any number of tapes and Programs may share it. Its dtype and shape never change.
class Variable {
 public:
  Variable(std::string name, Tensor value);

  const std::string& name() const;
  const Tensor& value() const;
  DType dtype() const { return value().dtype(); }
  const Shape& shape() const { return value().shape(); }

  /// Replaces the value; throws ShapeError or DTypeError when `value` is of another type.
  void set(Tensor value);
  /// Exchanges the value with `value`, which must have the same type; cannot fail.
  void swap(Tensor& value) noexcept;

  /// Whether both refer to the same value.
  bool operator==(const Variable& other) const { return state_ == other.state_; }
  const void* identity() const { return state_.get(); }

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace backdrop

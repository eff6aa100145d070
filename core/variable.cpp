#include <backdrop/core/error.hpp>
#include <backdrop/core/variable.hpp>
#include <utility>

namespace backdrop {

struct Variable::State {
  std::string name;
  Tensor value;
};

Variable::Variable(std::string name, Tensor value)
    : state_(std::make_shared<State>(State{std::move(name), std::move(value)})) {}

const std::string& Variable::name() const { return state_->name; }
const Tensor& Variable::value() const { return state_->value; }

void Variable::set(Tensor value) {
  if (value.dtype() != dtype()) {
    throw DTypeError("variable '" + name() + "': " + to_string(value.dtype()) + " given for " +
                     to_string(dtype()) + "; convert with to()");
  }
  if (value.shape() != shape()) {
    throw ShapeError("variable '" + name() + "': " + to_string(value.shape()) + " given for " +
                     to_string(shape()));
  }
  state_->value = std::move(value);
}

void Variable::swap(Tensor& value) noexcept { std::swap(state_->value, value); }

}  // namespace backdrop

#include "along.hpp"

#include <string>

#include "infer.hpp"

namespace backdrop::along {

void require_axis(const Call& c) {
  backdrop::infer::require_float(c, 0);
  const std::int64_t at = c[axis];
  const Shape& shape = c.shape(0);
  if (at < 0 || at >= static_cast<std::int64_t>(shape.rank())) {
    throw ShapeError(std::string(c.name()) + ": axis " + std::to_string(at) + " is not within " +
                     to_string(shape));
  }
  if (shape[static_cast<std::size_t>(at)] == 0) {
    throw ShapeError(std::string(c.name()) + ": axis " + std::to_string(at) + " of " + to_string(shape) +
                     " has no elements");
  }
}

std::size_t leading(const Call& c, std::size_t) { return static_cast<std::size_t>(c[axis]); }

Type infer(const Call& c) {
  require_axis(c);
  return c.type(0);
}

}  // namespace backdrop::along

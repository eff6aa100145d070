#pragma once

#include <backdrop/core/dtype.hpp>
#include <backdrop/core/shape.hpp>
#include <cstddef>
#include <cstdint>

namespace backdrop::running {

/// Where a kernel of a group finds an operand.
struct Operand {
  enum class Place : std::uint8_t {
    whole,  ///< the same for every panel
    cut,    ///< a panel of what lies in memory
    panel,  ///< in the scratch of the thread
  };
  std::uint32_t node;
  DType dtype;
  Place place = Place::whole;
  std::size_t offset = 0;        ///< of a panel, in bytes
  std::size_t per_position = 0;  ///< elements at each position
  std::size_t stride = 0;        ///< bytes from a panel of what is cut to the next
  const Shape* panel = nullptr;  ///< its shape in a panel, and in the last one
  const Shape* last = nullptr;
};

}  // namespace backdrop::running

#include "spatial.hpp"

#include <algorithm>
#include <backdrop/core/error.hpp>
#include <string>

namespace backdrop::spatial {

namespace {

[[noreturn]] void throw_list(const char* op, const char* what, std::size_t size, std::int64_t least) {
  throw ShapeError(std::string(op) + ": '" + what + "' takes " + std::to_string(size) +
                   (size == 1 ? " number" : " numbers") + " from " + std::to_string(least) + " to 2^30");
}

}  // namespace

void require_list(const char* op, const char* what, Ints list, std::size_t size, std::int64_t least) {
  const bool fits = list.size() == size &&
                    std::ranges::all_of(list, [least](std::int64_t n) { return n >= least && n <= kMost; });
  if (!fits) throw_list(op, what, size, least);
}

std::vector<std::int64_t> per_axis(const char* op, const char* what, const std::vector<std::int64_t>& given,
                                   std::size_t axes) {
  if (given.size() == axes) return given;
  if (given.size() == 1) return std::vector<std::int64_t>(axes, given[0]);
  throw ShapeError(std::string(op) + ": '" + what + "' has " + std::to_string(given.size()) +
                   " numbers; give one, or one for each of the " + std::to_string(axes) + " axes");
}

std::vector<std::int64_t> per_side(const char* op, const std::vector<std::int64_t>& given, std::size_t axes) {
  if (given.size() == 2 * axes) return given;
  const std::vector<std::int64_t> side = per_axis(op, "padding", given, axes);
  std::vector<std::int64_t> both = side;
  both.insert(both.end(), side.begin(), side.end());
  return both;
}

std::int64_t count_windows(const char* op, std::int64_t padded, std::int64_t span, std::int64_t stride) {
  if (padded < span) {
    throw ShapeError(std::string(op) + ": the kernel reaches over " + std::to_string(span) +
                     " positions, more than the " + std::to_string(padded) + " of the padded input");
  }
  return (padded - span) / stride + 1;
}

std::vector<std::int64_t> joined(Ints leading, Ints last) {
  std::vector<std::int64_t> extents(leading.begin(), leading.end());
  extents.insert(extents.end(), last.begin(), last.end());
  return extents;
}

std::int64_t product(Ints list) {
  std::int64_t n = 1;
  for (std::int64_t extent : list) n *= extent;
  return n;
}

}  // namespace backdrop::spatial

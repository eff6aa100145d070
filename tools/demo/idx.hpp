#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <vector>

namespace backdrop::demo {

/// An array of unsigned bytes, as the MNIST family of data sets stores images and labels.
struct Idx {
  std::vector<std::int64_t> extents;
  std::vector<std::uint8_t> bytes;  ///< row-major
};

/// Reads an IDX file of unsigned bytes with `rank` axes, gzip'd or not: two zero bytes, 8 (the type), the
/// rank, the extents as big-endian 32-bit numbers, the elements (http://yann.lecun.com/exdb/mnist). Throws
/// ValueError when the file cannot be read, is something else, is too large, or ends early or late.
Idx read_idx(const std::filesystem::path& path, std::size_t rank);

}  // namespace backdrop::demo

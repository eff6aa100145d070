#pragma once

#include <backdrop/core/random.hpp>
#include <backdrop/core/tensor.hpp>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>

namespace backdrop::demo {

/// Examples and their classes: images f32 [n, features], labels i64 [n].
struct Examples {
  Tensor images;
  Tensor labels;

  std::int64_t count() const { return labels.shape()[0]; }
  std::int64_t features() const { return images.shape()[1]; }
  /// The examples at these places, one after the other.
  Examples at(std::span<const std::int64_t> places) const;
};

/// The first n examples.
Examples first(const Examples& examples, std::int64_t n);

struct Dataset {
  std::string name;
  std::int64_t classes = 0;
  Examples train, test;
};

/// The four gzip'd files of Fashion-MNIST in a directory, pixels scaled to [0, 1]; nothing when none of them
/// is there. Throws ValueError when some are missing, unreadable or do not fit each other.
std::optional<Dataset> load_fashion_mnist(const std::filesystem::path& directory);

}  // namespace backdrop::demo

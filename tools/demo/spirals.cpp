#include "demo/spirals.hpp"

#include <cmath>
#include <numbers>

namespace backdrop::demo {

namespace {

constexpr double kTurns = 1.75;

// Uniform in [0, 1): of the four words of a block, a point uses three, for its radius and two shifts.
double unit(std::uint32_t word) { return static_cast<double>(word) * 0x1p-32; }

// Points number `begin` and following; even ones lie on the one spiral, odd ones on the other.
Examples draw(std::int64_t begin, std::int64_t count, double noise, Key key) {
  Examples points{Tensor::uninitialized(Shape{count, 2}, DType::f32),
                  Tensor::uninitialized(Shape{count}, DType::i64)};
  const auto coordinates = points.images.mutable_data<float>();
  const auto labels = points.labels.mutable_data<std::int64_t>();
  for (std::size_t k = 0; k < labels.size(); ++k) {
    const auto words = random_block(key, 0, static_cast<std::uint64_t>(begin) + k);
    const auto label = static_cast<std::int64_t>(k % 2);
    const double radius = std::sqrt(unit(words[0]));  // the same density along the spiral
    const double angle =
        2 * std::numbers::pi * kTurns * radius + std::numbers::pi * static_cast<double>(label);
    coordinates[2 * k] = static_cast<float>(radius * std::cos(angle) + noise * (2 * unit(words[1]) - 1));
    coordinates[2 * k + 1] = static_cast<float>(radius * std::sin(angle) + noise * (2 * unit(words[2]) - 1));
    labels[k] = label;
  }
  return points;
}

}  // namespace

Dataset two_spirals(std::int64_t train, std::int64_t test, double noise, Key key) {
  return {"two spirals", 2, draw(0, train, noise, key), draw(train, test, noise, key)};
}

}  // namespace backdrop::demo

#pragma once

#include <backdrop/core/random.hpp>

#include "demo/dataset.hpp"

namespace backdrop::demo {

/// Points in the plane on two spirals wound into each other, with noise; the class says which spiral. Needs
/// no files: the demo's data where Fashion-MNIST is not installed. `noise` is the largest shift along an
/// axis.
Dataset two_spirals(std::int64_t train, std::int64_t test, double noise, Key key);

}  // namespace backdrop::demo

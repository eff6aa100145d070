#pragma once

#include <backdrop/graph/gradient.hpp>
#include <backdrop/graph/program.hpp>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <utility>
#include <vector>

#include "hand/buffer.hpp"
#include "measure.hpp"

namespace backdrop::bench {

/// Runs of a Program, each at a step of its own.
inline Sampler run_sampler(Program program, std::vector<Feed> feeds = {}, int threads = 1) {
  return sampler([program = std::move(program), feeds = std::move(feeds), threads, step = 0U]() mutable {
    program.run(feeds, {.step = step++, .threads = threads});
  });
}

/// y and the cotangents of xs, from the cotangent g of y.
inline Program forward_backward(Var y, const std::vector<Var>& xs, Var g) {
  std::vector<Var> outputs = vjp(y, xs, g);
  outputs.insert(outputs.begin(), y);
  return compile(y.tape(), {.outputs = outputs, .updates = {}});
}

inline Sampler memcpy_sampler(std::size_t floats) {
  const auto from = std::make_shared<hand::Buffer<float>>(floats);
  const auto to = std::make_shared<hand::Buffer<float>>(floats);
  return sampler([from, to] { std::memcpy(to->data(), from->data(), from->size() * sizeof(float)); });
}

}  // namespace backdrop::bench

#pragma once

#include <backdrop/core/tape.hpp>
#include <cstdint>
#include <span>
#include <vector>

namespace backdrop {

/// By node: how many inputs of other nodes it is, and how often it is a root.
std::vector<std::uint32_t> uses(const Tape& tape, std::span<const Var> roots = {});

}  // namespace backdrop

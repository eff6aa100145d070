#pragma once

#include <backdrop/core/op.hpp>
#include <span>
#include <string_view>

namespace backdrop {

/// Every op of the library, the leaves included: what loading, the laws and docs/ops.md go through.
std::span<const Op* const> all_ops();

/// The op called `name`, or nullptr.
const Op* find_op(std::string_view name);

/// Whether it is an op of the library, which the laws hold to what it says, and not one of a user's own.
inline bool is_of_library(const Op& op) { return find_op(op.name) == &op; }

}  // namespace backdrop

#pragma once

#include <backdrop/core/op.hpp>
#include <span>
#include <string_view>

namespace backdrop {

/// Every op of the library, the leaves included: what loading, the laws and docs/ops.md go through.
std::span<const Op* const> all_ops();

/// The op called `name`, or nullptr.
const Op* find_op(std::string_view name);

}  // namespace backdrop

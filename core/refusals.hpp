#pragma once

#include <backdrop/core/op.hpp>

/// What recording throws. Apart from where it is thrown, so that the making of texts does not slow the rest.
namespace backdrop::refusals {

[[noreturn]] void throw_full();
[[noreturn]] void throw_unrecorded(const Op& op);
/// Throws ShapeError unless the op takes so many inputs.
void require_arity(const Op& op, std::size_t inputs);
[[noreturn]] void throw_too_many_attributes(const Op& op);
[[noreturn]] void throw_missing(const Op& op, const AttrSpec& spec);
[[noreturn]] void throw_range(const Op& op, const AttrSpec& spec, double number);
[[noreturn]] void throw_kind(const Op& op, const AttrSpec& spec, AttrKind given);

}  // namespace backdrop::refusals

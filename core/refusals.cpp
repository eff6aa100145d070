#include "refusals.hpp"

#include <backdrop/core/error.hpp>
#include <string>

#include "number_text.hpp"

namespace backdrop {

namespace refusals {

namespace {

const char* kind_name(AttrKind kind) {
  constexpr const char* kNames[] = {"nothing", "a real", "an integer", "a boolean", "a list of integers",
                                    "a key",   "a dtype"};
  return kNames[static_cast<std::size_t>(kind)];
}

}  // namespace

void throw_full() { throw TapeError("tape: more than 2^32 - 2 nodes"); }

void throw_unrecorded(const Op& op) {
  throw TapeError(std::string(op.name) + ": an input is a Var that was never recorded");
}

void require_arity(const Op& op, std::size_t inputs) {
  const std::size_t arity = op.arity();
  const bool on_stack = op.block != nullptr || op.by_panels;  // where such kernels find their operands
  const std::size_t least = op.variadic() ? arity - 1 : arity;
  const std::size_t most = !op.variadic() ? arity : on_stack ? kMaxInputs : Node::kMost;
  if (inputs >= least && inputs <= most) return;
  throw ShapeError(std::string(op.name) + ": " + std::to_string(inputs) + " inputs given, takes " +
                   std::to_string(least) + (least == most ? "" : " to " + std::to_string(most)));
}

void throw_too_many_attributes(const Op& op) {
  throw ValueError(std::string(op.name) + ": too many attributes given");
}

void throw_missing(const Op& op, const AttrSpec& spec) {
  throw ValueError(std::string(op.name) + ": attribute '" + spec.name + "' is missing");
}

void throw_range(const Op& op, const AttrSpec& spec, double number) {
  throw ValueError(std::string(op.name) + ": " + spec.name + " = " + number_text(number) + " lies outside [" +
                   number_text(spec.low) + ", " + number_text(spec.high) + "]");
}

void throw_kind(const Op& op, const AttrSpec& spec, AttrKind given) {
  throw ValueError(std::string(op.name) + ": attribute '" + spec.name + "' is " + kind_name(spec.kind) +
                   ", but " + kind_name(given) + " was given");
}

}  // namespace refusals

void throw_foreign_attribute(const Op& op, const char* name) {
  throw ValueError(std::string(op.name) + ": has no attribute '" + name + "'");
}

}  // namespace backdrop

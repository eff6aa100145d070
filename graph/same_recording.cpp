#include <algorithm>
#include <backdrop/core/op.hpp>
#include <backdrop/graph/rewrite.hpp>
#include <string_view>

#include "same_node.hpp"

namespace backdrop {

namespace {

bool same_attribute(const AttrValue& a, const AttrValue& b) {
  return a.kind == b.kind && a.bits == b.bits && a.key == b.key && std::ranges::equal(a.ints, b.ints);
}

bool same_variable(const Variable& a, const Variable& b) {
  return a == b || (a.name() == b.name() && a.value().same_bits(b.value()));
}

bool same_place(const Tape& a, const Node& x, const Tape& b, const Node& y) {
  return x.line == y.line && std::string_view(a.where(x).file) == b.where(y).file &&
         a.scope_of(x) == b.scope_of(y);
}

}  // namespace

bool same_node(const Tape& a, const Node& x, const Tape& b, const Node& y) {
  if (x.op != y.op || x.dtype != y.dtype || a.shape(x.shape) != b.shape(y.shape)) return false;
  if (!std::ranges::equal(x.inputs(), y.inputs())) return false;
  if (x.op == &constant_op && !a.constant_of(x).same_bits(b.constant_of(y))) return false;
  if (x.op == &variable_op && !same_variable(a.variable_of(x), b.variable_of(y))) return false;
  for (std::size_t k = 0; k < x.op->attr_count(); ++k) {
    if (!same_attribute(a.attribute(x, k), b.attribute(y, k))) return false;
  }
  return true;
}

bool same_recording(const Tape& a, const Tape& b) {
  if (a.size() != b.size()) return false;
  for (std::size_t i = 0; i < a.size(); ++i) {
    const Node& x = a.node(i);
    const Node& y = b.node(i);
    if (!same_node(a, x, b, y) || !same_place(a, x, b, y) || a.name(i) != b.name(i)) return false;
  }
  return true;
}

}  // namespace backdrop

#include <backdrop/core/error.hpp>
#include <backdrop/core/op.hpp>
#include <backdrop/core/tape.hpp>
#include <optional>

#include "refusals.hpp"

namespace backdrop {

constinit const Op input_op{.name = "input", .formula = "fed at each run"};
constinit const Op variable_op{.name = "variable", .formula = "the Variable's value at the start of a run"};
constinit const Op constant_op{.name = "constant", .formula = "always the same tensor"};

namespace {

// Names stand without gaps, so two of them tell whether the op has so many inputs.
bool takes(const Op& op, std::size_t inputs) {
  return inputs < kMaxInputs && op.inputs[inputs] == nullptr &&
         (inputs == 0 || op.inputs[inputs - 1] != nullptr);
}

// A number outside the range of its attribute, if `value` is one.
std::optional<double> outlier(const AttrSpec& spec, const AttrValue& value) {
  const bool real = spec.kind == AttrKind::real;
  if (!spec.bounded || (!real && spec.kind != AttrKind::integer)) return std::nullopt;
  const double number = real ? value.real() : static_cast<double>(value.integer());
  if (number >= spec.low && number <= spec.high) return std::nullopt;
  return number;
}

}  // namespace

Var Call::with_input(std::size_t at, Var replacement) const {
  Var stack[kMaxInputs];
  std::vector<Var> heap;
  Var* inputs = stack;
  if (arity() > kMaxInputs) {
    heap.resize(arity());
    inputs = heap.data();
  }
  for (std::size_t k = 0; k < arity(); ++k) inputs[k] = k == at ? replacement : (*this)[k];
  return tape.record_again(tape, y.index(), {inputs, arity()});
}

Tape::Tape() {
  shapes_.next() = Shape{};
  shapes_.commit();
  files_.emplace_back();
  scopes_.emplace_back();
}

Tape::~Tape() = default;

Var Tape::input(std::string_view name, const Shape& shape, DType dtype, Where where) {
  require_input_name(name);
  const Var v = append_leaf(input_op, 0, dtype, shape, where);
  set_name(v, name);
  return v;
}

Var Tape::variable(const Variable& variable, Where where) {
  if (const auto found = variable_nodes_.find(variable.identity()); found != variable_nodes_.end()) {
    return var(found->second);
  }
  variables_.push_back(variable);
  const Var v = append_leaf(variable_op, variables_.size() - 1, variable.dtype(), variable.shape(), where);
  variable_nodes_.emplace(variable.identity(), v.index());
  set_name(v, variable.name());
  return v;
}

Var Tape::variable(std::string_view name, Tensor value, Where where) {
  return variable(Variable(std::string(name), std::move(value)), where);
}

Var Tape::constant(Tensor value, Where where) {
  constants_.push_back(std::move(value));
  const Tensor& kept = constants_.back();
  return append_leaf(constant_op, constants_.size() - 1, kept.dtype(), kept.shape(), where);
}

Var Tape::append_leaf(const Op& op, std::size_t payload, DType dtype, const Shape& shape, Where where) {
  if (size() >= kMaxNodes) refusals::throw_full();
  Node& node = nodes_.next();
  node = Node{};
  node.op = &op;
  node.in[0] = static_cast<std::uint32_t>(payload);
  node.dtype = dtype;
  node.shape = intern(shape);
  write_place(node, where);
  return commit(op);
}

Var Tape::record(const Op& op, std::span<const Var> inputs, std::span<const AttrValue> attrs, Where where) {
  for (const Var& v : inputs) {
    if (!is_current(v)) check_input(op, v);
  }
  if (size() >= kMaxNodes) refusals::throw_full();
  if (!takes(op, inputs.size())) refusals::require_arity(op, inputs.size());
  const WordPool::Mark words = words_.mark();
  try {
    Node& node = nodes_.next();
    node = Node{};
    node.op = &op;
    write_inputs(node, inputs);
    if (!attrs.empty() || op.attrs[0].name != nullptr) write_attrs(node, op, attrs);
    const Type type = op.infer(Call{*this, node, Var{}});
    node.dtype = type.dtype;
    node.shape = type.shape;
    write_place(node, where);
    return commit(op);
  } catch (...) {
    words_.rewind(words);
    throw;
  }
}

void Tape::write_many_inputs(Node& node, std::span<const Var> inputs) {
  auto* to = reinterpret_cast<std::uint32_t*>(words_.take((inputs.size() + 1) / 2));
  std::memcpy(node.in.data(), &to, sizeof to);
  for (std::size_t k = 0; k < inputs.size(); ++k) to[k] = inputs[k].index();
}

void Tape::meet_slowly(const Op& op) {
  if (std::ranges::find(ops_, &op) == ops_.end()) ops_.push_back(&op);
  met_[std::bit_cast<std::uintptr_t>(&op) / 64 % kMet] = &op;
}

void Tape::write_attrs(Node& node, const Op& op, std::span<const AttrValue> attrs) {
  const std::size_t count = op.attr_count();
  if (attrs.size() > count) refusals::throw_too_many_attributes(op);
  if (count == 0) return;
  std::uint64_t* slots = words_.take(count);
  node.attrs = slots;
  for (std::size_t k = 0; k < count; ++k) {
    const AttrSpec& spec = op.attrs[k];
    if (k >= attrs.size() || attrs[k].kind == AttrKind::none) {
      if (!spec.optional) refusals::throw_missing(op, spec);
      slots[k] = spec.fallback;
      continue;
    }
    const AttrValue& value = attrs[k];
    if (value.kind != spec.kind) refusals::throw_kind(op, spec, value.kind);
    if (const std::optional<double> number = outlier(spec, value)) refusals::throw_range(op, spec, *number);
    if (spec.kind == AttrKind::ints) {
      std::uint64_t* words = words_.take(value.ints.size() + 1);
      words[0] = value.ints.size();
      if (!value.ints.empty()) std::memcpy(words + 1, value.ints.data(), value.ints.size_bytes());
      slots[k] = std::bit_cast<std::uint64_t>(words);
    } else if (spec.kind == AttrKind::key) {
      std::uint64_t* words = words_.take(2);
      words[0] = value.key.seed;
      words[1] = value.key.stream;
      slots[k] = std::bit_cast<std::uint64_t>(words);
    } else {
      slots[k] = value.bits;
    }
  }
}

void Tape::write_place(Node& node, Where where) {
  if (credit_ != nullptr) {
    node.derivative = derivative_ || credit_->derivative;
    node.file = credit_->file;
    node.line = credit_->line;
    node.scope = credit_->scope;
    return;
  }
  // A literal's address is as good as its text, and quicker; places read from elsewhere go by set_place.
  if (where.file != last_file_) {
    last_file_id_ = intern_file(where.file);
    last_file_ = where.file;
  }
  node.file = last_file_id_;
  node.line = where.line;
  node.scope = scope_;
}

Var Tape::record_again(const Tape& from, std::size_t index, std::span<const Var> inputs) {
  const Node& node = from.node(index);
  Var v;
  if (node.op == &input_op) {
    v = input(from.name(index), from.shape(node.shape), node.dtype, Where{});
  } else if (node.op == &variable_op) {
    v = variable(from.variable_of(node), Where{});
  } else if (node.op == &constant_op) {
    v = constant(from.constant_of(node), Where{});
  } else {
    AttrValue attrs[kMaxAttrs];
    const std::size_t count = node.op->attr_count();
    for (std::size_t k = 0; k < count; ++k) attrs[k] = from.attribute(node, k);
    v = record(*node.op, inputs, {attrs, count}, Where{});
  }
  if (&from != this) {
    set_place(v, from, node);
  } else if (credit_ == nullptr) {
    Node& copy = nodes_[v.index()];
    copy.derivative = node.derivative;
    copy.file = node.file;
    copy.line = node.line;
    copy.scope = node.scope;
  }
  return v;
}

std::vector<std::uint32_t> Tape::leaves() const {
  std::vector<std::uint32_t> out;
  out.reserve(input_nodes_.size() + variable_nodes_.size());
  for (const auto& [name, node] : input_nodes_) out.push_back(node);
  for (const auto& [variable, node] : variable_nodes_) out.push_back(node);
  std::ranges::sort(out);
  return out;
}

std::size_t Tape::ShapeHash::operator()(const Shape& shape) const {
  std::uint64_t h = shape.rank();
  for (std::int64_t extent : shape) {
    h = (h ^ static_cast<std::uint64_t>(extent)) * 0x9E3779B97F4A7C15U;
    h ^= h >> 29;
  }
  return h;
}

std::uint32_t Tape::intern(const Shape& shape) {
  if (shape.rank() == 0) return 0;
  if (const auto at = shape_ids_.find(shape); at != shape_ids_.end()) return at->second;
  const auto id = static_cast<std::uint32_t>(shapes_.size());
  shapes_.next() = shape;
  shape_ids_.emplace(shape, id);
  shapes_.commit();
  return id;
}

AttrValue Tape::attribute(const Node& node, std::size_t k) const {
  const std::uint64_t slot = node.attrs[k];
  switch (node.op->attrs[k].kind) {
    case AttrKind::ints:
      return read_slot<std::span<const std::int64_t>>(slot);
    case AttrKind::key:
      return read_slot<Key>(slot);
    default:
      break;
  }
  AttrValue value;
  value.kind = node.op->attrs[k].kind;
  value.bits = slot;
  return value;
}

}  // namespace backdrop

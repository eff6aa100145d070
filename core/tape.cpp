#include <algorithm>
#include <backdrop/core/error.hpp>
#include <backdrop/core/op.hpp>
#include <backdrop/core/tape.hpp>
#include <limits>

#include "number_text.hpp"

namespace backdrop {

constinit const Op input_op{.name = "input", .formula = "fed at each run"};
constinit const Op variable_op{.name = "variable", .formula = "the Variable's value at the start of a run"};
constinit const Op constant_op{.name = "constant", .formula = "always the same tensor"};

namespace {

constexpr std::size_t kMaxNodes = std::numeric_limits<std::uint32_t>::max() - 1;
constexpr std::size_t kMaxSmall = std::numeric_limits<std::uint16_t>::max();  // arity, files, scopes

const char* kind_name(AttrKind kind) {
  constexpr const char* kNames[] = {"nothing", "a real", "an integer", "a boolean", "a list of integers",
                                    "a key",   "a dtype"};
  return kNames[static_cast<std::size_t>(kind)];
}

void check_range(const Op& op, const AttrSpec& spec, const AttrValue& value) {
  const bool real = spec.kind == AttrKind::real;
  if (!spec.bounded || (!real && spec.kind != AttrKind::integer)) return;
  const double number = real ? value.real() : static_cast<double>(value.integer());
  if (number >= spec.low && number <= spec.high) return;
  throw ValueError(std::string(op.name) + ": " + spec.name + " = " + number_text(number) + " lies outside [" +
                   number_text(spec.low) + ", " + number_text(spec.high) + "]");
}

}  // namespace

void throw_foreign_attribute(const Op& op, const char* name) {
  throw ValueError(std::string(op.name) + ": has no attribute '" + name + "'");
}

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

void Var::throw_null() { throw TapeError("var: this handle was never recorded; it belongs to no tape"); }

Tape::Tape() {
  shapes_.emplace_back();
  shape_ids_.emplace(Shape{}, 0);
  files_.emplace_back();
  scopes_.emplace_back();
}

Tape::~Tape() = default;

Var Tape::input(std::string_view name, const Shape& shape, DType dtype, Where where) {
  if (name.empty()) throw TapeError("input: an input needs a name, by which runs feed it");
  if (input_nodes_.contains(std::string(name))) {
    throw TapeError("input: '" + std::string(name) + "' is taken on this tape; choose another name");
  }
  const Var v = append_leaf(input_op, 0, dtype, shape, where);
  input_nodes_.emplace(name, v.index());
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
  if (size() >= kMaxNodes) throw TapeError("tape: more than 2^32 - 2 nodes");
  Node& node = nodes_.next();
  node = Node{};
  node.op = &op;
  node.in[0] = static_cast<std::uint32_t>(payload);
  node.dtype = dtype;
  node.shape = intern(shape);
  write_place(node, where);
  nodes_.commit();
  return {this, static_cast<std::uint32_t>(size() - 1), generation_};
}

Var Tape::record(const Op& op, std::span<const Var> inputs, std::span<const AttrValue> attrs, Where where) {
  for (const Var& v : inputs) {
    if (!v) throw TapeError(std::string(op.name) + ": an input is a Var that was never recorded");
    check(v);
  }
  const WordPool::Mark words = words_.mark();
  try {
    return append(op, inputs, attrs, where);
  } catch (...) {
    words_.rewind(words);
    throw;
  }
}

Var Tape::append(const Op& op, std::span<const Var> inputs, std::span<const AttrValue> attrs, Where where) {
  if (size() >= kMaxNodes) throw TapeError("tape: more than 2^32 - 2 nodes");
  const std::size_t arity = op.arity();
  if (op.variadic() ? inputs.size() + 1 < arity : inputs.size() != arity) {
    throw ShapeError(std::string(op.name) + ": " + std::to_string(inputs.size()) + " inputs given, takes " +
                     std::to_string(arity));
  }
  Node& node = nodes_.next();
  node = Node{};
  node.op = &op;
  write_inputs(node, inputs);
  write_attrs(node, op, attrs);
  const Type type = op.infer(Call{*this, node, Var{}});
  node.dtype = type.dtype;
  node.shape = type.shape;
  write_place(node, where);
  nodes_.commit();
  return {this, static_cast<std::uint32_t>(size() - 1), generation_};
}

void Tape::write_inputs(Node& node, std::span<const Var> inputs) {
  if (inputs.size() > kMaxSmall) {
    throw ShapeError(std::string(node.op->name) + ": more than " + std::to_string(kMaxSmall) + " inputs");
  }
  node.arity = static_cast<std::uint16_t>(inputs.size());
  std::uint32_t* to = node.in.data();
  if (inputs.size() > Node::kInline) {
    to = reinterpret_cast<std::uint32_t*>(words_.take((inputs.size() + 1) / 2));
    std::memcpy(node.in.data(), &to, sizeof to);
  }
  for (std::size_t k = 0; k < inputs.size(); ++k) to[k] = inputs[k].index();
}

void Tape::write_attrs(Node& node, const Op& op, std::span<const AttrValue> attrs) {
  const std::size_t count = op.attr_count();
  if (attrs.size() > count) throw ValueError(std::string(op.name) + ": too many attributes given");
  if (count == 0) return;
  std::uint64_t* slots = words_.take(count);
  node.attrs = slots;
  for (std::size_t k = 0; k < count; ++k) {
    const AttrSpec& spec = op.attrs[k];
    if (k >= attrs.size() || attrs[k].kind == AttrKind::none) {
      if (!spec.optional)
        throw ValueError(std::string(op.name) + ": attribute '" + spec.name + "' is missing");
      slots[k] = spec.fallback;
      continue;
    }
    const AttrValue& value = attrs[k];
    if (value.kind != spec.kind) {
      throw ValueError(std::string(op.name) + ": attribute '" + spec.name + "' is " + kind_name(spec.kind) +
                       ", but " + kind_name(value.kind) + " was given");
    }
    check_range(op, spec, value);
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

void Tape::set_place(Var v, std::string_view file, unsigned line, std::string_view scope) {
  check(v);
  const std::uint16_t file_id = intern_file(file);
  const std::uint16_t scope_id = intern_scope(scope);
  Node& node = nodes_[v.index()];
  node.file = file_id;
  node.line = line;
  node.scope = scope_id;
}

void Tape::set_place(Var v, const Tape& from, const Node& node) {
  set_place(v, from.files_[node.file], node.line, from.scopes_[node.scope]);
  nodes_[v.index()].derivative = node.derivative;
}

std::uint32_t Tape::declare_opened(const Tape& from, const Node& composite, std::string_view name,
                                   std::span<const Var> inputs, std::uint32_t outer) {
  for (const Var& v : inputs) check(v);
  OpenedCall opened{.node = composite, .name = std::string(name)};
  AttrValue attrs[kMaxAttrs];
  const std::size_t count = composite.op->attr_count();
  for (std::size_t k = 0; k < count; ++k) attrs[k] = from.attribute(composite, k);
  write_attrs(opened.node, *composite.op, {attrs, count});
  write_inputs(opened.node, inputs);
  opened.node.shape = intern(from.shape(composite.shape));
  opened.node.file = intern_file(from.files_[composite.file]);
  opened.node.scope = intern_scope(from.scopes_[composite.scope]);
  opened.node.call = outer;
  opened_.push_back(std::move(opened));
  return static_cast<std::uint32_t>(opened_.size());
}

void Tape::stamp(Var v, std::uint32_t call) {
  check(v);
  nodes_[v.index()].call = call;
  OpenedCall& opened = opened_[call - 1];
  if (opened.begin == opened.end) opened.begin = v.index();
  opened.end = v.index() + 1;
}

Call Tape::call(std::size_t index) const { return {const_cast<Tape&>(*this), nodes_[index], var(index)}; }

void Tape::check_slowly(Var v) const {
  if (v.tape_ == nullptr) Var::throw_null();
  if (v.tape_ != this) throw TapeError("tape: this Var belongs to another tape; record both on one tape");
  if (v.index_ >= size() || generation_of(v.index_) != v.generation_) {
    throw TapeError("tape: this Var is older than a clear() or rewind() of its tape; record it again");
  }
}

std::uint32_t Tape::generation_of(std::size_t index) const {
  if (index >= epoch_) return generation_;
  const auto after = std::upper_bound(epochs_.begin(), epochs_.end(), index,
                                      [](std::size_t i, const auto& epoch) { return i < epoch.first; });
  return std::prev(after)->second;
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
  const auto [at, fresh] = shape_ids_.try_emplace(shape, static_cast<std::uint32_t>(shapes_.size()));
  if (fresh) shapes_.push_back(shape);
  return at->second;
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

std::string_view Tape::name(std::size_t index) const {
  const auto at = names_.find(static_cast<std::uint32_t>(index));
  return at != names_.end() ? std::string_view(at->second) : std::string_view();
}

void Tape::set_name(Var v, std::string_view name) {
  check(v);
  names_.insert_or_assign(names_.end(), v.index(), std::string(name));
}

std::uint16_t Tape::intern_file(std::string_view path) {
  // Only the last component: recordings are the same wherever the source tree lies.
  const std::string_view base = path.substr(path.find_last_of('/') + 1);
  const auto at = std::find(files_.begin(), files_.end(), base);
  if (at == files_.end()) {
    if (files_.size() > kMaxSmall) throw TapeError("tape: more than 65,535 source files");
    files_.emplace_back(base);
    return static_cast<std::uint16_t>(files_.size() - 1);
  }
  return static_cast<std::uint16_t>(at - files_.begin());
}

std::uint16_t Tape::intern_scope(std::string_view path) {
  const auto at = std::find(scopes_.begin(), scopes_.end(), path);
  if (at == scopes_.end()) {
    if (scopes_.size() > kMaxSmall) throw TapeError("tape: more than 65,535 scopes");
    scopes_.emplace_back(path);
    return static_cast<std::uint16_t>(scopes_.size() - 1);
  }
  return static_cast<std::uint16_t>(at - scopes_.begin());
}

Tape::Scope Tape::scope(std::string_view name) {
  if (name.empty() || name.find('/') != std::string_view::npos) {
    throw TapeError("scope: '" + std::string(name) + "' is no name for a region; use one without '/'");
  }
  const std::string& outer = scopes_[scope_];
  const std::uint16_t id = intern_scope(outer.empty() ? std::string(name) : outer + "/" + std::string(name));
  return Scope(*this, std::exchange(scope_, id));
}

Tape::Mark Tape::mark() const {
  return {size(), constants_.size(), variables_.size(), opened_.size(), words_.mark()};
}

void Tape::rewind(const Mark& mark) {
  if (mark.nodes > size()) throw TapeError("rewind: the mark is newer than the tape");
  nodes_.truncate(mark.nodes);
  words_.rewind(mark.words);
  const auto index = static_cast<std::uint32_t>(mark.nodes);
  names_.erase(names_.lower_bound(index), names_.end());
  std::erase_if(variable_nodes_, [&](const auto& entry) { return entry.second >= index; });
  std::erase_if(input_nodes_, [&](const auto& entry) { return entry.second >= index; });
  constants_.erase(constants_.begin() + static_cast<std::ptrdiff_t>(mark.constants), constants_.end());
  opened_.erase(opened_.begin() + static_cast<std::ptrdiff_t>(mark.opened), opened_.end());
  variables_.erase(variables_.begin() + static_cast<std::ptrdiff_t>(mark.variables), variables_.end());
  ++generation_;
  epoch_ = mark.nodes;
  while (!epochs_.empty() && epochs_.back().first >= epoch_) epochs_.pop_back();
  epochs_.emplace_back(epoch_, generation_);
}

}  // namespace backdrop

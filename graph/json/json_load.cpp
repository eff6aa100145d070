#include <algorithm>
#include <array>
#include <backdrop/core/op.hpp>
#include <backdrop/graph/json.hpp>
#include <backdrop/ops/registry.hpp>
#include <charconv>
#include <fstream>
#include <string>
#include <unordered_map>
#include <vector>

#include "json_frame.hpp"
#include "json_tokens.hpp"
#include "json_values.hpp"
#include "opened_body.hpp"

namespace backdrop {

namespace {

using json::Value;

// The members of a node, in the order of the dump.
enum Member : std::size_t {
  kId,
  kOp,
  kScope,
  kName,
  kInputs,
  kAttrs,
  kDType,
  kShape,
  kValue,
  kJacobian,
  kSource,
  kResult,
  kBody,
  kMembers
};
constexpr std::string_view kMemberNames[kMembers] = {"id",     "op",     "scope", "name",  "inputs",
                                                     "attrs",  "dtype",  "shape", "value", "jacobian",
                                                     "source", "result", "body"};
using Members = std::array<Value, kMembers>;

class Loader {
 public:
  explicit Loader(const LoadOptions& options);

  void read_member(std::string_view key, Value value);
  void read_node(Value value);
  std::unique_ptr<Tape> finish();

 private:
  Members members_of(Value node);
  const Op& op_of(const Members& m);
  Var record(const Op& op, const Members& m);
  Var record_leaf(const Op& op, const Members& m);
  Tensor tensor_of(Value at, Value value, DType dtype, const Shape& shape);
  void take_inputs(const Members& m);
  void take_attrs(const Op& op, const Members& m);
  void take_place(Var v, const Members& m);
  void check_type(const Tape& tape, const Node& node, const Members& m);
  void check_body(const json::Frame& frame, std::size_t index, const Members& m, std::size_t depth);
  void check_body_node(const json::Frame& frame, std::uint32_t index, const Members& m, std::size_t depth);
  void check_body_inputs(const json::Frame& frame, const Node& node, const Members& m);
  void check_body_attrs(const Tape& tape, const Node& node, const Members& m);
  std::string id_text(Value id);

  LoadOptions options_;
  json::Context context_;
  std::unique_ptr<Tape> tape_ = std::make_unique<Tape>();
  std::unordered_map<std::string_view, const Op*> ops_;
  BodyOpener opener_;
  std::size_t tensor_bytes_ = 0;
  bool format_ = false, version_ = false;
  // Of the node at hand; kept so that their memory is.
  std::vector<Var> inputs_;
  std::array<AttrValue, kMaxAttrs> attrs_;
  std::array<std::vector<std::int64_t>, kMaxAttrs> ints_;
  std::vector<std::int64_t> extents_;
};

std::unique_ptr<Tape> load(json::Source source, const LoadOptions& options) {
  Loader loader(options);
  json::read_document(
      source, options, [&](std::string_view key, Value value) { loader.read_member(key, value); },
      [&](Value node) { loader.read_node(node); });
  return loader.finish();
}

Loader::Loader(const LoadOptions& options) : options_(options) {
  for (const Op* op : all_ops()) ops_.emplace(op->name, op);
  for (const Op* op : options.ops) {
    if (!ops_.emplace(op->name, op).second) {
      throw GraphError("load_json: two ops are called '" + std::string(op->name) + "'; rename yours");
    }
  }
}

void Loader::read_member(std::string_view key, Value value) {
  context_.node.clear();
  if (key == "format") {
    format_ = json::read_string(context_, value, "format") == "backdrop.graph";
    if (!format_) context_.fail(value, "format is '" + std::string(value.text()) + "', not 'backdrop.graph'");
  } else if (key == "version") {
    version_ = json::read_integer(context_, value, "version") == 1;
    if (!version_) {
      context_.fail(value, "version " + std::to_string(value.integer()) + " is not read here, only 1 is");
    }
  } else if (key == "nodes") {
    context_.fail(value, "nodes is " + std::string(name(value.kind())) + ", not a list");
  } else {
    context_.fail(value, "unknown member '" + std::string(key) + "'; a recording has format, version, nodes");
  }
}

std::unique_ptr<Tape> Loader::finish() {
  if (!format_ || !version_) {
    throw GraphError("load_json: no " + std::string(format_ ? "version" : "format") +
                     " is given; a recording begins {\"format\": \"backdrop.graph\", \"version\": 1, ...");
  }
  return std::move(tape_);
}

void Loader::read_node(Value value) {
  const std::size_t index = tape_->size();
  context_.node = std::to_string(index);
  if (index >= options_.nodes) {
    context_.fail(value, "more than " + context_.node + " nodes; raise LoadOptions::nodes");
  }
  const Members m = members_of(value);
  const std::int64_t id = json::read_integer(context_, m[kId], "id");
  if (id != static_cast<std::int64_t>(index)) {
    const bool seen = id >= 0 && static_cast<std::size_t>(id) < index;
    context_.fail(m[kId], "id " + std::to_string(id) +
                              (seen ? " stands twice" : ": ids are 0, 1, 2, ... in this order"));
  }
  if (m[kResult] && !m[kBody]) context_.fail(m[kResult], "a result without a body");
  const Op& op = op_of(m);
  take_inputs(m);
  const Var v = is_leaf(op) ? record_leaf(op, m) : record(op, m);
  const Node& node = tape_->node(v);
  check_type(*tape_, node, m);
  take_place(v, m);
  if (m[kJacobian] &&
      (node.arity == 0 || json::read_string(context_, m[kJacobian], "jacobian") != op.jacobian)) {
    context_.fail(m[kJacobian],
                  "the local Jacobian of " + std::string(op.name) + " is '" + op.jacobian + "'");
  }
  if (m[kBody]) check_body({tape_.get(), {}, nullptr, nullptr}, index, m, 0);
}

Members Loader::members_of(Value node) {
  if (node.kind() != json::Kind::object) {
    context_.fail(node, "a node is an object, not " + std::string(name(node.kind())));
  }
  Members m;
  json::for_each_member(node, [&](Value key, Value value) {
    std::size_t k = 0;
    while (k < kMembers && kMemberNames[k] != key.text()) ++k;
    if (k == kMembers) context_.fail(key, "unknown member '" + std::string(key.text()) + "'");
    if (m[k]) context_.fail(key, "member '" + std::string(key.text()) + "' stands twice");
    m[k] = value;
  });
  for (Member k : {kId, kOp, kInputs, kDType, kShape}) {
    if (!m[k]) context_.fail(node, "member '" + std::string(kMemberNames[k]) + "' is missing");
  }
  return m;
}

const Op& Loader::op_of(const Members& m) {
  const std::string_view text = json::read_string(context_, m[kOp], "op");
  const auto at = ops_.find(text);
  if (at == ops_.end()) {
    context_.fail(m[kOp], "unknown op '" + std::string(text) + "'; pass your own in LoadOptions::ops");
  }
  return *at->second;
}

Var Loader::record(const Op& op, const Members& m) {
  if (m[kValue]) context_.fail(m[kValue], std::string(op.name) + " takes no value; only leaves do");
  take_attrs(op, m);
  return context_.guarded(m[kInputs], [&] {
    return tape_->record(op, inputs_, {attrs_.data(), op.attr_count()}, Where{});
  });
}

Var Loader::record_leaf(const Op& op, const Members& m) {
  if (!inputs_.empty()) context_.fail(m[kInputs], std::string(op.name) + " takes no inputs");
  take_attrs(op, m);
  const DType dtype = json::read_dtype(context_, m[kDType]);
  json::read_integers(context_, m[kShape], "shape", extents_);
  const Shape shape = context_.guarded(m[kShape], [&] { return Shape(extents_); });
  const std::string_view called = m[kName] ? json::read_string(context_, m[kName], "name") : "";
  if (&op == &input_op) {
    if (m[kValue]) context_.fail(m[kValue], "an input takes no value; runs feed it");
    return context_.guarded(m[kName] ? m[kName] : m[kId],
                            [&] { return tape_->input(called, shape, dtype, Where{}); });
  }
  if (&op == &constant_op && !m[kValue]) context_.fail(m[kId], "a constant needs its value");
  Tensor value = tensor_of(m[kShape], m[kValue], dtype, shape);
  if (&op == &constant_op) return tape_->constant(std::move(value), Where{});
  return tape_->variable(called, std::move(value), Where{});
}

Tensor Loader::tensor_of(Value at, Value value, DType dtype, const Shape& shape) {
  const std::size_t size = byte_size(dtype, shape.numel());
  if (size > options_.tensor_bytes - tensor_bytes_) {
    context_.fail(at, "tensors of more than " + std::to_string(options_.tensor_bytes) +
                          " bytes in all; raise LoadOptions::tensor_bytes");
  }
  tensor_bytes_ += size;
  return value ? json::read_tensor(context_, value, dtype, shape) : Tensor::zeros(shape, dtype);
}

void Loader::take_inputs(const Members& m) {
  inputs_.clear();
  if (m[kInputs].kind() != json::Kind::list) context_.fail(m[kInputs], "inputs is not a list");
  json::for_each_element(m[kInputs], [&](Value input) {
    const std::int64_t id = json::read_integer(context_, input, "an input");
    if (id < 0 || static_cast<std::size_t>(id) >= tape_->size()) {
      context_.fail(input, "input " + std::to_string(id) + " does not stand before this node");
    }
    inputs_.push_back(tape_->var(static_cast<std::size_t>(id)));
  });
}

void Loader::take_attrs(const Op& op, const Members& m) {
  attrs_.fill(AttrValue{});
  if (!m[kAttrs]) return;
  if (m[kAttrs].kind() != json::Kind::object) context_.fail(m[kAttrs], "attrs is not an object");
  json::for_each_member(m[kAttrs], [&](Value key, Value value) {
    std::size_t k = 0;
    while (k < op.attr_count() && op.attrs[k].name != key.text()) ++k;
    if (k == op.attr_count()) {
      context_.fail<ValueError>(key,
                                std::string(op.name) + " has no attribute '" + std::string(key.text()) + "'");
    }
    if (attrs_[k].kind != AttrKind::none) {
      context_.fail(key, "attribute '" + std::string(key.text()) + "' stands twice");
    }
    attrs_[k] = json::read_attribute(context_, value, op.attrs[k], ints_[k]);
  });
}

void Loader::check_type(const Tape& tape, const Node& node, const Members& m) {
  const DType dtype = json::read_dtype(context_, m[kDType]);
  if (dtype != node.dtype) {
    context_.fail<DTypeError>(m[kDType], "dtype is " + to_string(node.dtype) + ", not " + to_string(dtype));
  }
  json::read_integers(context_, m[kShape], "shape", extents_);
  const Shape& shape = tape.shape(node.shape);
  if (!std::ranges::equal(shape.extents(), extents_)) {
    std::string stated;
    json::append_attribute(stated, std::span<const std::int64_t>(extents_));
    context_.fail<ShapeError>(m[kShape], "shape is " + to_string(shape) + ", not " + stated);
  }
}

// "encoder/block" in regions and "train.cpp:42" as recording would have written them.
void Loader::take_place(Var v, const Members& m) {
  if (m[kName]) tape_->set_name(v, json::read_string(context_, m[kName], "name"));
  if (!m[kScope] && !m[kSource]) return;
  const std::string_view scope = m[kScope] ? json::read_string(context_, m[kScope], "scope") : "";
  if (m[kScope] && (scope.empty() || ('/' + std::string(scope) + '/').find("//") != std::string::npos)) {
    context_.fail(m[kScope], "scope has an empty name between its slashes");
  }
  std::string_view file;
  unsigned line = 0;
  if (m[kSource]) {
    const std::string_view source = json::read_string(context_, m[kSource], "source");
    const std::size_t colon = source.find_last_of(':');
    file = source.substr(0, colon);
    const std::string_view digits = colon == source.npos ? "" : source.substr(colon + 1);
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), line);
    const bool number = !digits.empty() && error == std::errc{} && end == digits.data() + digits.size();
    if (!number || file.find_first_of(std::string_view("/\0", 2)) != file.npos) {
      context_.fail(m[kSource], "source is not like 'train.cpp:42', a file without its folder and a line");
    }
  }
  context_.guarded(m[kId], [&] { tape_->set_place(v, file, line, scope); });
}

// The body is opened as its op defines it; the text may only say the same.
// Recursion follows the definitions of ops, not the graph; BodyOpener bounds it.
void Loader::check_body(const json::Frame& frame, std::size_t index, const Members& m, std::size_t depth) {
  const Op& op = *frame.tape->node(index).op;
  if (m[kBody].kind() != json::Kind::list) context_.fail(m[kBody], "body is not a list");
  if (!op.is_composite()) context_.fail(m[kBody], std::string(op.name) + " is no composite: it has no body");
  const OpenedBody& body = context_.guarded(
      m[kBody], [&]() -> const OpenedBody& { return opener_.open(*frame.tape, index, depth); });
  const json::Frame inner = frame.inner(index, body);

  std::string result;
  inner.append_id(result, body.result);
  if (m[kResult] ? id_text(m[kResult]) != result : inner.names_result()) {
    context_.fail(m[kBody], "the result of this body is " + result);
  }
  const std::string node = context_.node;
  std::size_t at = inner.begin();
  json::for_each_element(m[kBody], [&](Value element) {
    context_.node = inner.prefix + std::to_string(at - inner.begin());
    if (at == inner.end()) {
      context_.fail(element, "the body of " + std::string(op.name) + " ends before this node");
    }
    check_body_node(inner, static_cast<std::uint32_t>(at++), members_of(element), depth);
  });
  context_.node = node;
  if (at != inner.end()) {
    context_.fail(m[kBody], "the body of " + std::string(op.name) + " has " +
                                std::to_string(inner.end() - inner.begin()) + " nodes, not " +
                                std::to_string(at - inner.begin()));
  }
}

void Loader::check_body_node(const json::Frame& frame, std::uint32_t index, const Members& m,
                             std::size_t depth) {
  const Node& node = frame.tape->node(index);
  for (Member k : {kScope, kName, kJacobian, kSource}) {
    if (m[k]) context_.fail(m[k], "a node of a body has no " + std::string(kMemberNames[k]));
  }
  std::string id;
  frame.append_id(id, index);
  if (id_text(m[kId]) != id) context_.fail(m[kId], "the id of this node is " + id);
  const Op& op = op_of(m);
  if (&op != node.op) context_.fail(m[kOp], "op is " + std::string(node.op->name) + ", not " + op.name);
  check_body_inputs(frame, node, m);
  check_body_attrs(*frame.tape, node, m);
  check_type(*frame.tape, node, m);
  if (node.op == &constant_op ? !m[kValue] : bool(m[kValue])) {
    context_.fail(m[kId], "a constant has a value, and nothing else has in a body");
  }
  if (m[kValue]) {
    const Tensor& value = frame.tape->constant_of(node);
    if (!tensor_of(m[kValue], m[kValue], value.dtype(), value.shape()).same_bits(value)) {
      context_.fail(m[kValue], "value differs from what the op defines");
    }
  }
  if (m[kResult] && !m[kBody]) context_.fail(m[kResult], "a result without a body");
  if (m[kBody]) check_body(frame, index, m, depth + 1);
}

void Loader::check_body_inputs(const json::Frame& frame, const Node& node, const Members& m) {
  if (m[kInputs].kind() != json::Kind::list) context_.fail(m[kInputs], "inputs is not a list");
  std::size_t k = 0;
  json::for_each_element(m[kInputs], [&](Value input) {
    std::string expected = "nothing";
    if (k < node.arity) {
      expected.clear();
      frame.append_id(expected, node.inputs()[k]);
    }
    ++k;
    if (id_text(input) != expected) context_.fail(input, "this input is " + expected);
  });
  if (k != node.arity) {
    context_.fail(m[kInputs],
                  std::string(node.op->name) + " has " + std::to_string(node.arity) + " inputs here");
  }
}

void Loader::check_body_attrs(const Tape& tape, const Node& node, const Members& m) {
  take_attrs(*node.op, m);
  for (std::size_t k = 0; k < node.op->attr_count(); ++k) {
    std::string expected, stated;
    json::append_attribute(expected, tape.attribute(node, k));
    json::append_attribute(stated, attrs_[k]);
    if (stated != expected) {
      context_.fail<ValueError>(
          m[kAttrs] ? m[kAttrs] : m[kId],
          "attribute '" + std::string(node.op->attrs[k].name) + "' is " + expected + ", not " + stated);
    }
  }
}

// As Frame::append_id writes it.
std::string Loader::id_text(Value id) {
  if (id.kind() == json::Kind::integer) return std::to_string(id.integer());
  return '"' + std::string(json::read_string(context_, id, "an id")) + '"';
}

}  // namespace

std::unique_ptr<Tape> load_json(std::string_view text, const LoadOptions& options) {
  return load(json::Source(text, options.bytes), options);
}

std::unique_ptr<Tape> load_json(std::istream& stream, const LoadOptions& options) {
  return load(json::Source(stream, options.bytes), options);
}

std::unique_ptr<Tape> load_json_file(const std::filesystem::path& path, const LoadOptions& options) {
  std::ifstream file(path, std::ios::binary);
  if (!file) throw ValueError("load_json: cannot open '" + path.string() + "'");
  return load_json(file, options);
}

}  // namespace backdrop

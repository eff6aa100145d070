#include <backdrop/core/error.hpp>
#include <backdrop/core/op.hpp>
#include <backdrop/graph/json.hpp>
#include <string>
#include <utility>

#include "json_frame.hpp"
#include "json_text.hpp"
#include "opened_body.hpp"
#include "replace_file.hpp"

namespace backdrop {

namespace {

class Dumper {
 public:
  Dumper(const Tape& tape, const DumpOptions& options)
      : recording_{&tape, {}, nullptr, nullptr}, options_(options) {}

  /// Calls `flush(text)`, which may take text away, now and then.
  template <class Flush>
  void write(std::string& out, Flush flush) {
    out += "{\"format\": \"backdrop.graph\", \"version\": 1, \"nodes\": [";
    for (std::size_t i = 0; i < recording_.end(); ++i) {
      out += i > 0 ? ",\n" : "\n";
      write_node(out, recording_, i, 0);
      flush(out);
    }
    out += "\n]}\n";
    flush(out);
  }

 private:
  void write_node(std::string& out, const json::Frame& frame, std::size_t i, std::size_t depth);
  void write_inputs(std::string& out, const json::Frame& frame, const Node& node);
  void write_attrs(std::string& out, const Tape& tape, const Node& node);
  void write_type(std::string& out, const Tape& tape, const Node& node);
  void write_value(std::string& out, const Tape& tape, const Node& node);
  void write_body(std::string& out, const json::Frame& frame, std::size_t i, std::size_t depth);
  void write_text(std::string& out, const char* member, std::string_view text, std::size_t node);

  json::Frame recording_;
  DumpOptions options_;
  BodyOpener opener_;
  std::string source_;
};

void Dumper::write_node(std::string& out, const json::Frame& frame, std::size_t i, std::size_t depth) {
  const Tape& tape = *frame.tape;
  const Node& node = tape.node(i);
  out += "{\"id\": ";
  frame.append_id(out, static_cast<std::uint32_t>(i));
  out += ", \"op\": \"";
  out += node.op->name;
  out += '"';
  if (depth == 0) {
    // A Variable is found again by its own name; other nodes have what they were called on the tape.
    const bool variable = node.op == &variable_op;
    write_text(out, "scope", tape.scope_of(node), i);
    write_text(out, "name", variable ? tape.variable_of(node).name() : tape.name(i), i);
  }
  write_inputs(out, frame, node);
  write_attrs(out, tape, node);
  write_type(out, tape, node);
  write_value(out, tape, node);
  if (depth == 0) {
    if (node.arity > 0) write_text(out, "jacobian", node.op->jacobian, i);
    const Where where = tape.where(node);
    source_ = where.file;
    if (!source_.empty() || where.line != 0) source_ += ':' + std::to_string(where.line);
    write_text(out, "source", source_, i);
  }
  if (options_.bodies && node.op->is_composite()) write_body(out, frame, i, depth);
  out += '}';
}

void Dumper::write_inputs(std::string& out, const json::Frame& frame, const Node& node) {
  out += ", \"inputs\": [";
  const char* separator = "";
  for (std::uint32_t input : node.inputs()) {
    out += std::exchange(separator, ", ");
    frame.append_id(out, input);
  }
  out += ']';
}

void Dumper::write_attrs(std::string& out, const Tape& tape, const Node& node) {
  const std::size_t count = node.op->attr_count();
  if (count == 0) return;
  out += ", \"attrs\": {";
  for (std::size_t k = 0; k < count; ++k) {
    out += k > 0 ? ", \"" : "\"";
    out += node.op->attrs[k].name;
    out += "\": ";
    json::append_attribute(out, tape.attribute(node, k));
  }
  out += '}';
}

void Dumper::write_type(std::string& out, const Tape& tape, const Node& node) {
  out += ", \"dtype\": \"";
  out += name(node.dtype);
  out += "\", \"shape\": ";
  json::append_attribute(out, tape.shape(node.shape).extents());
}

void Dumper::write_value(std::string& out, const Tape& tape, const Node& node) {
  const Tensor* value = nullptr;
  if (node.op == &constant_op) value = &tape.constant_of(node);
  if (node.op == &variable_op && options_.values) value = &tape.variable_of(node).value();
  if (value == nullptr) return;
  out += ", \"value\": ";
  json::append_tensor(out, *value);
}

// Recursion follows the definitions of ops, not the graph; BodyOpener bounds it.
void Dumper::write_body(std::string& out, const json::Frame& frame, std::size_t i, std::size_t depth) {
  const OpenedBody& body = opener_.open(*frame.tape, i, depth);
  const json::Frame inner = frame.inner(i, body);
  if (inner.names_result()) {
    out += ", \"result\": ";
    inner.append_id(out, body.result);
  }
  out += ", \"body\": [";
  for (std::size_t k = inner.begin(); k < inner.end(); ++k) {
    out += k > inner.begin() ? ",\n" : "\n";
    out.append(2 * (depth + 1), ' ');
    write_node(out, inner, k, depth + 1);
  }
  out += ']';
}

void Dumper::write_text(std::string& out, const char* member, std::string_view text, std::size_t node) {
  if (text.empty()) return;
  out += ", \"";
  out += member;
  out += "\": ";
  if (!json::append_string(out, text)) {
    throw GraphError("dump_json: the " + std::string(member) + " of node " + std::to_string(node) +
                     " is not UTF-8; rename it");
  }
}

}  // namespace

std::string dump_json(const Tape& tape, const DumpOptions& options) {
  std::string out;
  Dumper(tape, options).write(out, [](const std::string&) {});
  return out;
}

void save_json(const std::filesystem::path& path, const Tape& tape, const DumpOptions& options) {
  constexpr std::size_t kPiece = std::size_t{1} << 18;
  ReplacedFile file("save_json", path);
  std::string out;
  Dumper(tape, options).write(out, [&](std::string& text) {
    if (text.size() < kPiece) return;
    file.write(text);
    text.clear();
  });
  file.write(out);
  file.commit();
}

}  // namespace backdrop

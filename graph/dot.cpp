#include <algorithm>
#include <backdrop/core/op.hpp>
#include <backdrop/graph/dot.hpp>
#include <initializer_list>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "json/json_frame.hpp"
#include "json/json_text.hpp"
#include "opened_body.hpp"
#include "replace_file.hpp"

namespace backdrop {

namespace {

class Drawing {
 public:
  Drawing(const Tape& tape, const DotOptions& options) : tape_(tape), options_(options) {}

  std::string text();

 private:
  void enter(std::string_view scope);
  void draw(const json::Frame& frame, std::uint32_t index, std::size_t depth);
  void draw_body(const json::Frame& frame, std::uint32_t index, const OpenedBody& body, std::size_t depth);
  void draw_edges(const json::Frame& frame, std::uint32_t index);
  std::string label(const json::Frame& frame, std::uint32_t index) const;
  std::string source(const json::Frame& frame, std::uint32_t index) const;
  void indent() { out_.append(2 * open_, ' '); }

  const Tape& tape_;
  DotOptions options_;
  BodyOpener opener_;
  std::string out_;
  std::string edges_;  // stand last: an edge within a box would draw its ends into it
  std::size_t open_ = 1;
  std::string scope_;
  std::unordered_map<std::string, std::string> result_of_;  // id of an opened composite -> its last node
};

void append(std::string& out, std::initializer_list<std::string_view> parts) {
  for (std::string_view part : parts) out += part;
}

// Graphviz takes ids of our form as they are: numerals and quoted strings.
std::string id_of(const json::Frame& frame, std::uint32_t index) {
  std::string id;
  frame.append_id(id, index);
  return id;
}

// Text for a label in quotes. What cannot be shown becomes U+FFFD.
std::string escaped(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const std::size_t length = json::utf8_length(text);
    const char c = text[0];
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (c == '\n') {
      out += "\\n";
    } else if (length == 0 || static_cast<unsigned char>(c) < 0x20 || c == 0x7F) {
      out += "\xEF\xBF\xBD";
    } else {
      out += text.substr(0, length);
    }
    text.remove_prefix(std::max<std::size_t>(length, 1));
  }
  return out;
}

std::string_view shape_of(const Node& node) {
  if (node.op == &input_op) return "ellipse";
  if (node.op == &variable_op) return "cylinder";
  if (node.op == &constant_op) return "note";
  return "box";
}

std::string Drawing::text() {
  out_ = "digraph backdrop {\n  node [fontname=\"sans-serif\"];\n  edge [fontname=\"sans-serif\"];\n";
  const json::Frame recording{&tape_, {}, nullptr, nullptr};
  for (std::uint32_t i = 0; i < tape_.size(); ++i) {
    if (options_.scopes) enter(tape_.scope_of(tape_.node(i)));
    draw(recording, i, 0);
  }
  enter("");
  return std::move(out_) + edges_ + "}\n";
}

// Closes and opens boxes until `scope` is the innermost open one. Graphviz adds to a box that is opened again
// under its name.
void Drawing::enter(std::string_view scope) {
  const auto begins_with_open = [&] {
    return scope_.empty() || scope == scope_ || (scope.starts_with(scope_) && scope[scope_.size()] == '/');
  };
  while (!begins_with_open()) {
    const std::size_t slash = scope_.find_last_of('/');
    scope_.erase(slash == std::string::npos ? 0 : slash);
    --open_;
    indent();
    out_ += "}\n";
  }
  while (scope_ != scope) {
    const std::size_t begin = scope_.empty() ? 0 : scope_.size() + 1;
    const std::size_t end = std::min(scope.find('/', begin), scope.size());
    scope_ = scope.substr(0, end);
    indent();
    out_ += "subgraph \"cluster scope " + escaped(scope_) + "\" {\n";
    ++open_;
    indent();
    out_ += "label=\"" + escaped(scope.substr(begin, end - begin)) + "\"; color=gray;\n";
  }
}

// Recursion follows the definitions of ops, not the graph; BodyOpener bounds it.
void Drawing::draw(const json::Frame& frame, std::uint32_t index, std::size_t depth) {
  const Node& node = frame.tape->node(index);
  if (options_.bodies && node.op->is_composite()) {
    const OpenedBody& body = opener_.open(*frame.tape, index, depth);
    if (body.result >= body.begin) return draw_body(frame, index, body, depth);
  }
  indent();
  out_ += id_of(frame, index) + " [shape=" + std::string(shape_of(node)) + ", label=\"" +
          label(frame, index) + "\"];\n";
  draw_edges(frame, index);
}

void Drawing::draw_body(const json::Frame& frame, std::uint32_t index, const OpenedBody& body,
                        std::size_t depth) {
  const json::Frame inner = frame.inner(index, body);
  indent();
  out_ += "subgraph \"cluster " + inner.prefix + "\" {\n";
  ++open_;
  indent();
  out_ += "label=\"" + label(frame, index) + "\"; style=rounded;\n";
  for (std::size_t k = inner.begin(); k < inner.end(); ++k) {
    draw(inner, static_cast<std::uint32_t>(k), depth + 1);
  }
  --open_;
  indent();
  out_ += "}\n";
  result_of_[id_of(frame, index)] = source(inner, body.result);
}

void Drawing::draw_edges(const json::Frame& frame, std::uint32_t index) {
  for (std::uint32_t input : frame.tape->node(index).inputs()) {
    const bool mask = frame.tape->node(input).dtype == DType::mask;
    edges_ +=
        "  " + source(frame, input) + " -> " + id_of(frame, index) + (mask ? " [style=dashed];\n" : ";\n");
  }
}

// The drawn node that a value comes from: for an opened composite, one of its body.
std::string Drawing::source(const json::Frame& frame, std::uint32_t index) const {
  std::string id = id_of(frame, index);
  const auto at = result_of_.find(id);
  return at == result_of_.end() ? id : at->second;
}

std::string Drawing::label(const json::Frame& frame, std::uint32_t index) const {
  const Tape& tape = *frame.tape;
  const Node& node = tape.node(index);
  std::string text = node.op->name;
  if (frame.outer == nullptr && !tape.name(index).empty()) append(text, {" ", tape.name(index)});
  for (std::size_t k = 0; k < node.op->attr_count(); ++k) {
    append(text, {"\n", node.op->attrs[k].name, " = "});
    json::append_attribute(text, tape.attribute(node, k));
  }
  append(text, {"\n", name(node.dtype), " ", to_string(tape.shape(node.shape))});
  return escaped(text);
}

}  // namespace

std::string dot(const Tape& tape, const DotOptions& options) { return Drawing(tape, options).text(); }

void save_dot(const std::filesystem::path& path, const Tape& tape, const DotOptions& options) {
  ReplacedFile file("save_dot", path);
  file.write(dot(tape, options));
  file.commit();
}

}  // namespace backdrop

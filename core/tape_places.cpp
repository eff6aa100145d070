#include <backdrop/core/error.hpp>
#include <backdrop/core/op.hpp>
#include <backdrop/core/tape.hpp>

// Where nodes come from: names, lines, scopes, and the composites of which they are parts.
namespace backdrop {

namespace {

// The number of a text, which is given one if it has none.
std::uint16_t number_of(std::string_view text, std::deque<std::string>& texts,
                        std::unordered_map<std::string_view, std::uint16_t>& ids, const char* what) {
  constexpr std::size_t kMaxTexts = 0xFFFF;
  if (text.empty()) return 0;
  if (const auto at = ids.find(text); at != ids.end()) return at->second;
  if (texts.size() > kMaxTexts) throw TapeError(std::string("tape: more than 65,535 ") + what);
  const auto id = static_cast<std::uint16_t>(texts.size());
  ids.emplace(texts.emplace_back(text), id);
  return id;
}

}  // namespace

std::string_view Tape::name(std::size_t index) const {
  if (!nodes_[index].named) return {};
  const auto at = names_.find(static_cast<std::uint32_t>(index));
  return at != names_.end() ? std::string_view(at->second) : std::string_view();
}

void Tape::require_input_name(std::string_view name) const {
  if (name.empty()) throw TapeError("input: an input needs a name, by which runs feed it");
  if (input_nodes_.contains(std::string(name))) {
    throw TapeError("input: '" + std::string(name) + "' is taken on this tape; choose another name");
  }
}

void Tape::set_name(Var v, std::string_view name) {
  check(v);
  const std::string_view before = this->name(v.index());
  if (nodes_[v.index()].op == &input_op && name != before) {
    require_input_name(name);
    input_nodes_.emplace(name, v.index());
    input_nodes_.erase(std::string(before));
  }
  names_.insert_or_assign(names_.end(), v.index(), std::string(name));
  nodes_[v.index()].named = true;
}

std::uint16_t Tape::intern_file(std::string_view path) {
  // Only the last component: recordings are the same wherever the source tree lies.
  return number_of(path.substr(path.find_last_of('/') + 1), files_, file_ids_, "source files");
}

std::uint16_t Tape::intern_scope(std::string_view path) {
  return number_of(path, scopes_, scope_ids_, "scopes");
}

Tape::Scope Tape::scope(std::string_view name) {
  if (name.empty() || name.find('/') != std::string_view::npos) {
    throw TapeError("scope: '" + std::string(name) + "' is no name for a region; use one without '/'");
  }
  const std::string& outer = scopes_[scope_];
  const std::uint16_t id = intern_scope(outer.empty() ? std::string(name) : outer + "/" + std::string(name));
  return Scope(*this, std::exchange(scope_, id));
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

}  // namespace backdrop

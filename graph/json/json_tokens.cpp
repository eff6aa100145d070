#include "json_tokens.hpp"

#include <algorithm>
#include <charconv>
#include <istream>
#include <iterator>
#include <limits>
#include <nlohmann/json.hpp>

namespace backdrop::json {

namespace {

using Json = nlohmann::json;

[[noreturn]] void fail(std::size_t byte, const std::string& message) {
  throw GraphError("load_json: byte " + std::to_string(byte) + ": " + message);
}
[[noreturn]] void fail_at_limit(std::size_t byte, const char* what, std::size_t limit) {
  fail(byte, "more than " + std::to_string(limit) + " " + what + "; raise LoadOptions::" + what);
}

// Counts what the parser takes, which reads one byte beyond a number.
struct SourceIterator {
  using iterator_category = std::input_iterator_tag;
  using value_type = char;
  using difference_type = std::ptrdiff_t;
  using pointer = const char*;
  using reference = char;

  Source* source = nullptr;  // none: the end

  char operator*() const { return source->peek(); }
  SourceIterator& operator++() {
    source->advance();
    return *this;
  }
  SourceIterator operator++(int) {
    ++*this;
    return *this;
  }
  bool operator==(const SourceIterator& other) const { return at_end() == other.at_end(); }
  bool operator!=(const SourceIterator& other) const { return !(*this == other); }
  bool at_end() const { return source == nullptr || source->done(); }
};

// What nlohmann's parser calls. It keeps no stack of its own but a bit for each open list or object, and
// neither do we: `open_` is as long as the text is deep.
class Handler {
 public:
  Handler(Source& source, const LoadOptions& options,
          const std::function<void(std::string_view, Value)>& on_member,
          const std::function<void(Value)>& on_node)
      : source_(source), options_(options), on_member_(on_member), on_node_(on_node) {}

  bool null() { return plain({Kind::null, 0, 0, 0, 0}); }
  bool boolean(bool v) { return plain({Kind::boolean, 0, 0, v ? 1U : 0U, 0}); }
  bool number_integer(std::int64_t v) {
    return number({Kind::integer, 0, 0, static_cast<std::uint64_t>(v), 0});
  }
  bool number_unsigned(std::uint64_t v) {
    if (v <= static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max())) {
      return number({Kind::integer, 0, 0, v, 0});
    }
    return number(with_text(Kind::real, std::to_string(v)));
  }
  bool number_float(double, const std::string& digits) {
    // The parser writes the point as the locale does.
    std::string text = digits;
    for (char& c : text) {
      if (std::string_view("0123456789+-eE").find(c) == std::string_view::npos) c = '.';
    }
    return number(with_text(Kind::real, text));
  }
  bool string(std::string& v) { return plain(with_text(Kind::string, v)); }
  bool binary(std::vector<std::uint8_t>&) { return false; }

  bool start_object(std::size_t) {
    if (!begun_) return begun_ = true;
    return open(Kind::object);
  }
  bool start_array(std::size_t) {
    if (open_.empty() && !in_nodes_ && key_ == "nodes") return in_nodes_ = true;
    return open(Kind::list);
  }
  bool end_object() { return close(); }
  bool end_array() {
    if (!open_.empty()) return close();
    in_nodes_ = false;
    return true;
  }
  bool key(std::string& text) {
    if (!open_.empty()) return append(with_text(Kind::string, text));
    if (std::find(keys_.begin(), keys_.end(), text) != keys_.end())
      fail("member '" + text + "' stands twice");
    if (keys_.size() > 8) fail("too many members");
    keys_.push_back(text);
    key_ = text;
    return true;
  }
  bool parse_error(std::size_t position, const std::string&, const Json::exception& e) {
    std::string text = e.what();
    text.erase(0, text.find("] ") + 2);  // the name of the exception
    constexpr std::size_t kEnough = 200;
    if (text.size() > kEnough) text = text.substr(0, kEnough) + "...";
    json::fail(position, text);
  }

  void finish() const {
    if (std::find(keys_.begin(), keys_.end(), "nodes") == keys_.end()) fail("member 'nodes' is missing");
    if (source_.position() > options_.bytes) fail_at_limit("bytes", options_.bytes);
  }

 private:
  [[noreturn]] void fail(const std::string& message) const { json::fail(source_.position(), message); }
  [[noreturn]] void fail_at_limit(const char* what, std::size_t limit) const {
    json::fail_at_limit(source_.position(), what, limit);
  }

  Tokens::Token with_text(Kind kind, const std::string& text) {
    const std::size_t begin = piece_.text.size();
    piece_.text += text;
    return {kind, 0, 0, begin, text.size()};
  }

  bool append(Tokens::Token token, std::size_t beyond = 0) {
    if (!begun_) fail("a recording is an object");
    if (piece_.tokens.size() >= options_.items) fail_at_limit("items", options_.items);
    if (source_.position() > options_.bytes) fail_at_limit("bytes", options_.bytes);
    token.byte = source_.position() - beyond;
    token.next = static_cast<std::uint32_t>(piece_.tokens.size() + 1);
    piece_.tokens.push_back(token);
    return true;
  }

  bool plain(Tokens::Token token, std::size_t beyond = 0) {
    append(token, beyond);
    return deliver_if_whole();
  }

  // A number ends where the parser has met something else, which it has taken already.
  bool number(Tokens::Token token) { return plain(token, 1); }

  bool open(Kind kind) {
    append({kind, 0, 0, 0, 0});
    open_.push_back(static_cast<std::uint32_t>(piece_.tokens.size() - 1));
    const std::size_t above = in_nodes_ ? 2 : 1;
    if (open_.size() + above > options_.depth) fail_at_limit("depth", options_.depth);
    return true;
  }

  bool close() {
    if (open_.empty()) return true;  // the end of the document
    piece_.tokens[open_.back()].next = static_cast<std::uint32_t>(piece_.tokens.size());
    open_.pop_back();
    return deliver_if_whole();
  }

  bool deliver_if_whole() {
    if (!open_.empty()) return true;
    const Value value(piece_, 0);
    if (in_nodes_) {
      on_node_(value);
    } else {
      on_member_(key_, value);
    }
    piece_.tokens.clear();
    piece_.text.clear();
    return true;
  }

  Source& source_;
  const LoadOptions& options_;
  const std::function<void(std::string_view, Value)>& on_member_;
  const std::function<void(Value)>& on_node_;
  Tokens piece_;
  std::vector<std::uint32_t> open_;
  std::vector<std::string> keys_;
  std::string key_;
  bool begun_ = false;
  bool in_nodes_ = false;
};

}  // namespace

std::string_view name(Kind kind) {
  constexpr std::string_view kNames[] = {"null",     "a boolean", "an integer", "a number",
                                         "a string", "a list",    "an object"};
  return kNames[static_cast<std::size_t>(kind)];
}

bool Source::refill() {
  if (position_ > limit_) fail_at_limit(position_, "bytes", limit_);
  if (stream_ == nullptr || !*stream_) return false;
  stream_->read(block_.data(), static_cast<std::streamsize>(block_.size()));
  if (stream_->bad()) {
    throw ValueError("load_json: the stream fails after byte " + std::to_string(position_));
  }
  at_ = block_.data();
  end_ = at_ + stream_->gcount();
  return at_ != end_;
}

void read_document(Source& source, const LoadOptions& options,
                   const std::function<void(std::string_view key, Value value)>& on_member,
                   const std::function<void(Value node)>& on_node) {
  Handler handler(source, options, on_member, on_node);
  Json::sax_parse(SourceIterator{&source}, SourceIterator{}, &handler);
  handler.finish();
}

}  // namespace backdrop::json

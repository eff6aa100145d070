#pragma once

#include <backdrop/core/error.hpp>
#include <backdrop/graph/json.hpp>
#include <cstdint>
#include <functional>
#include <iosfwd>
#include <string>
#include <string_view>
#include <vector>

/// Reading JSON text in pieces: a token for each value of one node, whatever the length of the whole.
namespace backdrop::json {

enum class Kind : std::uint8_t { null, boolean, integer, real, string, list, object };
std::string_view name(Kind kind);

/// The values of one piece in the order of the text. A list or an object stands before what it holds; a
/// member is a string, its key, and then its value.
struct Tokens {
  struct Token {
    Kind kind;
    std::uint32_t next;   // the token after this value and all it holds
    std::size_t byte;     // where the reader stood after it
    std::uint64_t first;  // boolean, integer; where text begins
    std::size_t length;   // of text: strings, and reals as they are written
  };
  std::vector<Token> tokens;
  std::string text;
};

/// One value of a piece. Accessors require the right kind.
class Value {
 public:
  Value() = default;
  Value(const Tokens& tokens, std::uint32_t index) : tokens_(&tokens), index_(index) {}

  explicit operator bool() const { return tokens_ != nullptr; }
  Kind kind() const { return token().kind; }
  std::size_t byte() const { return token().byte; }
  bool boolean() const { return token().first != 0; }
  std::int64_t integer() const { return static_cast<std::int64_t>(token().first); }
  std::string_view text() const {
    return std::string_view(tokens_->text).substr(token().first, token().length);
  }
  /// How many values a list or object holds at any depth; the number of elements where all are plain.
  std::size_t tokens_within() const { return token().next - index_ - 1; }

  /// The first value within, and the one after this: equal to end() where there is none.
  Value first() const { return {*tokens_, index_ + 1}; }
  Value next() const { return {*tokens_, token().next}; }
  bool operator==(const Value&) const = default;

 private:
  const Tokens::Token& token() const { return tokens_->tokens[index_]; }
  const Tokens* tokens_ = nullptr;
  std::uint32_t index_ = 0;
};

/// Calls f(element) for each element of a list.
template <class F>
void for_each_element(Value list, F f) {
  for (Value v = list.first(); v != list.next(); v = v.next()) f(v);
}

/// Calls f(key, value) for each member of an object.
template <class F>
void for_each_member(Value object, F f) {
  for (Value key = object.first(); key != object.next(); key = key.first().next()) f(key, key.first());
}

/// Where loading stands, for messages.
struct Context {
  std::string node;  // its id

  template <class E = GraphError>
  [[noreturn]] void fail(Value at, const std::string& message) const {
    const std::string where = node.empty() ? "" : "node " + node + ", ";
    throw E("load_json: " + where + "byte " + std::to_string(at.byte()) + ": " + message);
  }

  /// Runs f; what it throws says where in the text it came from.
  template <class F>
  decltype(auto) guarded(Value at, F f) const {
    try {
      return f();
    } catch (const ShapeError& e) {
      fail<ShapeError>(at, e.what());
    } catch (const DTypeError& e) {
      fail<DTypeError>(at, e.what());
    } catch (const ValueError& e) {
      fail<ValueError>(at, e.what());
    } catch (const TapeError& e) {
      fail<TapeError>(at, e.what());
    } catch (const Error& e) {
      fail(at, e.what());
    }
  }
};

/// The text to read: all at hand, or a stream that is read in blocks. Not much more than `limit` bytes are
/// read, whatever they say.
class Source {
 public:
  Source(std::string_view text, std::size_t limit)
      : limit_(limit), at_(text.data()), end_(text.data() + text.size()) {
    if (text.size() > limit) end_ = text.data() + limit + 1;
  }
  Source(std::istream& stream, std::size_t limit)
      : stream_(&stream), limit_(limit), block_(std::size_t{1} << 16, '\0') {}

  bool done() { return at_ == end_ && !refill(); }
  char peek() { return done() ? '\0' : *at_; }
  void advance() {
    ++at_;
    ++position_;
  }
  std::size_t position() const { return position_; }

 private:
  bool refill();

  std::istream* stream_ = nullptr;
  std::size_t limit_;
  std::string block_;
  const char* at_ = nullptr;
  const char* end_ = nullptr;
  std::size_t position_ = 0;
};

/// Reads an object, and hands over each member and each element of its list "nodes". Throws GraphError for
/// text that is not JSON, that names a member twice at the top, or that exceeds a limit; ValueError when the
/// stream fails.
void read_document(Source& source, const LoadOptions& options,
                   const std::function<void(std::string_view key, Value value)>& on_member,
                   const std::function<void(Value node)>& on_node);

}  // namespace backdrop::json

#pragma once

#include <backdrop/core/tape.hpp>
#include <string>

#include "json_text.hpp"
#include "opened_body.hpp"

namespace backdrop::json {

/// A list of nodes as the text numbers them: those of the recording 0, 1, ..., those of the body of node 3
/// "3.0", "3.1", ..., those of a body within it "3.1.0" and so on.
struct Frame {
  const Tape* tape = nullptr;
  std::string prefix;                // of the ids, "3." within node 3
  const OpenedBody* body = nullptr;  // none for the recording
  const Frame* outer = nullptr;

  std::size_t begin() const { return body == nullptr ? 0 : body->begin; }
  std::size_t end() const { return tape->size(); }

  /// Appends the id of node `index` as JSON: a number, or a string inside bodies.
  void append_id(std::string& out, std::uint32_t index) const {
    const Frame* frame = this;
    while (index < frame->begin()) {
      index = frame->body->stands_for[index];
      frame = frame->outer;
    }
    if (frame->outer != nullptr) out += '"' + frame->prefix;
    append_integer(out, index - static_cast<std::int64_t>(frame->begin()));
    if (frame->outer != nullptr) out += '"';
  }

  /// The frame of the body of node `index`.
  Frame inner(std::size_t index, const OpenedBody& opened) const {
    return {opened.tape, prefix + std::to_string(index - begin()) + '.', &opened, this};
  }

  /// Whether the result of the body has to be named: it is its last node unless said otherwise.
  bool names_result() const { return body->result < begin() || body->result + std::size_t{1} != end(); }
};

}  // namespace backdrop::json

#include "opened_body.hpp"

#include <algorithm>
#include <backdrop/core/error.hpp>
#include <cstring>
#include <map>
#include <string>

namespace backdrop {

namespace {

constexpr std::size_t kMaxDepth = 16;

}  // namespace

void check_depth(const Op& op, std::size_t depth) {
  if (depth < kMaxDepth) return;
  throw GraphError(std::string(op.name) + ": its body holds bodies more than " + std::to_string(kMaxDepth) +
                   " deep; does it contain itself?");
}

const OpenedBody& BodyOpener::open(const Tape& from, std::size_t index, std::size_t depth) {
  const Node& node = from.node(index);
  check_depth(*node.op, depth);
  while (levels_.size() <= depth) levels_.push_back(std::make_unique<Level>());
  Level& level = *levels_[depth];
  Tape& tape = level.tape;
  OpenedBody& body = level.body;
  tape.clear();
  body.stands_for.clear();

  std::map<std::uint32_t, std::uint32_t> stand_ins;
  std::vector<std::uint32_t> inputs;
  for (std::uint32_t input : node.inputs()) {
    const auto [at, fresh] = stand_ins.try_emplace(input, static_cast<std::uint32_t>(tape.size()));
    if (fresh) {
      const Node& original = from.node(input);
      tape.input(std::to_string(tape.size()), from.shape(original.shape), original.dtype, Where{});
      body.stands_for.push_back(input);
    }
    inputs.push_back(at->second);
  }
  Node there = node;
  there.shape = tape.intern(from.shape(node.shape));
  if (inputs.size() <= Node::kInline) {
    std::copy(inputs.begin(), inputs.end(), there.in.begin());
  } else {
    const std::uint32_t* many = inputs.data();
    std::memcpy(there.in.data(), &many, sizeof many);
  }
  body.tape = &tape;
  body.begin = tape.size();
  body.result = node.op->body(Call{tape, there, Var{}}).index();
  return body;
}

}  // namespace backdrop

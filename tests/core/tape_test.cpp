#include <doctest/doctest.h>

#include <backdrop/core/error.hpp>
#include <backdrop/core/node_copier.hpp>
#include <backdrop/core/op.hpp>
#include <backdrop/core/tape.hpp>
#include <cmath>
#include <string>
#include <vector>

using namespace backdrop;

namespace {

// Two ops that exist only here: core knows none but the leaves.
constexpr auto rate = attr::real("rate").between(0, 1);
constexpr auto axes = attr::ints("axes");
constexpr auto key = attr::key("key");
constexpr auto flag = attr::boolean("flag").or_else(true);

constinit const Op pair_op{
    .name = "pair",
    .inputs = {"a", "b"},
    .infer =
        [](const Call& c) {
          if (!(c.type(0) == c.type(1))) throw ShapeError("pair: types differ");
          return c.type(0);
        },
};
constinit const Op rich_op{
    .name = "rich",
    .inputs = {"x..."},
    .attrs = {rate, axes, key, flag},
    .infer = [](const Call& c) { return c.type(0); },
};

constexpr Where kHere{"somewhere/train.cpp", 42};

}  // namespace

TEST_CASE("node order is recording order, and types are inferred at once") {
  Tape tape;
  const Var x = tape.input("x", {2, 3}, DType::f64);
  const Var y = tape.record(pair_op, {x, x}, {}, kHere);
  CHECK(y.index() == 1);
  CHECK(y.dtype() == DType::f64);
  CHECK(y.shape() == Shape{2, 3});
  CHECK(tape.node(y).inputs()[1] == x.index());
}

TEST_CASE("nodes know the line that recorded them, without its folder") {
  Tape tape;
  const Var x = tape.input("x", {1}, DType::f32, kHere);
  CHECK(std::string(tape.where(tape.node(x)).file) == "train.cpp");
  CHECK(tape.where(tape.node(x)).line == 42);
}

TEST_CASE("scopes nest and end with their object") {
  Tape tape;
  {
    const auto outer = tape.scope("encoder");
    const auto inner = tape.scope("layer");
    CHECK(tape.scope_of(tape.node(tape.input("x", {1}))) == "encoder/layer");
  }
  CHECK(tape.scope_of(tape.node(tape.input("y", {1}))) == "");
  CHECK_THROWS_AS((void)tape.scope("a/b"), TapeError);
}

TEST_CASE("attributes are kept with their type") {
  Tape tape;
  const Var x = tape.input("x", {1});
  const std::vector<std::int64_t> list{4, 5, 6};
  const Var y =
      tape.record(rich_op, {x, x, x, x, x}, {0.25, std::span<const std::int64_t>(list), Key{7, 8}}, kHere);
  const Call c = tape.call(y.index());
  CHECK(c.arity() == 5);
  CHECK(c[4] == x);
  CHECK(c[rate] == 0.25);
  CHECK(c[axes].size() == 3);
  CHECK(c[axes][2] == 6);
  CHECK(c[key] == Key{7, 8});
  CHECK(c[flag]);
}

TEST_CASE("an attribute is found by the text of its name, wherever that text lies") {
  Tape tape;
  const Var y =
      tape.record(rich_op, {tape.input("x", {})}, {0.25, std::span<const std::int64_t>{}, Key{}}, kHere);
  const std::string name = "rate";
  const Attr<double> copy{{.name = name.c_str(), .kind = AttrKind::real}};
  CHECK(tape.call(y.index())[copy] == 0.25);
  const Attr<double> other{{.name = "ratio", .kind = AttrKind::real}};
  CHECK_THROWS_AS(tape.call(y.index())[other], ValueError);
}

TEST_CASE("a bad attribute or input throws and leaves the tape as it was") {
  Tape tape;
  const Var x = tape.input("x", {1});
  const Var wide = tape.input("wide", {2});
  const std::span<const std::int64_t> none;
  CHECK_THROWS_AS(tape.record(rich_op, {x}, {1.5, none, Key{}}, kHere), ValueError);
  CHECK_THROWS_AS(tape.record(rich_op, {x}, {std::nan(""), none, Key{}}, kHere), ValueError);
  CHECK_THROWS_AS(tape.record(rich_op, {x}, {std::int64_t{1}, none, Key{}}, kHere), ValueError);
  CHECK_THROWS_AS(tape.record(rich_op, {x}, {0.5}, kHere), ValueError);
  CHECK_THROWS_AS(tape.record(pair_op, {x}, {}, kHere), ShapeError);
  CHECK_THROWS_AS(tape.record(pair_op, {x, wide}, {}, kHere), ShapeError);
  CHECK_THROWS_AS(tape.record(pair_op, {x, Var{}}, {}, kHere), TapeError);
  CHECK(tape.size() == 2);
  CHECK(tape.record(pair_op, {x, x}, {}, kHere).index() == 2);
}

TEST_CASE("a number outside its range is named as it was written") {
  Tape tape;
  const Var x = tape.input("x", {1});
  const std::span<const std::int64_t> none;
  CHECK_THROWS_WITH_AS(tape.record(rich_op, {x}, {1.5, none, Key{}}, kHere),
                       "rich: rate = 1.5 lies outside [0, 1]", ValueError);
}

TEST_CASE("a Var of another tape, or from before clear, throws") {
  Tape tape, other;
  const Var x = tape.input("x", {1});
  const Var y = other.input("x", {1});
  CHECK_THROWS_AS(tape.record(pair_op, {x, y}, {}, kHere), TapeError);
  tape.clear();
  CHECK_THROWS_AS((void)x.shape(), TapeError);
  const Var again = tape.input("x", {1});
  CHECK(again.index() == x.index());
  CHECK_THROWS_AS((void)x.shape(), TapeError);
  CHECK(again.shape() == Shape{1});
  CHECK_THROWS_AS((void)Var{}.shape(), TapeError);
}

TEST_CASE("a mark is no good once what stood before it was dropped") {
  Tape tape;
  const Var x = tape.input("x", {1});
  const Tape::Mark first = tape.mark();
  tape.record(pair_op, {x, x}, {}, kHere);
  const Tape::Mark second = tape.mark();
  tape.rewind(first);
  for (int k = 0; k < 3; ++k) tape.record(rich_op, {x}, {0.5, std::span<const std::int64_t>{}, Key{}}, kHere);
  CHECK_THROWS_WITH_AS(tape.rewind(second),
                       "rewind: what the mark stands behind was dropped by a clear() or another rewind()",
                       TapeError);
  CHECK(tape.size() == 4);
  tape.rewind(first);
  CHECK(tape.size() == 1);
  tape.clear();
  tape.input("x", {1});
  CHECK_THROWS_AS(tape.rewind(first), TapeError);
}

TEST_CASE("rewind drops what came after the mark and keeps what came before") {
  Tape tape;
  const Var x = tape.input("x", {1});
  const Tape::Mark mark = tape.mark();
  const Var y = tape.record(pair_op, {x, x}, {}, kHere);
  tape.constant(Tensor({1, 2}));
  tape.variable("w", Tensor({1}));
  tape.set_name(y, "gone");
  tape.rewind(mark);
  CHECK(tape.size() == 1);
  CHECK(x.shape() == Shape{1});
  CHECK_THROWS_AS((void)y.shape(), TapeError);
  const Var z = tape.record(pair_op, {x, x}, {}, kHere);
  CHECK(z.index() == y.index());
  CHECK(z.name() == "");
  CHECK_THROWS_AS((void)y.shape(), TapeError);
  CHECK(tape.record(pair_op, {x, z}, {}, kHere).shape() == Shape{1});
  tape.input("w", {1});  // the name is free again
}

TEST_CASE("one Variable is one node, and a name belongs to one input") {
  Tape tape;
  const Variable w("w", Tensor({1, 2}));
  CHECK(tape.variable(w) == tape.variable(w));
  tape.input("x", {1});
  CHECK_THROWS_AS(tape.input("x", {2}), TapeError);
  CHECK_THROWS_AS(tape.input("", {2}), TapeError);
}

TEST_CASE("an input gives up its name for another one, which nobody else may have") {
  Tape tape;
  const Var x = tape.input("x", {1}), y = tape.input("y", {1});
  tape.set_name(x, "x");
  CHECK_THROWS_AS(tape.set_name(x, "y"), TapeError);
  CHECK_THROWS_AS(tape.set_name(x, ""), TapeError);
  CHECK(x.name() == "x");
  tape.set_name(x, "w");
  CHECK(x.name() == "w");
  CHECK_THROWS_AS(tape.input("w", {1}), TapeError);
  tape.set_name(y, "x");
  tape.input("y", {1});
}

TEST_CASE("nodes never move, however many are recorded") {
  Tape tape;
  const Var x = tape.input("x", {1});
  const Node* first = &tape.node(x);
  Var y = x;
  for (int k = 0; k < 100000; ++k) y = tape.record(pair_op, {y, x}, {}, kHere);
  CHECK(&tape.node(x) == first);
  CHECK(tape.size() == 100001);
}

TEST_CASE("a name stays where it is while other nodes are named") {
  Tape tape;
  const Var first = tape.input("x", {2});
  const std::string_view name = first.name();
  for (int k = 0; k < 1000; ++k) tape.input(std::to_string(k), {2});
  CHECK(name.data() == first.name().data());
  CHECK(name == "x");
}

TEST_CASE("a rule sees the dtypes of its inputs, however many there are, and so does a copy") {
  const auto check = [](const Call& c) {
    CHECK(c.dtype(0) == DType::f32);
    CHECK(c.dtype(1) == DType::mask);
    if (c.arity() > 2) {
      CHECK(c.dtype(2) == DType::f64);
      CHECK(c.dtype(3) == DType::i64);
      CHECK(c.dtype(4) == DType::mask);
    }
  };
  Tape from, to;
  const std::vector<Var> few{from.input("a", {1}), from.input("b", {1}, DType::mask)};
  std::vector<Var> many = few;
  many.push_back(from.input("c", {1}, DType::f64));
  many.push_back(from.input("d", {1}, DType::i64));
  many.push_back(from.input("e", {1}, DType::mask));
  const std::vector<AttrValue> attrs{0.5, std::span<const std::int64_t>{}, Key{}};
  std::vector<Var> copied;
  NodeCopier copier(from, to);
  for (const Var& v : many) copied.push_back(copier.copy(v.index(), {}));
  for (const std::vector<Var>& inputs : {few, many}) {
    const Var y = from.record(rich_op, inputs, attrs, kHere);
    check(from.call(y.index()));
    check(to.call(copier.copy(y.index(), std::span(copied).first(inputs.size())).index()));
  }
}

TEST_CASE("the first op that is asked for is found, and not after its nodes were dropped") {
  const auto is_rich = [](const Op& op) { return &op == &rich_op; };
  const auto has_inputs = [](const Op& op) { return op.arity() > 0; };
  Tape tape;
  const Var x = tape.input("x", {1});
  CHECK(tape.first_op(has_inputs) == nullptr);
  tape.record(pair_op, {x, x}, {}, kHere);
  const Tape::Mark mark = tape.mark();
  tape.record(rich_op, {x}, {0.5, std::span<const std::int64_t>{}, Key{}}, kHere);
  CHECK(tape.first_op(has_inputs) == &pair_op);
  CHECK(tape.first_op(is_rich) == &rich_op);
  tape.rewind(mark);
  CHECK(tape.first_op([](const Op& op) {
    CHECK(&op != &rich_op);  // an op need not live longer than its nodes
    return op.arity() > 0;
  }) == &pair_op);
  CHECK(tape.first_op(is_rich) == nullptr);
  tape.clear();
  CHECK(tape.first_op(has_inputs) == nullptr);
  const Var z = tape.input("z", {1});
  tape.record(pair_op, {z, z}, {}, kHere);
  CHECK(tape.first_op(has_inputs) == &pair_op);
}

TEST_CASE("a copier knows what was appended to its tape after it was made") {
  Tape from, to;
  NodeCopier copier(from, to);
  std::int64_t extent = 0;
  for (const char* name : {"a", "b", "c", "d", "e"}) {
    const auto scope = from.scope(name);
    const Var x = from.input(name, {++extent}, DType::f32, {name, 1});
    const Var y = from.record(pair_op, {x, x}, {}, {name, 2});
    const std::vector<Var> inputs(2, copier.copy(x.index(), {}));
    const Var z = copier.copy(y.index(), inputs);
    CHECK(z.shape() == Shape{extent});
    CHECK(std::string(to.where(to.node(z)).file) == name);
    CHECK(to.where(to.node(z)).line == 2);
    CHECK(to.scope_of(to.node(z)) == name);
  }
}

TEST_CASE(
    "an op takes as many inputs as it says, as nodes have room for, and as its kernel finds on the stack") {
  static constexpr Op many{.name = "many",
                           .inputs = {"x", "more..."},
                           .infer = [](const Call& c) { return c.type(0); },
                           .block = [](const Block&) {}};
  Tape tape;
  const std::vector<Var> x(kMaxInputs + 1, tape.input("x", {1}));
  const std::span<const Var> all = x;
  CHECK(tape.record(many, all.first(1), {}, kHere).index() == 1);
  CHECK(tape.record(many, all.first(kMaxInputs), {}, kHere).index() == 2);
  CHECK_THROWS_WITH_AS(tape.record(many, all, {}, kHere), "many: 7 inputs given, takes 1 to 6", ShapeError);
  CHECK_THROWS_WITH_AS(tape.record(many, all.first(0), {}, kHere), "many: 0 inputs given, takes 1 to 6",
                       ShapeError);
  CHECK_THROWS_WITH_AS(tape.record(rich_op, std::vector<Var>(65536, x[0]), {}, kHere),
                       "rich: 65536 inputs given, takes 0 to 65535", ShapeError);
  CHECK(tape.size() == 3);
}

TEST_CASE("leaves that runs bind are listed in order, and not after they were dropped") {
  Tape tape;
  const Var w = tape.variable("w", Tensor({1}));
  tape.constant(Tensor({1}));
  const Var x = tape.input("x", {1});
  tape.record(pair_op, {w, x}, {}, kHere);
  const Tape::Mark mark = tape.mark();
  const Var v = tape.variable("v", Tensor({1})), u = tape.input("u", {1});
  CHECK(tape.leaves() == std::vector<std::uint32_t>{w.index(), x.index(), v.index(), u.index()});
  tape.rewind(mark);
  CHECK(tape.leaves() == std::vector<std::uint32_t>{w.index(), x.index()});
}

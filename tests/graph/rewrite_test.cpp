#include <doctest/doctest.h>

#include <backdrop/backdrop.hpp>
#include <string>
#include <vector>

using namespace backdrop;

namespace {

std::vector<std::string> op_names(const Tape& tape) {
  std::vector<std::string> names;
  for (std::size_t i = 0; i < tape.size(); ++i) names.emplace_back(tape.node(i).op->name);
  return names;
}

std::size_t count(const Tape& tape, const Op& op) {
  std::size_t n = 0;
  for (std::size_t i = 0; i < tape.size(); ++i) n += tape.node(i).op == &op;
  return n;
}

// Its body holds the op itself.
extern const Op selfish_op;
const Op selfish_op{
    .name = "selfish",
    .inputs = {"x"},
    .infer = [](const Call& c) { return c.type(0); },
    .body = [](const Call& c) { return c.tape.record(selfish_op, {c[0]}, {}, Where::here()); },
};

// A small network part: two dropouts, one of them inside a scope and named.
struct Fixture {
  Tape tape;
  Var x = tape.variable("x", {{1, -2, 3}, {4, 5, -6}});
  Var mask = tape.constant(Tensor::mask({{1, 0, 1}, {0, 1, 1}}));
  Var first = dropout(x, 0.5, mask);
  Var second;
  Fixture() {
    const auto region = tape.scope("encoder");
    second = dropout(square(first), 0.25, Key{42, 0});
    tape.set_name(second, "drop");
  }
};

}  // namespace

TEST_CASE("expand opens dropout into mul and scale, and records no composite") {
  Fixture f;
  const Rewrite opened = expand(f.tape);
  CHECK(op_names(opened.tape()) == std::vector<std::string>{"variable", "constant", "mul", "scale", "square",
                                                            "dropout_mask", "mul", "scale"});
  CHECK(value(opened(f.second), {.step = 3}).same_bits(value(f.second, {.step = 3})));
}

TEST_CASE("expanded nodes say which call they came from") {
  Fixture f;
  const Rewrite opened = expand(f.tape);
  const Node& scale = opened.tape().node(opened(f.second));
  REQUIRE(scale.call != 0);
  const Tape::OpenedCall& call = opened.tape().opened(scale.call);
  CHECK(call.node.op == &dropout_op);
  CHECK(call.name == "drop");
  CHECK(call.end - call.begin == 2);
  CHECK(opened.tape().where(scale).line == f.tape.where(f.tape.node(f.second)).line);
  CHECK(opened.tape().scope_of(scale) == "encoder");
}

TEST_CASE("fuse folds expanded bodies back: the recording is the same again") {
  Fixture f;
  const Rewrite opened = expand(f.tape);
  const Rewrite folded = fuse(opened.tape());
  CHECK(same_recording(folded.tape(), f.tape));
  CHECK_FALSE(same_recording(opened.tape(), f.tape));
}

TEST_CASE("an op that contains itself is refused wherever bodies are opened") {
  Tape tape;
  const Var x = tape.variable("x", {1, 2, 3});
  const Var y = tape.record(selfish_op, {x}, {}, Where::here()), total = sum(y);
  const std::size_t before = tape.size();
  const auto why = doctest::Contains("selfish: its body holds bodies more than 16 deep");
  CHECK_THROWS_WITH_AS(expand(tape), why, GraphError);
  CHECK_THROWS_WITH_AS(value(y), why, GraphError);
  CHECK_THROWS_WITH_AS(prove_equal(y, x), why, GraphError);
  CHECK_THROWS_WITH_AS(grad(total, x), why, GraphError);
  CHECK_THROWS_WITH_AS(jvp(y, x, x), why, GraphError);
  CHECK(tape.size() == before);
}

TEST_CASE("fuse leaves a body alone whose inner node something else uses") {
  Fixture f;
  Rewrite opened = expand(f.tape);
  const Var inner = opened.tape().var(opened(f.second).index() - 1);
  square(inner);
  const Rewrite folded = fuse(opened.tape());
  CHECK(count(folded.tape(), dropout_op) == 1);
  CHECK(folded(inner));
}

TEST_CASE("fuse recognises dropout written by hand when some p has that scale") {
  Tape tape;
  const Var x = tape.variable("x", {1, 2, 3});
  const Var mask = tape.constant(Tensor::mask({1, 0, 1}));
  for (double p : {0.0, 0.1, 0.25, 1.0 / 3, 0.5, 0.9, 1.0}) {
    CAPTURE(p);
    const Tape::Mark mark = tape.mark();
    const Var y = scale(mul(x, mask), keep_scale(p));
    const Rewrite folded = fuse(tape);
    REQUIRE(folded.tape().node(folded(y)).op == &dropout_op);
    const double found = folded.tape().attribute(folded.tape().node(folded(y)), 0).real();
    CHECK(keep_scale(found) == keep_scale(p));
    CHECK(found == p);  // the shortest decimal, which is how p was written
    CHECK(folded.tape().size() == 3);
    CHECK(value(folded(y)).same_bits(value(y)));
    tape.rewind(mark);
  }
}

TEST_CASE("fuse does not take a scale below 1 for dropout") {
  Tape tape;
  const Var x = tape.variable("x", {1, 2, 3});
  const Var mask = tape.constant(Tensor::mask({1, 0, 1}));
  scale(mul(x, mask), 0.5);
  CHECK(count(fuse(tape).tape(), dropout_op) == 0);
}

TEST_CASE("only relaxed fusing takes spellings that differ in last bits") {
  Tape tape;
  const Var x = tape.variable("x", {1, 2, 3});
  const Var mask = tape.constant(Tensor::mask({1, 0, 1}));
  const double p = 0.1;
  const Var divided = div(mul(x, mask), 1 - p);
  const Var weighted = mul(x, div(cast(mask, DType::f32), 1 - p));
  const Var scaled = mul(scale(cast(mask, DType::f32), keep_scale(p)), x);
  CHECK(count(fuse(tape).tape(), dropout_op) == 0);
  const Rewrite folded = fuse(tape, {.relaxed = true});
  for (Var y : {divided, weighted, scaled}) {
    const Node& node = folded.tape().node(folded(y));
    REQUIRE(node.op == &dropout_op);
    CHECK(folded.tape().attribute(node, 0).real() == p);
  }
}

TEST_CASE("without dropout every dropout is the identity, nothing is scaled, and masks are gone") {
  Fixture f;
  const Rewrite inference = without_dropout(f.tape);
  CHECK(count(inference.tape(), dropout_op) == 0);
  CHECK(count(inference.tape(), dropout_mask_op) == 0);
  CHECK(count(inference.tape(), scale_op) == 0);
  CHECK(value(inference(f.second)).same_bits(value(square(f.x))));
  CHECK_FALSE(inference(f.mask) == Var{});  // a constant of the user stays
}

TEST_CASE("without dropout also finds dropout that was expanded or written by hand") {
  Fixture f;
  const Rewrite opened = expand(f.tape);
  const Rewrite inference = without_dropout(opened.tape());
  CHECK(value(inference(opened(f.second))).same_bits(value(square(f.x))));
}

TEST_CASE(
    "without dropout finds dropout written by hand where its mask is drawn, and leaves other masks alone") {
  Tape tape;
  const Tensor numbers({1, -2, 3, -4});
  const Var x = tape.variable("x", numbers);
  const Var noise = dropout_mask(tape, {4}, 0.5, Key{1, 0});
  const Var uniform_noise = greater(uniform(tape, {4}, 0, 1, Key{2, 0}), 0.5);
  const Var padding = tape.constant(Tensor::mask({1, 1, 0, 0})), fed = tape.input("fed", {4}, DType::mask);
  const Var dropped[] = {scale(mul(x, noise), 2), scale(mul(x, uniform_noise), 2), dropout(x, 0.5, padding)};
  const Var kept[] = {scale(mul(x, padding), 2), scale(mul(x, fed), 2), scale(mul(x, greater(x, 0)), 2),
                      scale(mul(dropped[0], greater(dropped[0], 0)), 1),
                      scale(mul(x, logical_and(noise, padding)), 2)};
  const Rewrite inference = without_dropout(tape);
  for (const Var y : dropped) CHECK(value(inference(y)).same_bits(numbers));
  const std::vector<Var> there{inference(kept[0]), inference(kept[1]), inference(kept[2]), inference(kept[3]),
                               inference(kept[4])};
  const std::vector<Tensor> found = value(there, {.feeds = {{"fed", Tensor::mask({0, 1, 1, 0})}}});
  CHECK(found[0].same_bits(Tensor({2, -4, 0, 0})));
  CHECK(found[1].same_bits(Tensor({0, -4, 6, 0})));
  CHECK(found[2].same_bits(Tensor({2, 0, 6, 0})));
  CHECK(found[3].same_bits(Tensor({1, 0, 3, 0})));
  CHECK(found[4].same_bits(value(kept[4])));
}

TEST_CASE("a mask that something else uses stays") {
  Tape tape;
  const Var x = tape.variable("x", {1, 2, 3});
  const Var mask = dropout_mask(tape, {3}, 0.5, Key{1, 0});
  const Var y = dropout(x, 0.5, mask);
  const Var z = mul(x, mask);
  const Rewrite inference = without_dropout(tape);
  CHECK(inference(mask));
  CHECK(value(inference(y)).same_bits(x.tape().variable_of(tape.node(x)).value()));
  CHECK(value(inference(z)).same_bits(value(z)));
}

TEST_CASE("a part of an opened composite runs without the rest of it") {
  Tape tape;
  const Var logits = tape.variable("logits", Tensor({{1.0, 2.0}, {3.0, 4.0}}));
  const Var labels = tape.constant(Tensor::from(std::vector<std::int64_t>{1, 0}, {2}));
  cross_entropy(logits, labels);
  const Rewrite opened = expand(tape);
  std::size_t ran = 0;
  for (std::size_t i = 0; i < opened.tape().size(); ++i) {
    if (opened.tape().node(i).call == 0) continue;
    CHECK_NOTHROW(value(opened.tape().var(i)));
    ++ran;
  }
  CHECK(ran > 3);
}

TEST_CASE("copies keep attributes, inputs, names and places, and need nothing of the old tape") {
  Fixture f;
  const Var many = concat({f.x, f.first, f.second, f.x, f.first}, 1);
  const Var total = sum(many, {0});
  Rewrite out(f.tape);
  for (std::size_t i = 0; i < f.tape.size(); ++i) out.copy(i);
  CHECK(same_recording(out.tape(), f.tape));
  const Var copy = out(total);
  const Tensor expected = value(total, {.step = 3});
  f.tape.clear();
  for (int k = 0; k < 20; ++k) sum(f.tape.constant(Tensor::ones({1, 2, 3})), {{0, 1, 2}});
  CHECK(value(copy, {.step = 3}).same_bits(expected));
}

TEST_CASE("a copy on inputs of another type takes the type that follows from them, or throws") {
  Tape tape;
  const Var x = tape.input("x", {2}), y = square(x), z = add(y, x);
  Rewrite out(tape);
  out.map(x.index(), out.tape().input("wide", {5}, DType::f64));
  const Var wide = out.copy(y.index());
  CHECK(wide.shape() == Shape{5});
  CHECK(wide.dtype() == DType::f64);
  out.map(x.index(), out.tape().input("other", {3}, DType::f64));
  const std::size_t size = out.tape().size();
  CHECK_THROWS_AS(out.copy(z.index()), ShapeError);
  CHECK(out.tape().size() == size);
}

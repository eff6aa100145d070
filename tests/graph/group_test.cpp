#include <doctest/doctest.h>
#include <fmt/format.h>

#include <backdrop/backdrop.hpp>
#include <random>
#include <string>
#include <vector>

using namespace backdrop;

namespace {

void check_same_bits(Tape& tape, const std::vector<Var>& outputs, const std::string& what) {
  const Program plain = compile(tape, {.outputs = outputs, .optimize = false});
  const Program grouped = compile(tape, {.outputs = outputs});
  const Outputs expected = plain.run({}, {.step = 5, .threads = 1});
  for (const int threads : {1, 2, 3}) {
    const Outputs found = grouped.run({}, {.step = 5, .threads = threads});
    for (std::size_t k = 0; k < outputs.size(); ++k) {
      INFO(what << ", " << threads << " threads, output " << k);
      CHECK(found[k].same_bits(expected[k]));
    }
  }
}

template <class T = float>
Tensor numbers(const Shape& shape, double scale = 1) {
  std::vector<T> out(shape.numel());
  for (std::size_t k = 0; k < out.size(); ++k) {
    out[k] = static_cast<T>(scale * (static_cast<double>(k * 7919 % 1009) / 1009 - .5));
  }
  return Tensor::from(out, shape);
}

// Random recordings of ops that work element by element or row by row, on tables and their rows and columns.
class Recorder {
 public:
  Recorder(Tape& tape, unsigned seed) : tape_(tape), random_(seed) {
    const Shape shapes[] = {{3, 2000},   {130, 70}, {2000, 3},    {1, 5000},       {65, 65},
                            {40, 3, 31}, {5000},    {2, 7, 3001}, {3, 61, 17, 19}, {1, 13, 37, 41}};
    table_ = shapes[pick(std::size(shapes))];
    add(tape.variable("t", numbers(table_)));
    add(tape.variable("u", numbers(table_, 3)));
    row_ = Shape(table_.extents().subspan(table_.rank() > 1 ? 1 : 0));
    std::vector<std::int64_t> extents(table_.begin(), table_.end());
    extents.back() = 1;
    column_ = Shape(extents);
    channels_ = Shape(std::vector<std::int64_t>(std::max<std::size_t>(1, table_.rank() - 1), 1));
    if (table_.rank() > 2) {
      std::vector<std::int64_t> middle(table_.rank() - 1, 1);
      middle[0] = table_[1];
      channels_ = Shape(middle);
    }
  }

  std::vector<Var> record(int ops) {
    for (int k = 0; k < ops; ++k) add(next(k));
    std::vector<Var> out{tables_.back()};
    for (int k = 0; k < 3; ++k) out.push_back(tables_[pick(tables_.size())]);
    out.push_back(sum_to(any(), row_));
    out.push_back(sum(tables_.back()));
    return out;
  }

 private:
  std::size_t pick(std::size_t n) { return random_() % n; }
  Var any() { return tables_[tables_.size() - 1 - pick(std::min<std::size_t>(tables_.size(), 5))]; }
  void add(Var v) { tables_.push_back(v); }
  std::int64_t last_axis() const { return static_cast<std::int64_t>(table_.rank()) - 1; }

  Var next(int k) {
    const Key key{9, static_cast<std::uint32_t>(k)};
    switch (pick(20)) {
      case 0:
        return any() + any();
      case 1:
        return any() * any();
      case 2:
        return tanh(any());
      case 3:
        return any() + 0.25;
      case 4:
        return relu(any());
      case 5:
        return dropout(any(), 0.1, key);
      case 6:
        return dropout(any(), 0.5, dropout_mask(tape_, column_, 0.5, key));
      case 7:
        return any() - broadcast_to(mean(any(), {last_axis()}, true), table_);
      case 8:
        return softmax(any(), last_axis());
      case 9:
        return any() * broadcast_to(tape_.variable(fmt::format("row{}", k), numbers(row_)), table_);
      case 10:
        return where(greater(any(), any()), any(), any());
      case 11:
        return any() * broadcast_to(max(any(), {last_axis()}, true), table_);
      case 12:
        return any() + broadcast_to(sum(tanh(any())), table_);
      case 13:
        return reshape(square(reshape(any(), {-1})), table_);
      case 14: {  // a vector made of rows, as columns
        const bool square = table_.rank() == 2 && table_[0] == table_[1];
        return square ? any() + broadcast_to(sum(any(), {1}), table_) : neg(any());
      }
      case 15:
        return any() * broadcast_to(mean(square(any()), {0}, true), table_);
      case 16:
        return any() - broadcast_to(norm(any()), table_);
      case 17:
        return any() + broadcast_to(exp(tape_.variable(fmt::format("c{}", k), numbers(channels_))), table_);
      case 18:
        return dropout(any(), 0.25, dropout_mask(tape_, channels_, 0.25, key));
      default:
        return any() / (square(any()) + 1.0);
    }
  }

  Tape& tape_;
  std::mt19937 random_;
  Shape table_, row_, column_, channels_;  // the last: a number for each position of axis 1
  std::vector<Var> tables_;
};

}  // namespace

TEST_CASE("a group does not move past one of its readers when another reader has moved on") {
  Tape tape;
  const Var x = tape.variable("x", numbers({64, 64})), w = tape.variable("w", numbers({64, 64}));
  const Var row = tape.variable("row", numbers({1, 64}));
  const Var v = sum(exp(x), {1}, true);
  const Var y = matmul(x, w) + v, product = matmul(v, row);
  SUBCASE("for the sake of a leaf that both groups read") {
    check_same_bits(tape, {y * product * x}, "by a leaf");
  }
  SUBCASE("for the sake of an operand") {
    check_same_bits(tape, {sum(y * product, {1}, true) * v}, "by an operand");
  }
}

TEST_CASE("groups give the bits that node after node gives, whatever they are made of") {
  for (unsigned seed = 0; seed < 150; ++seed) {
    Tape tape;
    Recorder recorder(tape, seed);
    std::vector<Var> outputs = recorder.record(4 + static_cast<int>(seed % 30));
    if (seed % 3 == 0) outputs.push_back(grad(outputs.back(), tape.var(0)));
    check_same_bits(tape, outputs, fmt::format("seed {}", seed));
  }
}

TEST_CASE("a chain of elementwise ops is one step and needs no memory between") {
  Tape tape;
  const Var x = tape.variable("x", numbers({100'000}));
  Var y = x;
  for (int k = 0; k < 10; ++k) y = tanh(y * 0.5) + 0.125;
  const Program program = compile(tape, {.outputs = {y}});
  CHECK(program.steps() == 1);
  CHECK(program.arena_bytes() == 0);
}

TEST_CASE("a bias, an activation and a drawn mask pass memory once") {
  Tape tape;
  const Var x = tape.variable("x", numbers({128, 256})), b = tape.variable("b", numbers({256}));
  const Program program = compile(tape, {.outputs = {dropout(relu(x + b), 0.1, Key{1, 0})}});
  CHECK(program.steps() == 1);
  CHECK(program.arena_bytes() == 0);
}

TEST_CASE("so do a bias and a scale for each channel, of samples that are too long to be rows") {
  Tape tape;
  const Var x = tape.variable("x", numbers({8, 64, 20, 20}));
  const Var b = tape.variable("b", numbers({64, 1, 1})), w = tape.variable("w", numbers({64, 1, 1}));
  const Program program = compile(tape, {.outputs = {dropout(relu(x * w + b), 0.1, Key{1, 0})}});
  CHECK(program.arena_bytes() == 0);
  const std::string text = program.explain();
  CHECK(text.substr(text.find('\n') + 1) ==
        "   1  5 nodes by 1024 of 204800 rows                           reads  800.5 KiB, writes  800.0 KiB\n"
        "        broadcast_to f32 [8, 64, 20, 20]\n"
        "        broadcast_to f32 [8, 64, 20, 20]\n"
        "        multiply_add f32 [8, 64, 20, 20]\n"
        "        relu f32 [8, 64, 20, 20]\n"
        "        drawn_dropout f32 [8, 64, 20, 20], stored\n");
}

TEST_CASE("a bias for each channel gives the same bits in panels that begin and end anywhere") {
  const Shape shapes[] = {{2, 7, 3001}, {1, 17, 31, 33}, {3, 61, 17, 19}, {5, 3, 9001}, {2, 1, 127, 131}};
  for (const Shape& shape : shapes) {
    for (const bool wide : {false, true}) {
      Tape tape;
      const auto leaf = [&](const char* name, const Shape& s) {
        return tape.variable(name, wide ? numbers<double>(s) : numbers(s));
      };
      const Var x = leaf("x", shape), g = leaf("g", shape), many = leaf("many", {4, shape[1]});
      const Var bias = leaf("bias", {shape[1]}), scale_of = leaf("scale", {shape[1]});
      std::vector<std::int64_t> extents(shape.rank() - 1, 1);
      extents[0] = shape[1];
      const Var kept = dropout_mask(tape, Shape(extents), 0.5, Key{3, 0});
      const Var a = relu(x * reshape(scale_of, extents) + reshape(bias, extents));
      const Var y = dropout(dropout(a, 0.1, Key{1, 0}), 0.5, kept);
      const Var n = batch_norm(x, {.weight = scale_of, .bias = bias});
      std::vector<Var> outputs = vjp(y, std::vector<Var>{x, scale_of, bias}, g);
      outputs.insert(outputs.end(), {y, n, vjp(n, x, g), greater(a, 0.125), vmap(y, bias, many)});
      check_same_bits(tape, outputs, to_string(shape));
    }
  }
}

TEST_CASE("what each panel needs all of is computed before the group") {
  Tape tape;
  const Var x = tape.variable("x", numbers({2, 7, 3001})), t = tape.variable("t", numbers({7, 3001}));
  const Var each = exp(t * 0.5);
  const Var y = tanh(broadcast_to(each, x.shape()) + x);
  CHECK(compile(tape, {.outputs = {y}}).steps() == 2);
  check_same_bits(tape, {y, each * t, sum(each, {1})}, "each");
}

TEST_CASE("what follows a convolution passes memory once, and so does the way back to it") {
  Tape tape;
  const Var x = tape.variable("x", numbers({2, 3, 80, 80})), w = tape.variable("w", numbers({5, 3, 3, 3}));
  const Var b = tape.variable("b", numbers({5})), g = tape.variable("g", numbers({2, 5, 80, 80}));
  const Var y = dropout(relu(conv2d(x, w, b, {.padding = {1}})), 0.1, Key{1, 0});
  CHECK(compile(tape, {.outputs = {y}}).steps() == 2);
  std::vector<Var> outputs = vjp(y, std::vector<Var>{x, w, b}, g);
  outputs.push_back(y);
  check_same_bits(tape, outputs, "convolution");
}

TEST_CASE("a mask that the way back needs is drawn again, and what follows from it is not stored") {
  Tape tape;
  const Var x = tape.variable("x", numbers({128, 256}));
  const Var y = sum(square(dropout(x, 0.1, Key{1, 0})));
  const Program program = compile(tape, {.outputs = {y, grad(y, x)}});
  CHECK(program.arena_bytes() < 3 * 128 * 256 * 4);
}

TEST_CASE("softmax over rows stands in one group with what is done to them") {
  Tape tape;
  const Var x = tape.variable("x", numbers({300, 100}));
  const Var y = dropout(softmax(x * 0.125, 1), 0.1, Key{1, 0});
  CHECK(compile(tape, {.outputs = {y}}).steps() == 1);
}

TEST_CASE("layer_norm passes its rows once, forwards and backwards") {
  Tape tape;
  const Var x = tape.variable("x", numbers({300, 100})), g = tape.variable("g", numbers({300, 100}));
  const Var w = tape.variable("w", numbers({100})), b = tape.variable("b", numbers({100}));
  const Var y = layer_norm(x, {100}, {.weight = w, .bias = b});
  std::vector<Var> outputs = vjp(y, std::vector<Var>{x, w, b}, g);
  outputs.push_back(y);
  const Program program = compile(tape, {.outputs = outputs});
  CHECK(program.steps() == 1);
  CHECK(program.arena_bytes() == 0);
  check_same_bits(tape, outputs, "layer_norm");
}

TEST_CASE("what a sum over rows takes is not stored, and what needs the sum comes after the group") {
  Tape tape;
  const Var x = tape.variable("x", numbers({3000, 100}));
  const Var centered = x - broadcast_to(mean(square(x), {0}), x.shape());
  SUBCASE("of columns") {
    const Program program = compile(tape, {.outputs = {sum(tanh(x) * 0.5, {0})}});
    CHECK(program.steps() == 1);
    CHECK(program.arena_bytes() == 0);
  }
  SUBCASE("of everything") {
    const Program program = compile(tape, {.outputs = {sum(tanh(x) * 0.5)}});
    CHECK(program.steps() == 1);
    CHECK(program.arena_bytes() == 0);
  }
  SUBCASE("for the same rows again") {
    CHECK(compile(tape, {.outputs = {centered}}).steps() == 2);
    check_same_bits(tape, {centered, sum(centered, {0})}, "centered");
  }
  SUBCASE("for as many rows") {
    const Var q = tape.variable("q", numbers({2000, 2000}));
    check_same_bits(tape, {q * broadcast_to(sum(exp(q), {0}), q.shape()), sum(exp(q), {0}) * sum(q, {1})},
                    "q");
  }
}

TEST_CASE("large values are stored past the caches, with the same bits, and the group may go on with them") {
  Tape tape;
  const Var x = tape.variable("x", numbers({4099, 1031})), row = tape.variable("row", numbers({1031}));
  const Var a = tanh(x + row);      // read again in the group, and an output
  const Var b = softmax(a, 1);      // an output only
  const Var c = greater(a, 0.125);  // a mask, whose rows end within bytes
  const Var d = sum(a * b, {0});
  const std::string text = compile(tape, {.outputs = {a, b, c, d}}).explain();
  INFO(text);
  CHECK(text.find("tanh f32 [4099, 1031], stored past the caches") != std::string::npos);
  CHECK(text.find("softmax f32 [4099, 1031], stored past the caches") != std::string::npos);
  check_same_bits(tape, {a, b, c, d}, "large values");
}

TEST_CASE("what together does not stay in the caches is stored past them, too") {
  const auto explained = [](std::int64_t rows) {
    Tape tape;
    const Var x = tape.variable("x", numbers({rows, 1031}));
    const Var a = tanh(x), b = a * x;  // of 2100 rows each takes 8 MiB
    check_same_bits(tape, {a, b, sum(b, {0})}, "three times as much");
    return compile(tape, {.outputs = {a, b}}).explain();
  };
  CHECK(explained(1000).find("past the caches") == std::string::npos);
  CHECK(explained(2100).find("past the caches") != std::string::npos);
}

namespace {

// y [64, n]: in each row the sum of all operands [n].
Type rows_of_64(const Call& c) { return {c.dtype(0), c.tape.intern(Shape{64, c.shape(0)[0]})}; }
void add_up(const Eval& e) {
  const std::size_t n = e.x[0].numel();
  for (std::size_t k = 0; k < e.y.numel(); ++k) {
    float sum = 0;
    for (std::size_t j = 0; j < e.call.arity(); ++j) sum += e.x[j].as<float>()[(e.first + k) % n];
    e.y.as<float>()[k] = sum;
  }
}
constinit const Op rows_of_sums{
    .name = "rows_of_sums",
    .inputs = {"x..."},
    .repeats = [](const Call&) { return std::size_t{1}; },
    .infer = rows_of_64,
    .eval = add_up,
};

}  // namespace

TEST_CASE(
    "what repeats several operands, computed or repeated themselves, is there before a group needs it") {
  Tape tape;
  const Var x = tape.variable("x", numbers({64, 100})), row = tape.variable("row", numbers({100}));
  const Var one = tape.variable("one", numbers({1}));
  const auto check = [&](const std::vector<Var>& operands) {
    const Var y = tape.record(rows_of_sums, operands, {}, Where::here());
    check_same_bits(tape, {tanh(y + x) * 0.5}, std::to_string(operands.size()) + " operands");
  };
  check({row});
  check({row, row});
  check({row, broadcast_to(one, {100})});
  check({row, sum(tanh(x), {0})});
  check(std::vector<Var>(40, row));
}

TEST_CASE("panels are as large as what is asked for at a time allows, where memory is waited for") {
  const auto explained = [](std::int64_t n, bool chain) {
    Tape tape;
    const Var x = tape.input("x", {n}), g = tape.input("g", {n});
    Var y = scale(x, 2) + g;
    for (int k = 0; chain && k < 4; ++k) y = tanh(y) + g;
    const std::string text = compile(tape, {.outputs = {y}}).explain();
    return text.substr(text.find(" by ") + 4, 4);
  };
  CHECK(explained(80'000, false) == "2048");      // nobody asks
  CHECK(explained(1'000'000, false) == "512 ");   // two kernels: at least 2 KiB
  CHECK(explained(1'000'000, true) == "1024");    // ten, for what is written as well
  CHECK(explained(100'000'000, true) == "1024");  // which is streamed here
}

TEST_CASE("where rows of a mask end within bytes, panels have eight rows, unless those would be too large") {
  const auto explained = [](std::int64_t n) {
    Tape tape;
    const Var x = tape.input("x", {300, n});
    const Var y = softmax(x * 2.0, 1);
    return compile(tape, {.outputs = {y, greater(y, 0.5)}}).explain();
  };
  CHECK(explained(1001).find("4 nodes by 8 of 300 rows") != std::string::npos);
  CHECK(explained(12000).find("4 nodes by 1 of 300 rows") != std::string::npos);
  CHECK(explained(12001).find("2 nodes by 1 of 300 rows") != std::string::npos);
}

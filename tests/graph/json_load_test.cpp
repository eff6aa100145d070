#include <doctest/doctest.h>

#include <backdrop/backdrop.hpp>
#include <cmath>
#include <limits>
#include <sstream>
#include <string>

using namespace backdrop;

namespace {

// A recording with every kind of leaf, attribute and value, a composite, regions and a gradient.
struct Recorded {
  Tape tape;
  Var y;

  Recorded() {
    const Var x = tape.input("x", {2, 3}, DType::f32, {"train.cpp", 10});
    const Var w = tape.variable("w", Tensor{{1, 2, -3}, {-0.0, 1e-45, 1e30}}, {"train.cpp", 11});
    const Var big = tape.constant(Tensor::arange(70, DType::f64), {"train.cpp", 12});
    tape.constant(Tensor::mask({1, 0, 0, 1, 1}), {"train.cpp", 13});
    tape.constant(Tensor::full({70}, 1, DType::mask), {"train.cpp", 14});
    tape.constant(Tensor({5, -6}, DType::i64), {"train.cpp", 15});
    tape.constant(Tensor::full({2}, std::nan(""), DType::f64), {"train.cpp", 16});
    const auto outer = tape.scope("encoder");
    const auto inner = tape.scope("first layer");
    const Var h = dropout(x * w, 0.3, Key{0xDEADBEEFCAFE, 4}, {"train.cpp", 17});
    tape.set_name(h, "h \"quoted\"\n\x07\xE2\x82\xAC");
    y = sum(square(h), {0, -1}, false, {"train.cpp", 18});
    grad(y, w);
    sum(scale(big, 0.1));
    full(tape, {2, 0}, -std::numeric_limits<double>::infinity(), DType::f64);
    reshape(x, {3, -1});
  }
};

std::string replaced(std::string text, const std::string& from, const std::string& to) {
  const std::size_t at = text.find(from);
  REQUIRE_MESSAGE(at != std::string::npos, from);
  return text.replace(at, from.size(), to);
}

std::string document(const std::string& nodes) {
  return R"({"format": "backdrop.graph", "version": 1, "nodes": [)" + nodes + "]}";
}

std::string graph() {
  return document(R"json({"id": 0, "op": "input", "name": "x", "inputs": [], "dtype": "f32", "shape": [2]},
{"id": 1, "op": "constant", "inputs": [], "dtype": "mask", "shape": [2], "value": [1, 0]},
{"id": 2, "op": "dropout", "inputs": [0, 1], "attrs": {"p": 0.5}, "dtype": "f32", "shape": [2], "jacobian": "diag(mask/(1-p))", "source": "a.cpp:1", "body": [
  {"id": "2.0", "op": "mul", "inputs": [0, 1], "dtype": "f32", "shape": [2]},
  {"id": "2.1", "op": "scale", "inputs": ["2.0"], "attrs": {"factor": 2.0}, "dtype": "f32", "shape": [2]}]})json");
}

template <class E = GraphError>
std::string complaint_about(const std::string& text) {
  try {
    load_json(text);
  } catch (const E& e) {
    return e.what();
  }
  return "loads";
}

// What loading says about the graph above with `from` replaced by `to`.
template <class E = GraphError>
std::string complaint(const std::string& from, const std::string& to) {
  return complaint_about<E>(replaced(graph(), from, to));
}

// "byte 17: " for the end of `part` in the graph above with `from` replaced by `to`.
std::string byte_after(const std::string& part, const std::string& from, const std::string& to) {
  const std::string text = replaced(graph(), from, to);
  REQUIRE(text.find(part) != std::string::npos);
  return "byte " + std::to_string(text.find(part) + part.size()) + ": ";
}

bool contains(const std::string& text, std::string_view part) { return text.find(part) != text.npos; }

}  // namespace

TEST_CASE("dump, load, dump gives the same bytes") {
  const Recorded sample;
  for (const bool bodies : {true, false}) {
    for (const bool values : {true, false}) {
      const DumpOptions options{.bodies = bodies, .values = values};
      const std::string text = dump_json(sample.tape, options);
      const auto loaded = load_json(text);
      CHECK(loaded->size() == sample.tape.size());
      CHECK(dump_json(*loaded, options) == text);
    }
  }
}

TEST_CASE("a loaded recording computes the same bits, the masks it draws included") {
  const Recorded sample;
  const auto loaded = load_json(dump_json(sample.tape, {.bodies = true, .values = true}));
  const Tensor x{{1, -2, 3}, {4, 5, -6}};
  for (std::size_t i = 0; i < sample.tape.size(); ++i) {
    const ValueOptions options{.feeds = {{"x", x}}, .step = 7};
    CHECK(value(loaded->var(i), options).same_bits(value(sample.tape.var(i), options)));
  }
}

TEST_CASE("names, regions and lines come back") {
  const Recorded sample;
  const auto loaded = load_json(dump_json(sample.tape));
  for (std::size_t i = 0; i < sample.tape.size(); ++i) {
    const Node& node = sample.tape.node(i);
    CHECK(loaded->name(i) == sample.tape.name(i));
    CHECK(loaded->scope_of(loaded->node(i)) == sample.tape.scope_of(node));
    CHECK(std::string(loaded->where(loaded->node(i)).file) == sample.tape.where(node).file);
    CHECK(loaded->where(loaded->node(i)).line == sample.tape.where(node).line);
  }
}

TEST_CASE("a Variable without a value becomes zeros") {
  const Recorded sample;
  const auto loaded = load_json(dump_json(sample.tape));
  CHECK(loaded->variable_of(loaded->node(1)).value().same_bits(Tensor::zeros({2, 3})));
}

TEST_CASE("a stream loads as its text does") {
  const Recorded sample;
  const std::string text = dump_json(sample.tape);
  std::istringstream stream(text);
  CHECK(dump_json(*load_json(stream)) == text);
}

TEST_CASE("members may stand in any order, numbers in any notation, optional members may be missing") {
  const auto loaded = load_json(R"({"nodes": [
    {"shape": [1], "dtype": "f64", "name": "x", "inputs": [], "op": "input", "id": 0},
    {"attrs": {"factor": 25e-1}, "inputs": [0], "op": "scale", "dtype": "f64", "shape": [1], "id": 1},
    {"attrs": {"factor": 2}, "inputs": [1], "op": "scale", "dtype": "f64", "shape": [1], "id": 2}
  ], "version": 1, "format": "backdrop.graph"})");
  CHECK(value(loaded->var(2), {.feeds = {{"x", Tensor({3}, DType::f64)}}, .step = {}}).item() == 15);
}

TEST_CASE("what is wrong with a text is said with its node and byte") {
  CHECK(complaint("\"format\": \"backdrop.graph\"", "\"format\": \"onnx\"") ==
        "load_json: byte 17: format is 'onnx', not 'backdrop.graph'");
  CHECK(contains(complaint("\"version\": 1", "\"version\": 2"), "version 2 is not read here"));
  CHECK(contains(complaint("\"version\": 1", "\"version\": 1.0"), "version is a number, not an integer"));
  CHECK(contains(complaint("\"version\": 1, ", ""), "no version is given"));
  CHECK(contains(complaint("\"version\": 1", "\"version\": 1, \"edges\": []"), "unknown member 'edges'"));
  CHECK(contains(complaint("\"version\": 1", "\"version\": 1, \"version\": 1"), "'version' stands twice"));
  CHECK(contains(complaint("\"dropout\"", "\"drop\""),
                 "node 2, " + byte_after("\"drop\"", "\"dropout\"", "\"drop\"") + "unknown op 'drop'"));
  CHECK(contains(complaint("[0, 1], \"attrs\"", "[0, 2], \"attrs\""),
                 "node 2, " + byte_after("[0, 2", "[0, 1], \"attrs\"", "[0, 2], \"attrs\"") +
                     "input 2 does not stand before"));
  CHECK(contains(complaint("\"id\": 1", "\"id\": 0"), "id 0 stands twice"));
  CHECK(contains(complaint("\"id\": 1", "\"id\": 3"), "id 3: ids are 0, 1, 2"));
  CHECK(contains(complaint("\"id\": 1", "\"id\": \"1\""), "id is a string, not an integer"));
  CHECK(contains(complaint("\"id\": 1, ", ""), "member 'id' is missing"));
  CHECK(contains(complaint("\"id\": 1", "\"id\": 1, \"id\": 1"), "member 'id' stands twice"));
  CHECK(contains(complaint("\"id\": 1", "\"id\": 1, \"colour\": 1"), "unknown member 'colour'"));
  CHECK(contains(complaint("\"p\": 0.5", "\"p\": 0.5, \"p\": 0.5"), "attribute 'p' stands twice"));
  CHECK(contains(complaint("diag(mask/(1-p))", "diag(mask)"), "the local Jacobian of dropout is"));
  CHECK(contains(complaint("a.cpp:1", "a.cpp"), "source is not like"));
  CHECK(contains(complaint("a.cpp:1", "b/a.cpp:1"), "source is not like"));
  CHECK(contains(complaint("\"source\": \"a.cpp:1\"", "\"scope\": \"a//b\""), "scope has an empty name"));
  CHECK(contains(complaint(", \"value\": [1, 0]", ""), "a constant needs its value"));
  CHECK(contains(complaint("\"name\": \"x\"", "\"value\": [1.0, 2.0]"), "an input takes no value"));
  CHECK(contains(complaint("\"p\": 0.5}", "\"p\": 0.5}, \"value\": [1.0, 2.0]"), "dropout takes no value"));

  CHECK(contains(complaint<ShapeError>("[0, 1], \"attrs\"", "[0], \"attrs\""), "1 inputs given, takes 2"));
  CHECK(contains(complaint<ShapeError>("\"shape\": [2], \"jacobian\"", "\"shape\": [3], \"jacobian\""),
                 "shape is [2], not [3]"));
  CHECK(contains(
      complaint<DTypeError>("\"f32\", \"shape\": [2], \"jacobian\"", "\"f64\", \"shape\": [2], \"jacobian\""),
      "dtype is f32, not f64"));
  CHECK(contains(complaint<DTypeError>("\"mask\"", "\"bool\""), "unknown dtype 'bool'"));
  CHECK(contains(complaint<DTypeError>("[0, 1], \"attrs\"", "[0, 0], \"attrs\""), "node 2"));
  CHECK(contains(complaint<ShapeError>("\"shape\": [2]}", "\"shape\": [-2]}"), "negative extent"));
  CHECK(contains(complaint<ShapeError>("\"value\": [1, 0]", "\"value\": [1]"), "value has 1 elements"));
  CHECK(contains(complaint<ValueError>("\"value\": [1, 0]", "\"value\": [1, 2]"), "neither 0 nor 1"));
  CHECK(contains(complaint<ValueError>("\"p\": 0.5", "\"p\": 1.5"), "node 2"));
  CHECK(contains(complaint<ValueError>("\"p\": 0.5", "\"p\": \"NaN\""), "node 2"));
  CHECK(contains(complaint<ValueError>("\"p\": 0.5", "\"p\": \"half\""), "'half' is no number"));
  CHECK(contains(complaint<ValueError>("\"p\": 0.5", "\"p\": true"), "attribute 'p' is a boolean"));
  CHECK(contains(complaint<ValueError>("\"p\": 0.5", "\"q\": 0.5"), "dropout has no attribute 'q'"));
  CHECK(contains(complaint<ValueError>("\"attrs\": {\"p\": 0.5}, ", ""), "attribute 'p' is missing"));
  CHECK(contains(complaint<TapeError>("\"name\": \"x\", ", ""), "an input needs a name"));
}

TEST_CASE("text that is no JSON is refused where it goes wrong") {
  for (const char* text : {"", " ", "[", "{", "nul", "[]", "1", "\"x\"", "null", "{}", "{\"nodes\": []}",
                           "{\"format\": 1}", "{\"format\"}", "\x80", "{\"nodes\": 3}", "{\"nodes\": [3]}"}) {
    CHECK_THROWS_AS(load_json(text), GraphError);
  }
  const std::string whole = graph();
  const std::string place = "byte " + std::to_string(whole.size() + 2) + ": ";
  CHECK(contains(complaint_about(whole + " x"), place));
  CHECK(contains(complaint_about(whole + whole), "unexpected '{'"));
  CHECK(contains(complaint_about(whole.substr(0, whole.size() - 1)), "unexpected end of input"));
  CHECK(contains(complaint("\"p\": 0.5", "\"p\": 1e999"), "number overflow"));
  CHECK(contains(complaint("\"p\": 0.5", "\"p\": 00"), "syntax error"));
  CHECK(contains(complaint("\"id\": 1", "\"id\": 99999999999999999999"), "not an integer"));
  CHECK(contains(complaint("\"name\": \"x\"", "\"name\": \"\x80\""), "invalid string"));
}

TEST_CASE("a body must be what its op defines") {
  CHECK(contains(complaint("\"id\": \"2.0\"", "\"id\": \"2.1\""),
                 "node 2.0, " + byte_after("{\"id\": \"2.1\"", "\"id\": \"2.0\"", "\"id\": \"2.1\"") +
                     "the id of this node is \"2.0\""));
  CHECK(contains(complaint("\"mul\"", "\"add\""), "node 2.0"));
  CHECK(contains(
      complaint("[\"2.0\"]", "[0]"),
      "node 2.1, " + byte_after("\"scale\", \"inputs\": [0", "[\"2.0\"]", "[0]") + "this input is \"2.0\""));
  CHECK(contains(complaint("[\"2.0\"]", "[]"), "scale has 1 inputs here"));
  CHECK(contains(complaint<ValueError>("\"factor\": 2.0", "\"factor\": 1.0"), "'factor' is 2.0, not 1.0"));
  CHECK(contains(complaint<ShapeError>("\"shape\": [2]}]}", "\"shape\": [1]}]}"), "shape is [2], not [1]"));
  CHECK(contains(complaint(R"(, "body": [)", R"(, "body": [], "x": [)"), "unknown member"));
  CHECK(contains(complaint("\"source\": \"a.cpp:1\", \"body\"", "\"result\": 0, \"body\""),
                 "the result of this body is"));
  CHECK(contains(complaint("{\"id\": \"2.0\"", "{\"name\": \"m\", \"id\": \"2.0\""), "has no name"));
  const std::string body = graph();
  const std::size_t first = body.find("  {\"id\": \"2.0\"");
  const std::size_t second = body.find("  {\"id\": \"2.1\"");
  CHECK_THROWS_AS(load_json(body.substr(0, first) + body.substr(second)), GraphError);
  CHECK_THROWS_AS(load_json(body.substr(0, first) + "]}]}"), GraphError);
  CHECK_THROWS_AS(
      load_json(document(
          R"({"id": 0, "op": "input", "name": "x", "inputs": [], "dtype": "f32", "shape": [], "body": []})")),
      GraphError);
}

TEST_CASE("tensors in base64 must be complete and canonical") {
  const auto constant = [](const std::string& dtype, const std::string& shape, const std::string& value) {
    return document(R"({"id": 0, "op": "constant", "inputs": [], "dtype": ")" + dtype + R"(", "shape": )" +
                    shape + R"(, "value": )" + value + "}");
  };
  const auto f32 = [&](const std::string& text) {
    return constant("f32", "[1]", "{\"base64\": \"" + text + "\"}");
  };
  const auto mask = [&](const std::string& text) {
    return constant("mask", "[3]", "{\"bits\": \"" + text + "\"}");
  };
  CHECK(value(load_json(f32("AACAPw=="))->var(0)).item() == 1);
  CHECK_THROWS_AS(load_json(f32("AACAPx==")), ValueError);  // bits beyond the last byte
  CHECK_THROWS_AS(load_json(f32("AACA Pw=")), ValueError);
  CHECK_THROWS_AS(load_json(f32("AACAP===")), ValueError);
  CHECK_THROWS_AS(load_json(f32("AACAPw")), ShapeError);
  CHECK_THROWS_AS(load_json(f32("")), ShapeError);
  CHECK(value(load_json(mask("BQ=="))->var(0)).same_bits(Tensor::mask({1, 0, 1})));
  CHECK_THROWS_AS(load_json(mask("DQ==")), ValueError);  // a fourth element
  CHECK_THROWS_AS(load_json(constant("mask", "[3]", "{\"base64\": \"BQ==\"}")), GraphError);
  CHECK_THROWS_AS(load_json(constant("f32", "[1]", "{}")), GraphError);
  CHECK_THROWS_AS(load_json(constant("f32", "[1]", "3.5")), GraphError);
  CHECK_THROWS_AS(load_json(constant("f32", "[1]", "[1e39]")), ValueError);
  CHECK_THROWS_AS(load_json(constant("i64", "[1]", "[1.5]")), GraphError);
  CHECK_THROWS_AS(load_json(constant("f32", "[1]", "[[1.0]]")), Error);
}

TEST_CASE("limits keep a text from taking more than is meant for it") {
  const std::string text = graph();
  CHECK_NOTHROW(load_json(text, {.bytes = text.size(), .nodes = 3}));
  CHECK_THROWS_AS(load_json(text, {.bytes = text.size() - 1}), GraphError);
  CHECK_THROWS_AS(load_json(text, {.nodes = 2}), GraphError);
  CHECK_THROWS_AS(load_json(text, {.items = 20}), GraphError);
  CHECK_THROWS_AS(load_json(text, {.depth = 5}), GraphError);
  CHECK_THROWS_AS(load_json(text, {.tensor_bytes = 0}), GraphError);
  CHECK_THROWS_AS(load_json(std::string(1000000, '[')), GraphError);
  CHECK_THROWS_AS(load_json(document(std::string(1000000, '['))), GraphError);
  const std::string huge =
      R"({"id": 0, "op": "variable", "name": "w", "inputs": [], "dtype": "f32", "shape": [1000000000, 1000]})";
  CHECK_THROWS_AS(load_json(document(huge)), GraphError);
}

TEST_CASE("a stream is not read far beyond the limit, whatever is in it") {
  // Gives `begin`, then one letter without end.
  struct Endless : std::streambuf {
    Endless(std::string begin, char letter) : block(std::move(begin)), more(4096, letter) {
      setg(block.data(), block.data(), block.data() + block.size());
    }
    int underflow() override {
      block = more;
      given += block.size();
      if (given > std::size_t{1} << 24) return traits_type::eof();  // what the test can wait for
      setg(block.data(), block.data(), block.data() + block.size());
      return traits_type::to_int_type(block[0]);
    }
    std::string block, more;
    std::size_t given = 0;
  };
  for (const char letter : {'a', ' '}) {
    CAPTURE(letter);
    Endless endless(letter == 'a' ? "{\"format\": \"" : "{", letter);
    std::istream stream(&endless);
    CHECK_THROWS_WITH_AS(load_json(stream, {.bytes = 1000}), doctest::Contains("LoadOptions::bytes"),
                         GraphError);
    CHECK(endless.given < 200'000);
  }
  CHECK_THROWS_WITH_AS(load_json(std::string(100'000, ' '), {.bytes = 1000}),
                       doctest::Contains("byte 1001: more than 1000 bytes"), GraphError);
}

TEST_CASE("a seed is a hexadecimal string and a stream below 2^32") {
  const auto text = [](const std::string& key) {
    return document(
        R"({"id": 0, "op": "dropout_mask", "inputs": [], "attrs": {"shape": [2], "p": 0.5, "key": )" + key +
        R"(}, "dtype": "mask", "shape": [2]})");
  };
  CHECK_NOTHROW(load_json(text(R"({"seed": "0xfFfFfFfFfFfFfFfF", "stream": 4294967295})")));
  for (const char* key :
       {R"({"seed": "42", "stream": 0})", R"({"seed": "0x", "stream": 0})",
        R"({"seed": "0x-1", "stream": 0})", R"({"seed": "0x10000000000000000", "stream": 0})",
        R"({"seed": "0x1", "stream": -1})", R"({"seed": "0x1", "stream": 4294967296})", R"({"seed": "0x1"})",
        R"({"stream": 1})", R"({"seed": 1, "stream": 0})", R"([])"}) {
    CHECK_THROWS_AS(load_json(text(key)), ValueError);
  }
  CHECK_THROWS_AS(load_json(text(R"({"seed": "0x1", "stream": 0, "step": 1})")), GraphError);
}

namespace {

Var triple(Var x) { return add(add(x, x), x); }
const Op triple_op{
    .name = "test_triple",
    .inputs = {"x"},
    .formula = "y = 3 x",
    .jacobian = "3 I",
    .infer = [](const Call& c) { return c.type(0); },
    .body = [](const Call& c) { return triple(c[0]); },
};
const Op nine_op{
    .name = "test_nine",
    .inputs = {"x"},
    .infer = [](const Call& c) { return c.type(0); },
    .body =
        [](const Call& c) {
          const Var y =
              c.tape.record(triple_op, {c.tape.record(triple_op, {c[0]}, {}, Where{})}, {}, Where{});
          square(c[0]);  // recorded, but not the result
          return y;
        },
};
const Op identity_op{
    .name = "test_identity",
    .inputs = {"x"},
    .infer = [](const Call& c) { return c.type(0); },
    .body = [](const Call& c) { return c[0]; },
};
const Op endless_op{
    .name = "test_endless",
    .inputs = {"x"},
    .infer = [](const Call& c) { return c.type(0); },
    .body = [](const Call& c) { return c.tape.record(endless_op, {c[0]}, {}, Where{}); },
};

}  // namespace

TEST_CASE("ops of one's own, bodies within bodies and results of one's own choice come back") {
  Tape tape;
  const Var x = tape.input("x", {2});
  const Var nine = tape.record(nine_op, {x}, {}, Where{});
  tape.record(identity_op, {nine}, {}, Where{});
  const std::string text = dump_json(tape);
  CHECK(contains(text, "\"id\": \"1.1.0\", \"op\": \"add\", \"inputs\": [\"1.0\", \"1.0\"]"));
  CHECK(contains(text, "\"result\": \"1.1\", \"body\""));
  CHECK(contains(text, "\"result\": 1, \"body\": []"));

  CHECK_THROWS_AS(load_json(text), GraphError);
  const Op* const ops[] = {&triple_op, &nine_op, &identity_op};
  CHECK(dump_json(*load_json(text, {.ops = ops})) == text);

  const Op* const again[] = {&add_op};
  CHECK_THROWS_AS(load_json(text, {.ops = again}), GraphError);
}

TEST_CASE("an op that contains itself is refused, not followed") {
  Tape tape;
  tape.record(endless_op, {tape.input("x", {2})}, {}, Where{});
  CHECK_THROWS_AS(dump_json(tape), GraphError);
}

TEST_CASE("any damage to a text gives a typed error or a recording that dumps") {
  const auto loads = [](const std::string& damaged) {
    try {
      dump_json(*load_json(damaged));
      return true;
    } catch (const Error&) {
      return false;
    }
  };
  const Recorded sample;
  const std::string texts[] = {graph(), dump_json(sample.tape, {.bodies = true, .values = true})};
  for (std::size_t which = 0; which < 2; ++which) {
    const std::string& text = texts[which];
    const std::size_t length = text.find_last_of('}');
    const std::size_t stride = which == 0 ? 1 : 5;
    std::size_t loaded = 0;
    for (std::size_t k = 0; k < length; k += stride) {
      CHECK_FALSE(loads(text.substr(0, k)));
      std::string damaged = text;
      for (const char c : {'9', '"', ',', '-', '[', '\0', '\xFF', static_cast<char>(text[k] ^ 1)}) {
        damaged[k] = c;
        loaded += loads(damaged) ? 1 : 0;
      }
      damaged = text;
      loaded += loads(damaged.erase(k, 1)) ? 1 : 0;
    }
    CHECK(loaded > 0);  // with a damaged name, say, it still is a recording
  }
}

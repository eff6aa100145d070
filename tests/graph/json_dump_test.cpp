#include <doctest/doctest.h>

#include <backdrop/backdrop.hpp>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <limits>
#include <sstream>

using namespace backdrop;

namespace {

std::string read(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

bool contains(const std::string& text, std::string_view part) { return text.find(part) != text.npos; }

struct Folder {
  std::filesystem::path path = std::filesystem::temp_directory_path() / "backdrop_json_dump_test";
  Folder() { std::filesystem::create_directories(path); }
  ~Folder() { std::filesystem::remove_all(path); }
};

}  // namespace

TEST_CASE("dropout is dumped with the Mul and the Scale that it means") {
  Tape tape;
  const Var a = tape.input("a", {4}, DType::f32, {"dir/train.cpp", 40});
  const Var mask = tape.constant(Tensor::mask({1, 0, 1, 0}), {"train.cpp", 41});
  const auto scope = tape.scope("encoder");
  tape.set_name(dropout(a, 0.5, mask, {"train.cpp", 42}), "kept");
  CHECK(dump_json(tape) == R"json({"format": "backdrop.graph", "version": 1, "nodes": [
{"id": 0, "op": "input", "name": "a", "inputs": [], "dtype": "f32", "shape": [4], "source": "train.cpp:40"},
{"id": 1, "op": "constant", "inputs": [], "dtype": "mask", "shape": [4], "value": [1, 0, 1, 0], "source": "train.cpp:41"},
{"id": 2, "op": "dropout", "scope": "encoder", "name": "kept", "inputs": [0, 1], "attrs": {"p": 0.5}, "dtype": "f32", "shape": [4], "jacobian": "diag(mask/(1-p))", "source": "train.cpp:42", "body": [
  {"id": "2.0", "op": "mul", "inputs": [0, 1], "dtype": "f32", "shape": [4]},
  {"id": "2.1", "op": "scale", "inputs": ["2.0"], "attrs": {"factor": 2.0}, "dtype": "f32", "shape": [4]}]}
]}
)json");
  CHECK_FALSE(contains(dump_json(tape, {.bodies = false, .values = false}), "body"));
}

TEST_CASE("a Variable's value is dumped when asked for, a constant's always") {
  Tape tape;
  tape.variable("w", Tensor{1.5, -0.0, 1e-45});
  tape.constant(Tensor({7, -8}, DType::i64));
  CHECK_FALSE(contains(dump_json(tape), "1.5"));
  CHECK(contains(dump_json(tape), "\"value\": [7, -8]"));
  CHECK(contains(dump_json(tape, {.bodies = true, .values = true}), "\"value\": [1.5, -0.0, 1e-45]"));
}

TEST_CASE("many elements are dumped as base64, many mask elements as bits with the lowest first") {
  Tape tape;
  Tensor mask = Tensor::full({72}, 0, DType::mask);
  static_cast<std::uint8_t*>(mask.mutable_bytes())[0] = 5;  // elements 0 and 2
  tape.constant(mask);
  tape.constant(Tensor::full({65}, 1, DType::f32));
  const std::string text = dump_json(tape);
  CHECK(contains(text, "{\"bits\": \"BQAAAAAAAAAA\"}"));
  CHECK(contains(text, "{\"base64\": \"AACAPwAAgD8AAIA/"));  // 00 00 80 3f each
}

TEST_CASE("keys are hexadecimal, numbers that JSON lacks are words, names are escaped") {
  Tape tape;
  dropout_mask(tape, {3}, 0.25, Key{0xFFFFFFFFFFFFFFFF, 7});
  const double infinity = std::numeric_limits<double>::infinity();
  full(tape, {2}, infinity);
  full(tape, {2}, -infinity);
  full(tape, {2}, std::nan(""));
  tape.input("\"q\"\\\n\x01\xC3\xA9", {});
  const std::string text = dump_json(tape);
  CHECK(contains(
      text, R"("attrs": {"shape": [3], "p": 0.25, "key": {"seed": "0xffffffffffffffff", "stream": 7}})"));
  CHECK(contains(text, "\"value\": \"Infinity\""));
  CHECK(contains(text, "\"value\": \"-Infinity\""));
  CHECK(contains(text, "\"value\": \"NaN\""));
  CHECK(contains(text, "\"\\\"q\\\"\\\\\\n\\u0001\xC3\xA9\""));
}

TEST_CASE("a name that is not UTF-8 cannot be dumped") {
  for (const char* bad : {"\x80", "\xC3", "\xC0\x80", "\xED\xA0\x80", "\xF5\x80\x80\x80", "\xE2\x82"}) {
    Tape tape;
    tape.input(bad, {});
    CHECK_THROWS_AS(dump_json(tape), GraphError);
  }
}

TEST_CASE("saving replaces a file as a whole or leaves it as it was") {
  const Folder folder;
  const auto path = folder.path / "graph.json";
  Tape tape;
  tape.input("x", {2});
  save_json(path, tape);
  CHECK(read(path) == dump_json(tape));

  const std::string before = read(path);
  tape.input("\x80", {2});
  CHECK_THROWS_AS(save_json(path, tape), GraphError);
  CHECK(read(path) == before);
  CHECK(std::distance(std::filesystem::directory_iterator(folder.path), {}) == 1);

  CHECK_THROWS_AS(save_json(folder.path / "nowhere" / "graph.json", tape), ValueError);
}

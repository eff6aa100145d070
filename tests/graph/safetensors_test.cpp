#include <doctest/doctest.h>

#include <backdrop/backdrop.hpp>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>

using namespace backdrop;

namespace {

// A file of this test's own, gone afterwards.
struct File {
  std::filesystem::path path =
      std::filesystem::temp_directory_path() / "backdrop_safetensors_test.safetensors";
  ~File() { std::filesystem::remove(path); }

  void write(const std::string& bytes) const { std::ofstream(path, std::ios::binary) << bytes; }
  std::string read() const {
    std::ostringstream bytes;
    bytes << std::ifstream(path, std::ios::binary).rdbuf();
    return bytes.str();
  }
};

std::string with_header(const std::string& header, const std::string& data) {
  const std::uint64_t length = header.size();
  std::string bytes(sizeof length, '\0');
  std::memcpy(bytes.data(), &length, sizeof length);
  return bytes + header + data;
}

std::string complaint(const std::string& bytes) {
  const File file;
  file.write(bytes);
  try {
    load_safetensors(file.path);
  } catch (const ValueError& e) {
    return e.what();
  }
  return "loads";
}

bool contains(const std::string& text, std::string_view part) { return text.find(part) != text.npos; }

}  // namespace

TEST_CASE("the bytes of a safetensors file are length, header and data") {
  const File file;
  const NamedTensor tensors[] = {{"w", Tensor{{1, -2}}}, {"kept", Tensor::mask({1, 0, 1})}};
  save_safetensors(file.path, tensors);
  std::string header =
      R"({"w":{"dtype":"F32","shape":[1,2],"data_offsets":[0,8]},"kept":{"dtype":"BOOL","shape":[3],"data_offsets":[8,11]}})";
  header.resize((header.size() + 7) / 8 * 8, ' ');
  const std::string data("\x00\x00\x80\x3f\x00\x00\x00\xc0\x01\x00\x01", 11);
  CHECK(file.read() == with_header(header, data));
}

TEST_CASE("tensors of every dtype, rank 0 and size 0 come back bit for bit") {
  const File file;
  const std::vector<NamedTensor> tensors{{"a", Tensor{{1, -0.0}, {1e-45, 1e38}}},
                                         {"empty", Tensor::zeros({3, 0}, DType::f64)},
                                         {"scalar", Tensor::scalar(0.1, DType::f64)},
                                         {"count \"\xE2\x82\xAC\"", Tensor::arange(5)},
                                         {"mask", Tensor::mask({{1, 0, 1, 1, 1}, {0, 0, 1, 0, 1}})}};
  save_safetensors(file.path, tensors);
  const std::vector<NamedTensor> loaded = load_safetensors(file.path);
  REQUIRE(loaded.size() == tensors.size());
  for (std::size_t k = 0; k < tensors.size(); ++k) {
    CHECK(loaded[k].name == tensors[k].name);
    CHECK(loaded[k].tensor.same_bits(tensors[k].tensor));
  }
}

TEST_CASE("Variables are set all together or not at all") {
  const File file;
  Variable w("w", Tensor{1, 2}), b("b", Tensor{3});
  save_safetensors(file.path, {w, b});
  w.set(Tensor{0, 0});
  b.set(Tensor{0});
  load_into(file.path, {b, w});
  CHECK(w.value().same_bits(Tensor{1, 2}));
  CHECK(b.value().same_bits(Tensor{3}));

  w.set(Tensor{0, 0});
  CHECK_THROWS_AS(load_into(file.path, {w, Variable("c", Tensor{1})}), ValueError);
  CHECK_THROWS_AS(load_into(file.path, {w, Variable("b", Tensor{1, 2})}), ShapeError);
  CHECK_THROWS_AS(load_into(file.path, {w, Variable("b", Tensor({1}, DType::f64))}), DTypeError);
  CHECK_THROWS_AS(load_into(file.path, {w, w}), ValueError);
  CHECK(w.value().same_bits(Tensor{0, 0}));
}

TEST_CASE("what cannot be written leaves an older file as it was") {
  const File file;
  file.write("old");
  const NamedTensor twice[] = {{"w", Tensor{1}}, {"w", Tensor{2}}};
  CHECK_THROWS_AS(save_safetensors(file.path, twice), ValueError);
  const NamedTensor reserved[] = {{"__metadata__", Tensor{1}}};
  CHECK_THROWS_AS(save_safetensors(file.path, reserved), ValueError);
  const NamedTensor latin[] = {{"\xE9", Tensor{1}}};
  CHECK_THROWS_AS(save_safetensors(file.path, latin), ValueError);
  CHECK(file.read() == "old");
  CHECK_THROWS_AS(load_safetensors(file.path / "nowhere"), ValueError);
}

TEST_CASE("a damaged safetensors file is refused with what is wrong") {
  const std::string w = R"("w":{"dtype":"F32","shape":[2],"data_offsets":[0,8]})";
  const auto v = [](const char* offsets) {
    return std::string(R"(,"v":{"dtype":"F32","shape":[1],"data_offsets":)") + offsets + "}";
  };
  CHECK(complaint(with_header("{" + w + "}", "12345678")) == "loads");
  CHECK(complaint(with_header(R"({"__metadata__":{"format":"pt"},)" + w + "}", "12345678")) == "loads");
  CHECK(contains(complaint(""), "truncated"));
  CHECK(contains(complaint("1234567"), "truncated"));
  CHECK(contains(complaint(with_header("{" + w + "}", "").substr(0, 20)), "truncated"));
  CHECK(contains(complaint(with_header("{" + w + "}", "1234567")), "truncated: 1 bytes are missing"));
  CHECK(
      contains(complaint(with_header("{" + w + "}", "123456789")), "1 bytes that no tensor owns at its end"));
  CHECK(contains(complaint(with_header("{" + w + v("[4,8]") + "}", "12345678")), "overlap"));
  CHECK(
      contains(complaint(with_header("{" + w + v("[9,13]") + "}", "1234567890123")), "that no tensor owns"));
  CHECK(contains(complaint(with_header("{" + w + "," + w + "}", "12345678")), "names 'w' twice"));
  CHECK(contains(complaint(with_header("{" + w, "12345678")), "no JSON"));
  CHECK(contains(complaint(with_header("[]", "")), "no object"));
  CHECK(contains(complaint(with_header(std::string(100, '['), "")), "nested too deeply"));
  CHECK(contains(complaint(std::string(8, '\x7F')), "too many"));

  const auto one = [](const std::string& description, const std::string& data = "1234") {
    return complaint(with_header("{\"w\":" + description + "}", data));
  };
  CHECK(contains(one(R"({"dtype":"F16","shape":[2],"data_offsets":[0,4]})"), "dtype is \"F16\""));
  CHECK(contains(one(R"({"dtype":"F32","shape":[2],"data_offsets":[0,4]})"), "takes 8"));
  CHECK(contains(one(R"({"dtype":"F32","shape":[-1],"data_offsets":[0,4]})"), "no size"));
  CHECK(contains(one(R"({"dtype":"F32","shape":[1.0],"data_offsets":[0,4]})"), "no size"));
  CHECK(contains(one(R"({"dtype":"F32","shape":[4611686018427387904,4],"data_offsets":[0,4]})"),
                 "too many elements"));
  CHECK(contains(one(R"({"dtype":"F32","shape":[1],"data_offsets":[4,0]})"), "[begin, end]"));
  CHECK(contains(one(R"({"dtype":"F32","shape":[1],"data_offsets":[0,18446744073709551615]})"), "no size"));
  CHECK(contains(one(R"({"dtype":"F32","shape":[1]})"), "takes dtype, shape and data_offsets"));
  CHECK(contains(one(R"({"dtype":"F32","shape":1,"data_offsets":[0,4]})"), "shape is no list"));
  CHECK(contains(one("3"), "takes dtype, shape and data_offsets"));
  CHECK(contains(one(R"({"dtype":"BOOL","shape":[1],"data_offsets":[0,1]})", "\x02"), "neither 0 nor 1"));
}

TEST_CASE("a safetensors file cut anywhere is refused") {
  const File file;
  const NamedTensor tensors[] = {{"w", Tensor{{1, -2}}}, {"kept", Tensor::mask({1, 0, 1})}};
  save_safetensors(file.path, tensors);
  const std::string whole = file.read();
  for (std::size_t k = 0; k < whole.size(); ++k) {
    CHECK(complaint(whole.substr(0, k)) != "loads");
  }
}

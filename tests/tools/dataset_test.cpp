#include "demo/dataset.hpp"

#include <doctest/doctest.h>
#include <unistd.h>

#include <array>
#include <backdrop/core/error.hpp>
#include <cmath>
#include <fstream>
#include <string>

#include "demo/spirals.hpp"

using namespace backdrop;
using namespace backdrop::demo;

namespace {

// A directory with a small data set in the files of Fashion-MNIST, gone when the test ends.
class Directory {
 public:
  Directory()
      : path_(std::filesystem::temp_directory_path() / ("backdrop_dataset_" + std::to_string(getpid()))) {
    std::filesystem::create_directories(path_);
  }
  ~Directory() { std::filesystem::remove_all(path_); }

  const std::filesystem::path& path() const { return path_; }
  void write(const std::string& name, const std::string& bytes) const {
    std::ofstream(path_ / name, std::ios::binary)
        .write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  }
  void write_all() const {
    for (const char* part : {"train", "t10k"}) {
      write(std::string(part) + "-images-idx3-ubyte.gz", images(2, 2));
      write(std::string(part) + "-labels-idx1-ubyte.gz", labels({9, 0}));
    }
  }

  // `count` images of 1 x `width`: 0, 1, 2, ...
  static std::string images(char count, char width) {
    std::string bytes{0, 0, 8, 3, 0, 0, 0, count, 0, 0, 0, 1, 0, 0, 0, width};
    for (char k = 0; k < count * width; ++k) bytes.push_back(k);
    return bytes;
  }
  static std::string labels(const std::string& of) {
    return std::string{0, 0, 8, 1, 0, 0, 0, static_cast<char>(of.size())} + of;
  }
  static std::string labels(std::initializer_list<char> of) { return labels(std::string(of)); }

 private:
  std::filesystem::path path_;
};

}  // namespace

TEST_CASE("the four files become examples with pixels from 0 to 1") {
  const Directory directory;
  directory.write_all();
  const auto data = load_fashion_mnist(directory.path());
  REQUIRE(data);
  CHECK(data->classes == 10);
  CHECK(data->train.images.same_bits(Tensor({{0, 1.0 / 255}, {2.0 / 255, 3.0 / 255}})));
  CHECK(data->test.labels.same_bits(Tensor({9, 0}, DType::i64)));
}

TEST_CASE("a directory without any of the files holds no data set") {
  const Directory directory;
  CHECK_FALSE(load_fashion_mnist(directory.path()));
  CHECK_FALSE(load_fashion_mnist(directory.path() / "nowhere"));
}

TEST_CASE("files that are missing or do not fit each other are rejected") {
  const Directory directory;
  directory.write_all();
  std::filesystem::remove(directory.path() / "t10k-labels-idx1-ubyte.gz");
  CHECK_THROWS_AS(load_fashion_mnist(directory.path()), ValueError);
  directory.write("t10k-labels-idx1-ubyte.gz", Directory::labels({1, 2, 3}));
  CHECK_THROWS_WITH_AS(load_fashion_mnist(directory.path()), doctest::Contains("2 images"), ValueError);
  directory.write("t10k-labels-idx1-ubyte.gz", Directory::labels({1, 10}));
  CHECK_THROWS_WITH_AS(load_fashion_mnist(directory.path()), doctest::Contains("label 10"), ValueError);
  directory.write("t10k-labels-idx1-ubyte.gz", Directory::labels({1, 2}));
  directory.write("t10k-images-idx3-ubyte.gz", Directory::images(2, 3));
  CHECK_THROWS_WITH_AS(load_fashion_mnist(directory.path()), doctest::Contains("2 pixels"), ValueError);
}

TEST_CASE("examples are taken in the order asked for, also more than once") {
  const Examples all{Tensor({{1, 2}, {3, 4}, {5, 6}}), Tensor({7, 8, 9}, DType::i64)};
  const std::array<std::int64_t, 4> places{2, 0, 0, 1};
  const Examples some = all.at(places);
  CHECK(some.images.same_bits(Tensor({{5, 6}, {1, 2}, {1, 2}, {3, 4}})));
  CHECK(some.labels.same_bits(Tensor({9, 7, 7, 8}, DType::i64)));
  CHECK(first(all, 2).labels.same_bits(Tensor({7, 8}, DType::i64)));
}

TEST_CASE("two spirals are the same for a key, with half of the points on each, near the unit disc") {
  const Dataset a = two_spirals(400, 100, 0.05, Key{3, 7});
  CHECK(a.train.images.same_bits(two_spirals(400, 100, 0.05, Key{3, 7}).train.images));
  CHECK_FALSE(a.train.images.same_bits(two_spirals(400, 100, 0.05, Key{4, 7}).train.images));
  double ones = 0, longest = 0;
  for (std::size_t k = 0; k < 400; ++k) {
    ones += a.train.labels.at(k);
    longest = std::max(longest, std::hypot(a.train.images.at(2 * k), a.train.images.at(2 * k + 1)));
  }
  CHECK(ones == 200);
  CHECK(longest > 0.9);
  CHECK(longest < 1 + 0.05 * std::sqrt(2));
}

TEST_CASE("training and test points of the spirals are different points") {
  const Dataset data = two_spirals(50, 50, 0, Key{1, 0});
  const Dataset longer = two_spirals(100, 0, 0, Key{1, 0});
  CHECK(data.test.images.at(0) == longer.train.images.at(100));
}

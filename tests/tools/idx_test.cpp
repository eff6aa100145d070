#include "demo/idx.hpp"

#include <doctest/doctest.h>
#include <unistd.h>
#include <zlib.h>

#include <backdrop/core/error.hpp>
#include <filesystem>
#include <fstream>
#include <string>

using backdrop::ValueError;
using backdrop::demo::Idx;
using backdrop::demo::read_idx;

namespace {

// A file in the temporary directory that is gone when the test ends.
class Scratch {
 public:
  Scratch()
      : path_(std::filesystem::temp_directory_path() / ("backdrop_idx_" + std::to_string(getpid()) + ".gz")) {
  }
  ~Scratch() { std::filesystem::remove(path_); }

  const std::filesystem::path& path() const { return path_; }
  void write_plain(const std::string& bytes) const {
    std::ofstream(path_, std::ios::binary).write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  }
  void write_gzip(const std::string& bytes) const {
    const gzFile file = gzopen(path_.c_str(), "wb");
    REQUIRE(file != nullptr);
    REQUIRE(gzwrite(file, bytes.data(), static_cast<unsigned>(bytes.size())) ==
            static_cast<int>(bytes.size()));
    REQUIRE(gzclose(file) == Z_OK);
  }
  std::string raw() const {
    std::ifstream file(path_, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
  }

 private:
  std::filesystem::path path_;
};

std::string word(unsigned number) {
  std::string bytes;
  for (const int shift : {24, 16, 8, 0}) bytes.push_back(static_cast<char>(number >> shift & 0xFF));
  return bytes;
}

// Two images of 1 x 3 bytes.
std::string images() {
  return word(0x0803) + word(2) + word(1) + word(3) + std::string("\x00\x01\x02\x7F\x80\xFF", 6);
}

void check_rejected(const Scratch& file, std::size_t rank, const std::string& reason) {
  try {
    read_idx(file.path(), rank);
    FAIL_CHECK("accepted, though " << reason);
  } catch (const ValueError& error) {
    const std::string what = error.what();
    CHECK_MESSAGE(what.find(file.path().string()) != std::string::npos, what);
    CHECK_MESSAGE(what.find(reason) != std::string::npos, what);
  }
}

}  // namespace

TEST_CASE("an IDX file is read byte by byte, compressed or not") {
  const Scratch file;
  for (const bool gzip : {true, false}) {
    gzip ? file.write_gzip(images()) : file.write_plain(images());
    const Idx idx = read_idx(file.path(), 3);
    CHECK(idx.extents == std::vector<std::int64_t>{2, 1, 3});
    CHECK(idx.bytes == std::vector<std::uint8_t>{0, 1, 2, 127, 128, 255});
  }
}

TEST_CASE("a file larger than what is read at once is read whole") {
  const Scratch file;
  std::string payload((std::size_t{1} << 20) + 3, '\x05');
  payload.back() = '\x06';
  file.write_gzip(word(0x0801) + word(static_cast<unsigned>(payload.size())) + payload);
  const Idx idx = read_idx(file.path(), 1);
  REQUIRE(idx.bytes.size() == payload.size());
  CHECK(idx.bytes.front() == 5);
  CHECK(idx.bytes.back() == 6);
}

TEST_CASE("a path that leads to no readable file is rejected") {
  const Scratch file;
  check_rejected(file, 3, "is not a file");
  CHECK_THROWS_AS(read_idx(std::filesystem::temp_directory_path(), 3), ValueError);
}

TEST_CASE("a file that is not IDX, or of another rank, is rejected") {
  const Scratch file;
  file.write_gzip("");
  check_rejected(file, 3, "too short");
  file.write_gzip("PNG and more");
  check_rejected(file, 3, "begins with 504e4720");
  file.write_gzip(word(0x0D03) + images().substr(4));  // floats
  check_rejected(file, 3, "begins with 00000d03");
  file.write_gzip(images());
  check_rejected(file, 1, "with 1 axes begins with 00000801");
}

TEST_CASE("a file that ends early or late is rejected") {
  const Scratch file;
  file.write_gzip(images().substr(0, 10));
  check_rejected(file, 3, "within the header");
  file.write_gzip(images().substr(0, 19));
  check_rejected(file, 3, "truncated: 3 of 6 elements");
  file.write_gzip(images() + "x");
  check_rejected(file, 3, "goes on after its 6 elements");
}

TEST_CASE("damage of the compressed data is noticed at every byte cut off, and where the checksum fails") {
  const Scratch file;
  file.write_gzip(images());
  const std::string whole = file.raw();
  for (std::size_t length = 0; length < whole.size(); ++length) {
    file.write_plain(whole.substr(0, length));
    CHECK_THROWS_AS_MESSAGE(read_idx(file.path(), 3), ValueError, length << " bytes");
  }
  std::string damaged = whole;
  damaged[damaged.size() - 6] = static_cast<char>(damaged[damaged.size() - 6] ^ 1);
  file.write_plain(damaged);
  check_rejected(file, 3, "cannot be read");
}

TEST_CASE("absurd sizes are rejected before memory is taken for them") {
  const Scratch file;
  file.write_gzip(word(0x0803) + word(0xFFFFFFFF) + word(0xFFFFFFFF) + word(0xFFFFFFFF));
  check_rejected(file, 3, "extent of 4294967295");
  file.write_gzip(word(0x0803) + word(1 << 15) + word(1 << 15) + word(2));
  check_rejected(file, 3, "extent of 2 along axis 2");
  file.write_gzip(word(0x0803) + word(2) + word(0) + word(3));
  check_rejected(file, 3, "extent of 0 along axis 1");
  file.write_gzip(word(0x0801) + word(1 << 30) + "few");
  check_rejected(file, 1, "truncated: 3 of 1073741824");
}

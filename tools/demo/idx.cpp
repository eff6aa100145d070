#include "demo/idx.hpp"

#include <fmt/core.h>
#include <zlib.h>

#include <algorithm>
#include <array>
#include <backdrop/core/error.hpp>
#include <cerrno>
#include <cstring>
#include <memory>
#include <span>
#include <string>

namespace backdrop::demo {

namespace {

constexpr std::uint8_t kUnsignedByte = 8;
constexpr std::uint64_t kMostBytes = std::uint64_t{1} << 30;

struct Close {
  void operator()(gzFile file) const { gzclose(file); }
};

// A file being read; every error names it.
class Input {
 public:
  explicit Input(const std::filesystem::path& path) : path_(path.string()) {
    if (!std::filesystem::is_regular_file(path)) fail("is not a file; look at the path");
    errno = 0;
    file_.reset(gzopen(path_.c_str(), "rb"));
    if (!file_) fail(fmt::format("cannot be opened: {}", errno == 0 ? "no memory" : std::strerror(errno)));
  }

  // Up to bytes.size() bytes; fewer only at the end of the file.
  std::size_t read(std::span<std::uint8_t> bytes) {
    const int count = gzread(file_.get(), bytes.data(), static_cast<unsigned>(bytes.size()));
    int status = Z_OK;
    const char* message = gzerror(file_.get(), &status);
    if (status == Z_BUF_ERROR) fail("is truncated: the compressed data break off");
    if (count < 0 || status != Z_OK) fail(fmt::format("cannot be read: {}", message));
    return static_cast<std::size_t>(count);
  }

  [[noreturn]] void fail(const std::string& what) const {
    throw ValueError(fmt::format("{}: {}", path_, what));
  }

 private:
  std::string path_;
  std::unique_ptr<gzFile_s, Close> file_;
};

std::vector<std::int64_t> read_header(Input& input, std::size_t rank) {
  std::array<std::uint8_t, 4> word{};
  if (input.read(word) < word.size()) input.fail("is too short for an IDX file");
  if (word[0] != 0 || word[1] != 0 || word[2] != kUnsignedByte || word[3] != rank) {
    input.fail(fmt::format(
        "begins with {:02x}{:02x}{:02x}{:02x}; an IDX file of bytes with {} axes begins with 000008{:02x}",
        word[0], word[1], word[2], word[3], rank, rank));
  }
  std::vector<std::int64_t> extents;
  std::uint64_t total = 1;
  for (std::size_t axis = 0; axis < rank; ++axis) {
    if (input.read(word) < word.size()) input.fail("is truncated: it ends within the header");
    const std::uint64_t extent = std::uint64_t{word[0]} << 24 | std::uint64_t{word[1]} << 16 |
                                 std::uint64_t{word[2]} << 8 | std::uint64_t{word[3]};
    total *= extent;  // cannot overflow: a factor below 2^32, and at most 2^30 so far
    if (extent == 0 || total > kMostBytes) {
      input.fail(fmt::format("states an extent of {} along axis {}; between 1 and {} bytes in all are read",
                             extent, axis, kMostBytes));
    }
    extents.push_back(static_cast<std::int64_t>(extent));
  }
  return extents;
}

// Grows with what is there, so that a short file that states a large size takes little memory.
std::vector<std::uint8_t> read_elements(Input& input, std::size_t count) {
  constexpr std::size_t kPiece = std::size_t{1} << 20;
  std::vector<std::uint8_t> bytes;
  while (bytes.size() < count) {
    const std::size_t before = bytes.size();
    bytes.resize(std::min(count, before + kPiece));
    const std::span<std::uint8_t> piece = std::span(bytes).subspan(before);
    const std::size_t got = input.read(piece);
    if (got < piece.size()) {
      input.fail(fmt::format("is truncated: {} of {} elements are there", before + got, count));
    }
  }
  return bytes;
}

}  // namespace

Idx read_idx(const std::filesystem::path& path, std::size_t rank) {
  Input input(path);
  Idx idx;
  idx.extents = read_header(input, rank);
  std::size_t count = 1;
  for (const std::int64_t extent : idx.extents) count *= static_cast<std::size_t>(extent);
  idx.bytes = read_elements(input, count);
  // Reading past the last element also makes zlib compare the checksum.
  std::array<std::uint8_t, 1> more{};
  if (input.read(more) != 0) input.fail(fmt::format("goes on after its {} elements", count));
  return idx;
}

}  // namespace backdrop::demo

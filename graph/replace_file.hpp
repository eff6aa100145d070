#pragma once

#include <cstdio>
#include <filesystem>
#include <string>
#include <string_view>

namespace backdrop {

/// A file written beside `path` under a temporary name, which takes its place at `commit`. Without it, and
/// after a failure, an older file stays as it was. Throws ValueError, beginning with `who`.
class ReplacedFile {
 public:
  ReplacedFile(std::string who, std::filesystem::path path);
  ~ReplacedFile();
  ReplacedFile(const ReplacedFile&) = delete;
  ReplacedFile& operator=(const ReplacedFile&) = delete;

  void write(std::string_view bytes);
  void commit();

 private:
  [[noreturn]] void fail(int error) const;

  std::string who_;
  std::filesystem::path path_, temporary_;
  std::FILE* file_ = nullptr;
};

}  // namespace backdrop

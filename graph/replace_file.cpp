#include "replace_file.hpp"

#include <backdrop/core/error.hpp>
#include <cerrno>
#include <system_error>
#include <utility>

namespace backdrop {

ReplacedFile::ReplacedFile(std::string who, std::filesystem::path path)
    : who_(std::move(who)), path_(std::move(path)) {
  // The name is tried, not drawn: nothing of the process's state decides it.
  for (int attempt = 0; file_ == nullptr; ++attempt) {
    temporary_ = path_;
    temporary_ += ".tmp" + std::to_string(attempt);
    file_ = std::fopen(temporary_.c_str(), "wbx");
    if (file_ == nullptr && (errno != EEXIST || attempt == 1000)) fail(errno);
  }
}

ReplacedFile::~ReplacedFile() {
  if (file_ != nullptr) std::fclose(file_);
  if (temporary_.empty()) return;
  std::error_code ignored;
  std::filesystem::remove(temporary_, ignored);
}

void ReplacedFile::write(std::string_view bytes) {
  if (std::fwrite(bytes.data(), 1, bytes.size(), file_) != bytes.size()) fail(errno);
}

void ReplacedFile::commit() {
  if (std::fclose(std::exchange(file_, nullptr)) != 0) fail(errno);
  std::error_code error;
  std::filesystem::rename(temporary_, path_, error);
  if (error) fail(error.value());
  temporary_.clear();
}

void ReplacedFile::fail(int error) const {
  throw ValueError(who_ + ": cannot write '" + path_.string() +
                   "': " + std::generic_category().message(error));
}

}  // namespace backdrop

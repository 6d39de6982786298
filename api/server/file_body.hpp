#pragma once
// A file of the blob store as the body of an answer: opened once, read in parts on a reader's thread, never whole in memory.

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

#include "common/base/result.hpp"

namespace postroom::api {

class FileBody {
 public:
  // HOME/blobs/ab/<sha256>. not_found: it is not there, or `sha256` is no digest; bad_message: it has another size; io: it cannot be opened.
  static Result<std::shared_ptr<FileBody>> open(const std::filesystem::path& blobs, std::string_view sha256, std::int64_t size);
  ~FileBody();
  FileBody(const FileBody&) = delete;
  FileBody& operator=(const FileBody&) = delete;

  std::int64_t size() const { return size_; }
  // At most `most` bytes from `offset` on, never none: a file that ends early is an error (io). Thread-safe.
  Result<std::string> read(std::int64_t offset, std::size_t most) const;

 private:
  FileBody(int descriptor, std::int64_t size) : descriptor_(descriptor), size_(size) {}
  int descriptor_;
  std::int64_t size_;
};

}  // namespace postroom::api

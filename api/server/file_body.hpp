#pragma once
// A file of the blob store as the body of an answer: opened once, read in parts on a reader's thread, never whole in memory.

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

#include "common/base/result.hpp"
#include "common/crypto/crypto.hpp"

namespace postroom::api {

class FileBody {
 public:
  // not_found: it is not there, or `sha256` is no digest; bad_message: it has another size; io: it cannot be opened.
  static Result<std::shared_ptr<FileBody>> open(const std::filesystem::path& blobs, std::string_view sha256, std::int64_t size);
  ~FileBody();
  FileBody(const FileBody&) = delete;
  FileBody& operator=(const FileBody&) = delete;

  std::int64_t size() const { return size_; }
  bool is_read() const { return offset_ == size_; }

  // The next bytes, at most `most`, never none before the end. A file that ends early, or turns out to be another than its name says, is an
  // error (io) before its last bytes are handed out: nobody takes it for whole. One thread at a time.
  Result<std::string> next(std::size_t most);

 private:
  FileBody(int descriptor, std::string sha256, std::int64_t size) : descriptor_(descriptor), sha256_(std::move(sha256)), size_(size) {}
  int descriptor_;
  std::string sha256_;
  std::int64_t size_;
  std::int64_t offset_ = 0;
  crypto::Sha256 digest_;
};

}  // namespace postroom::api

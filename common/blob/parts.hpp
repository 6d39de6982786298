#pragma once
// Private to common/blob: the folder behind a store, and descriptors that close themselves.

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <string>
#include <utility>

#include "common/base/result.hpp"
#include "common/blob/store.hpp"

namespace postroom::blob {

class Descriptor {
 public:
  Descriptor() = default;
  explicit Descriptor(int fd) : fd_(fd) {}
  Descriptor(Descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    if (this != &other) {
      close();
      fd_ = std::exchange(other.fd_, -1);
    }
    return *this;
  }
  ~Descriptor() { close(); }
  int get() const { return fd_; }
  bool is_open() const { return fd_ >= 0; }
  void close() {
    if (fd_ >= 0) ::close(std::exchange(fd_, -1));
  }

 private:
  int fd_ = -1;
};

struct Store::Parts {
  std::filesystem::path folder;
  Descriptor root;  // opened before anything is written: syncfs tells of write errors since then (Linux 5.8)
  std::atomic<std::uint64_t> last_draft{0};

  std::filesystem::path drafts() const { return folder / "new"; }
};

inline Error io_error(std::string_view doing, const std::filesystem::path& where) {
  const int reason = errno;
  return {Code::io, fmt::format("{}: {}", doing, std::strerror(reason)), where.string()};
}

}  // namespace postroom::blob

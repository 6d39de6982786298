#include "api/server/file_body.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace postroom::api {

namespace {

bool is_sha256(std::string_view text) {
  return text.size() == 64 && std::ranges::all_of(text, [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

}  // namespace

Result<std::shared_ptr<FileBody>> FileBody::open(const std::filesystem::path& blobs, std::string_view sha256, std::int64_t size) {
  if (!is_sha256(sha256)) return Error{Code::not_found, "is not the name of a blob", std::string{sha256}};
  const std::filesystem::path path = blobs / sha256.substr(0, 2) / sha256;
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
  if (descriptor < 0) return Error{errno == ENOENT ? Code::not_found : Code::io, fmt::format("cannot be opened: {}", std::strerror(errno)), path.string()};
  std::shared_ptr<FileBody> file{new FileBody{descriptor, size}};
  struct stat facts {};
  if (::fstat(descriptor, &facts) != 0) return Error{Code::io, fmt::format("cannot be looked at: {}", std::strerror(errno)), path.string()};
  if (!S_ISREG(facts.st_mode) || facts.st_size != size) {
    return Error{Code::bad_message, fmt::format("has {} bytes instead of {}", facts.st_size, size), path.string()};
  }
  return file;
}

FileBody::~FileBody() { ::close(descriptor_); }

Result<std::string> FileBody::read(std::int64_t offset, std::size_t most) const {
  std::string part(std::min(most, static_cast<std::size_t>(std::max<std::int64_t>(size_ - offset, 0))), '\0');
  std::size_t filled = 0;
  while (filled < part.size()) {
    const ssize_t got = ::pread(descriptor_, part.data() + filled, part.size() - filled, offset + static_cast<std::int64_t>(filled));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return Error{Code::io, fmt::format("cannot be read: {}", std::strerror(errno))};
    if (got == 0) return Error{Code::io, "ends before its size"};
    filled += static_cast<std::size_t>(got);
  }
  if (part.empty()) return Error{Code::bug, "nothing is left to read"};
  return part;
}

}  // namespace postroom::api

#include "api/server/file_body.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "common/blob/store.hpp"

namespace postroom::api {

Result<std::shared_ptr<FileBody>> FileBody::open(const std::filesystem::path& blobs, std::string_view sha256, std::int64_t size) {
  if (!blob::is_sha256(sha256)) return Error{Code::not_found, "is not the name of a blob", std::string{sha256}};
  const auto path = blob::Store::for_reading(blobs).file_of(sha256);
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
  if (descriptor < 0) return Error{errno == ENOENT ? Code::not_found : Code::io, fmt::format("cannot be opened: {}", std::strerror(errno)), path.string()};
  std::shared_ptr<FileBody> file{new FileBody{descriptor, std::string{sha256}, size}};
  struct stat facts {};
  if (::fstat(descriptor, &facts) != 0) return Error{Code::io, fmt::format("cannot be looked at: {}", std::strerror(errno)), path.string()};
  if (!S_ISREG(facts.st_mode) || facts.st_size != size) {
    return Error{Code::bad_message, fmt::format("has {} bytes instead of {}", facts.st_size, size), path.string()};
  }
  return file;
}

FileBody::~FileBody() { ::close(descriptor_); }

Result<std::string> FileBody::next(std::size_t most) {
  std::string part(std::min(most, static_cast<std::size_t>(size_ - offset_)), '\0');
  std::size_t filled = 0;
  while (filled < part.size()) {
    const ssize_t got = ::pread(descriptor_, part.data() + filled, part.size() - filled, offset_ + static_cast<std::int64_t>(filled));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return Error{Code::io, fmt::format("cannot be read: {}", std::strerror(errno)), sha256_};
    if (got == 0) return Error{Code::io, "ends before its size", sha256_};
    filled += static_cast<std::size_t>(got);
  }
  digest_.add(part);
  offset_ += static_cast<std::int64_t>(part.size());
  if (is_read() && crypto::to_hex(digest_.finish()) != sha256_) return Error{Code::io, "is not what its name says: check the disk", sha256_};
  return part;
}

}  // namespace postroom::api

#include "api/cli/home_files.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <sstream>
#include <utility>

namespace postroom::cli {

namespace {

Error failed(std::string_view verb, const std::filesystem::path& path) {
  return Error{Code::io, fmt::format("cannot {}: {}", verb, std::strerror(errno)), path.string()};
}

bool write_all(int file, std::string_view content) {
  while (!content.empty()) {
    const ssize_t count = ::write(file, content.data(), content.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return false;
    content.remove_prefix(static_cast<std::size_t>(count));
  }
  return ::fsync(file) == 0;
}

void flush_folder(const std::filesystem::path& folder) {
  const int file = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (file < 0) return;
  ::fsync(file);
  ::close(file);
}

}  // namespace

Result<void> ensure_folder(const std::filesystem::path& path, mode_t mode) {
  if (::mkdir(path.c_str(), mode) == 0) return {};
  if (errno != EEXIST) return failed("make the folder", path);
  struct stat facts {};
  if (::stat(path.c_str(), &facts) != 0) return failed("look at", path);
  if (!S_ISDIR(facts.st_mode)) return Error{Code::conflict, "is there, but is no folder; move it away", path.string()};
  if ((facts.st_mode & 07777) != mode && ::chmod(path.c_str(), mode) != 0) return failed("set the mode of", path);
  return {};
}

Result<bool> replace_file(const std::filesystem::path& path, std::string_view content, mode_t mode) {
  std::ifstream existing{path, std::ios::binary};
  if (existing) {
    std::stringstream text;
    text << existing.rdbuf();
    if (text.str() == content) return false;
  }
  const std::filesystem::path beside = path.string() + ".new";
  ::unlink(beside.c_str());
  const int file = ::open(beside.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
  if (file < 0) return failed("create", beside);
  const bool is_written = write_all(file, content);
  const int reason = errno;
  ::close(file);
  if (!is_written) {
    ::unlink(beside.c_str());
    errno = reason;
    return failed("write", beside);
  }
  if (::rename(beside.c_str(), path.c_str()) != 0) return failed("replace", path);
  flush_folder(path.parent_path());
  return true;
}

Result<bool> create_file(const std::filesystem::path& path, std::string_view content, mode_t mode) {
  struct stat facts {};
  if (::lstat(path.c_str(), &facts) == 0) return false;
  if (errno != ENOENT) return failed("look at", path);
  return replace_file(path, content, mode);
}

Result<FolderLock> FolderLock::take(const std::filesystem::path& folder) {
  const int file = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (file < 0) return failed("open", folder);
  if (::flock(file, LOCK_EX) != 0) {
    ::close(file);
    return failed("lock", folder);
  }
  return FolderLock{file};
}

FolderLock::FolderLock(FolderLock&& other) noexcept : file_(std::exchange(other.file_, -1)) {}

FolderLock::~FolderLock() {
  if (file_ >= 0) ::close(file_);
}

}  // namespace postroom::cli

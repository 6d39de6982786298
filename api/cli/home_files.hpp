#pragma once
// Files of a home, written so that a crash leaves the old or the new content, never half of it.

#include <sys/types.h>

#include <filesystem>
#include <string>
#include <string_view>

#include "common/base/result.hpp"

namespace postroom::cli {

// The folder with exactly this mode, made if it is not there. io names it.
Result<void> ensure_folder(const std::filesystem::path& path, mode_t mode);

// True when the content was new: written beside, flushed, renamed over, the folder flushed.
Result<bool> replace_file(const std::filesystem::path& path, std::string_view content, mode_t mode);

// True when the file was made; an existing one is left as it is, whatever it holds.
Result<bool> create_file(const std::filesystem::path& path, std::string_view content, mode_t mode);

// Holds a folder exclusively until destroyed; waits for another holder.
class FolderLock {
 public:
  static Result<FolderLock> take(const std::filesystem::path& folder);
  ~FolderLock();
  FolderLock(FolderLock&& other) noexcept;
  FolderLock& operator=(FolderLock&&) = delete;

 private:
  explicit FolderLock(int file) : file_(file) {}
  int file_;
};

}  // namespace postroom::cli

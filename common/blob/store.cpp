#include "common/blob/store.hpp"

#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <chrono>

#include "common/base/sabotage.hpp"
#include "common/blob/parts.hpp"
#include "common/crypto/crypto.hpp"

namespace postroom::blob {

namespace {

constexpr std::size_t part_bytes = 64 * 1024;
constexpr std::chrono::hours draft_life{1};  // since its last byte; a mail's bytes follow each other within a minute

// 0: it was there.
Result<bool> make_folder(const std::filesystem::path& path) {
  if (::mkdir(path.c_str(), 0700) == 0) return true;
  if (errno == EEXIST) return false;
  return io_error("the folder cannot be made", path);
}

Result<void> flush_folder(const std::filesystem::path& path) {
  const Descriptor folder{::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
  if (!folder.is_open() || ::fsync(folder.get()) != 0) return io_error("the folder cannot be flushed", path);
  return {};
}

void remove_old_drafts(const std::filesystem::path& folder) {
  std::error_code ignored;
  const auto oldest = std::filesystem::file_time_type::clock::now() - draft_life;
  for (const auto& entry : std::filesystem::directory_iterator{folder, ignored}) {
    const auto written = entry.last_write_time(ignored);
    if (!ignored && written < oldest) std::filesystem::remove(entry.path(), ignored);
  }
}

}  // namespace

bool is_sha256(std::string_view text) {
  return text.size() == 64 &&
         std::ranges::all_of(text, [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

Result<Store> Store::open(const std::filesystem::path& folder) {
  if (const auto made = make_folder(folder); !made) return made.error();
  bool is_any_new = false;
  const auto make = [&](const std::filesystem::path& path) -> Result<void> {
    const auto made = make_folder(path);
    if (!made) return made.error();
    is_any_new = is_any_new || *made;
    return {};
  };
  auto parts = std::make_shared<Parts>();
  parts->folder = folder;
  if (const auto made = make(parts->drafts()); !made) return made.error();
  for (int first = 0; first < 256; ++first) {
    if (const auto made = make(folder / fmt::format("{:02x}", first)); !made) return made.error();
  }
  if (is_any_new) {
    if (const auto flushed = flush_folder(folder); !flushed) return flushed.error();
    if (const auto flushed = flush_folder(std::filesystem::absolute(folder).parent_path()); !flushed) return flushed.error();
  }
  parts->root = Descriptor{::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
  if (!parts->root.is_open()) return io_error("the folder cannot be opened", folder);
  remove_old_drafts(parts->drafts());
  return Store{std::move(parts)};
}

Store Store::for_reading(const std::filesystem::path& folder) {
  auto parts = std::make_shared<Parts>();
  parts->folder = folder;
  return Store{std::move(parts)};
}

std::filesystem::path Store::file_of(std::string_view sha256) const {
  return parts_->folder / sha256.substr(0, 2) / sha256;
}

bool Store::has(const Ref& ref) const {
  struct stat facts {};
  return is_sha256(ref.sha256) && ::stat(file_of(ref.sha256).c_str(), &facts) == 0 && facts.st_size == ref.size;
}

Result<std::string> Store::read(const Ref& ref, std::int64_t limit) const {
  if (ref.size > limit)
    return Error{Code::bad_message, fmt::format("the blob has {} bytes, more than {}", ref.size, limit), ref.sha256};
  std::string content;
  content.reserve(static_cast<std::size_t>(std::max<std::int64_t>(ref.size, 0)));
  const auto streamed = stream(ref, [&](std::string_view part) {
    content.append(part);
    return true;
  });
  if (!streamed) return streamed.error();
  return content;
}

Result<void> Store::stream(const Ref& ref, const std::function<bool(std::string_view)>& take) const {
  if (!is_sha256(ref.sha256)) return Error{Code::bad_message, "this is no SHA-256 in lower-case hexadecimal digits"};
  const auto path = file_of(ref.sha256);
  const Descriptor file{::open(path.c_str(), O_RDONLY | O_CLOEXEC)};
  if (!file.is_open()) {
    if (errno == ENOENT) return Error{Code::not_found, "the blob is not there", ref.sha256};
    return io_error("the blob cannot be opened", path);
  }
  const auto differs = [&](std::string_view how) {
    return Error{Code::io, fmt::format("the blob is not what its name says ({}): check the disk", how), path.string()};
  };
  struct stat facts {};
  if (::fstat(file.get(), &facts) != 0) return io_error("the blob cannot be read", path);
  if (facts.st_size != ref.size) return differs(fmt::format("{} bytes instead of {}", facts.st_size, ref.size));
  crypto::Sha256 digest;
  std::array<char, part_bytes> part{};
  while (true) {
    const ssize_t count = ::read(file.get(), part.data(), part.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return io_error("the blob cannot be read", path);
    if (count == 0) break;
    const std::string_view bytes{part.data(), static_cast<std::size_t>(count)};
    digest.add(bytes);
    if (!take(bytes)) return {};
  }
  if (crypto::to_hex(digest.finish()) != ref.sha256 && !saboteur("damaged_blob_handed_on")) return differs("other bytes");
  return {};
}

}  // namespace postroom::blob

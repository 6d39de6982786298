#pragma once
// The blob store of one host: content-addressed files, HOME/blobs/ab/<sha256>. A file that has its final name is whole and durable.

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "common/base/result.hpp"

namespace postroom::blob {

struct Ref {
  std::string sha256;     // 64 lower-case hexadecimal digits
  std::int64_t size = 0;  // bytes
  bool operator==(const Ref&) const = default;
};

// Asked of every reference that comes from outside, before it becomes a part of a path.
bool is_sha256(std::string_view text);

// A value that stands for the folder; copies are the same store. All of it may be used by several threads at once.
class Store {
 public:
  // Makes the folder (0700) and its parts when they are missing, and removes drafts of processes that died, which nobody
  // has written to for an hour. io: the folder cannot be made or opened.
  static Result<Store> open(const std::filesystem::path& folder);
  // For programs that only read: makes and removes nothing. The folder may be missing; then nothing is found.
  static Store for_reading(const std::filesystem::path& folder);

  bool has(const Ref& ref) const;

  // The whole content. not_found: it is not there; bad_message: the reference is none, or above `limit` bytes; io: it cannot
  // be read, or it is not what its name says (a broken disk).
  Result<std::string> read(const Ref& ref, std::int64_t limit) const;

  // The content in parts, for answers that are never whole in memory: `take` gets each part and says whether it wants more.
  // The same errors; a content that is not what its name says is found at the end, after its bytes were handed out.
  Result<void> stream(const Ref& ref, const std::function<bool(std::string_view)>& take) const;

  std::filesystem::path file_of(std::string_view sha256) const;  // of a text for which is_sha256 holds

 private:
  friend class Writer;
  friend class Batch;
  struct Parts;
  explicit Store(std::shared_ptr<Parts> parts) : parts_(std::move(parts)) {}
  std::shared_ptr<Parts> parts_;
};

}  // namespace postroom::blob

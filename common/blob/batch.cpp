#include "common/blob/batch.hpp"

#include <algorithm>
#include <set>

#include "common/base/crash_point.hpp"
#include "common/base/sabotage.hpp"
#include "common/blob/parts.hpp"
#include "common/crypto/crypto.hpp"

namespace postroom::blob {

namespace {

constexpr std::size_t few = 4;  // files that are cheaper to flush one by one than the whole file system

Result<void> flush(const std::filesystem::path& path, int flags) {
  if (saboteur("blob_not_flushed")) return {};
  const Descriptor file{::open(path.c_str(), flags | O_CLOEXEC)};
  if (!file.is_open() || ::fsync(file.get()) != 0) return io_error("it cannot be flushed to the disk", path);
  return {};
}

}  // namespace

// --- drafts ---

Draft::Draft(Draft&& other) noexcept : file_(std::exchange(other.file_, {})), ref_(std::move(other.ref_)) {}

Draft& Draft::operator=(Draft&& other) noexcept {
  std::swap(file_, other.file_);
  std::swap(ref_, other.ref_);
  return *this;
}

Draft::~Draft() {
  if (!file_.empty()) ::unlink(file_.c_str());
}

// --- writing one ---

struct Writer::Parts {
  std::filesystem::path path;
  Descriptor file;
  crypto::Sha256 digest;
  std::int64_t byte_count = 0;

  ~Parts() {
    if (!path.empty()) ::unlink(path.c_str());
  }
};

Writer::Writer(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}
Writer::Writer(Writer&&) noexcept = default;
Writer& Writer::operator=(Writer&&) noexcept = default;
Writer::~Writer() = default;

Result<Writer> Writer::begin(const Store& store) {
  Store::Parts& house = *store.parts_;
  // Unique among processes that live at the same time; O_EXCL finds what a dead one of the same number left.
  while (true) {
    auto path = house.drafts() / fmt::format("{}-{}", ::getpid(), ++house.last_draft);
    Descriptor file{::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600)};
    if (!file.is_open() && errno == EEXIST) continue;
    if (!file.is_open()) return io_error("a new blob cannot be begun", path);
    auto parts = std::make_unique<Parts>();
    parts->path = std::move(path);
    parts->file = std::move(file);
    return Writer{std::move(parts)};
  }
}

Result<void> Writer::add(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t count = ::write(parts_->file.get(), bytes.data(), bytes.size());
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return io_error("the blob cannot be written", parts_->path);
    const std::string_view written = bytes.substr(0, static_cast<std::size_t>(count));
    parts_->digest.add(written);
    parts_->byte_count += count;
    bytes.remove_prefix(written.size());
  }
  return {};
}

Result<Draft> Writer::finish() {
  parts_->file.close();
  Ref ref{crypto::to_hex(parts_->digest.finish()), parts_->byte_count};
  return Draft{std::exchange(parts_->path, {}), std::move(ref)};
}

std::int64_t Writer::byte_count() const { return parts_->byte_count; }

// --- many at once ---

Result<Ref> Batch::add(std::string_view bytes) {
  auto writer = Writer::begin(store_);
  if (!writer) return writer.error();
  if (const auto added = writer->add(bytes); !added) return added.error();
  auto draft = writer->finish();
  if (!draft) return draft.error();
  return add(std::move(*draft));
}

Ref Batch::add(Draft draft) {
  Ref ref = draft.ref();
  drafts_.push_back(std::move(draft));
  return ref;
}

Result<void> Batch::commit() {
  Batch* const self = this;
  return commit_together({&self, 1});
}

// First the bytes, then the names, then the folders that hold the names: a name never leads to bytes that a power cut could
// take away, and nothing is told of before its name is safe.
Result<void> Batch::commit_together(std::span<Batch* const> batches) {
  std::vector<Draft> drafts;
  const Store* store = nullptr;
  for (Batch* batch : batches) {
    if (!batch->drafts_.empty()) store = &batch->store_;
    std::ranges::move(batch->drafts_, std::back_inserter(drafts));
    batch->drafts_.clear();
  }
  if (drafts.empty()) return {};
  const Store::Parts& house = *store->parts_;
  const bool is_few = drafts.size() <= few;
  const auto flush_all = [&]() -> Result<void> {
    if (::syncfs(house.root.get()) != 0) return io_error("the disk cannot be flushed", house.folder);
    return {};
  };

  crash_point("blob_before_flush");
  if (!is_few) {
    if (const auto flushed = flush_all(); !flushed) return flushed;
  } else {
    for (const Draft& draft : drafts) {
      if (const auto flushed = flush(draft.file_, O_RDONLY); !flushed) return flushed;
    }
  }
  crash_point("blob_after_flush");
  std::set<std::filesystem::path> folders;
  for (Draft& draft : drafts) {
    const auto path = store->file_of(draft.ref_.sha256);
    if (::rename(draft.file_.c_str(), path.c_str()) != 0) return io_error("the blob cannot be given its name", path);
    draft.file_.clear();
    folders.insert(path.parent_path());
  }
  crash_point("blob_after_rename");
  if (!is_few) return flush_all();
  for (const auto& folder : folders) {
    if (const auto flushed = flush(folder, O_RDONLY | O_DIRECTORY); !flushed) return flushed;
  }
  return {};
}

}  // namespace postroom::blob

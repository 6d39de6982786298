#pragma once
// Putting blobs into the store. Durability is paid for the batch, not for the blob: two flushes for hundreds of mails.
//
//   Writer ── finish ──▶ Draft ──▶ Batch ── commit ──▶ flush, rename, flush the folders: now they may be told of
//
// A draft is a nameless file of its own; what is not committed is removed with its owner, or, when the process dies, by a
// later Store::open. A blob that is there already is replaced by the same bytes, which also makes it young again for whoever
// collects the unreferenced, and heals it if it was damaged.

#include <cstddef>
#include <filesystem>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "common/blob/store.hpp"

namespace postroom::blob {

// A written file that has no name in the store yet.
class Draft {
 public:
  Draft(Draft&&) noexcept;
  Draft& operator=(Draft&&) noexcept;
  ~Draft();  // removes the file, unless it was committed

  const Ref& ref() const { return ref_; }

 private:
  friend class Writer;
  friend class Batch;
  Draft(std::filesystem::path file, Ref ref) : file_(std::move(file)), ref_(std::move(ref)) {}
  std::filesystem::path file_;  // empty: moved from, or committed
  Ref ref_;
};

// One blob, streamed. Blocks as writing to the page cache does.
class Writer {
 public:
  static Result<Writer> begin(const Store& store);
  Writer(Writer&&) noexcept;
  Writer& operator=(Writer&&) noexcept;
  ~Writer();  // removes what was not finished

  Result<void> add(std::string_view bytes);  // io, as for a full disk: the writer is of no more use
  Result<Draft> finish();                    // the writer is of no more use
  std::int64_t byte_count() const;

 private:
  struct Parts;
  explicit Writer(std::unique_ptr<Parts> parts);
  std::unique_ptr<Parts> parts_;
};

class Batch {
 public:
  explicit Batch(const Store& store) : store_(store) {}

  Result<Ref> add(std::string_view bytes);  // a whole blob
  Ref add(Draft draft);
  std::size_t size() const { return drafts_.size(); }

  // When it returns without an error, every blob of the batch is there even after a power cut. Blocks for as long as the disk
  // takes. With an error nothing may be told of; the drafts are removed. Thread: any, one at a time for one batch.
  Result<void> commit();

  // The same for the batches of many, with the two flushes of one.
  static Result<void> commit_together(std::span<Batch* const> batches);

 private:
  Store store_;
  std::vector<Draft> drafts_;
};

}  // namespace postroom::blob

#pragma once
// The attachments of one mail on their way into the blob store: streamed while the sandbox decodes them, never whole in memory.

#include <cstddef>
#include <optional>
#include <string_view>
#include <vector>

#include "common/blob/batch.hpp"

namespace postroom::mail_router {

class Attachments {
 public:
  explicit Attachments(const blob::Store& store) : store_(store), batch_(store) {}

  // Bytes of attachment `index`; indexes never go back. After a failure everything is passed over, and finish() tells it.
  void add(std::size_t index, std::string_view bytes);

  // The sandbox begins anew with this mail: forgets all.
  void reset();

  // One reference for each of `count` attachments, in order; one without bytes is the empty blob. io: the store failed, and
  // nothing is kept. Afterwards take() hands out what is to be made durable.
  Result<std::vector<blob::Ref>> finish(std::size_t count);
  blob::Batch take();

 private:
  Result<void> advance_to(std::size_t index);  // closes what is open, makes empty ones up to it
  Result<void> close_open();

  blob::Store store_;
  blob::Batch batch_;
  std::vector<blob::Ref> refs_;
  std::optional<blob::Writer> open_;  // of attachment refs_.size()
  std::optional<Error> failure_;
};

}  // namespace postroom::mail_router

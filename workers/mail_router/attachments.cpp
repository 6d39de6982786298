#include "workers/mail_router/attachments.hpp"

#include <utility>

namespace postroom::mail_router {

void Attachments::add(std::size_t index, std::string_view bytes) {
  if (failure_) return;
  if (const auto there = advance_to(index); !there) {
    failure_ = there.error();
    return;
  }
  if (!open_) {
    auto begun = blob::Writer::begin(store_);
    if (!begun) {
      failure_ = begun.error();
      return;
    }
    open_.emplace(std::move(*begun));
  }
  if (const auto written = open_->add(bytes); !written) failure_ = written.error();
}

void Attachments::reset() { *this = Attachments{store_}; }

Result<void> Attachments::close_open() {
  if (!open_) return {};
  auto draft = open_->finish();
  open_.reset();
  if (!draft) return draft.error();
  refs_.push_back(batch_.add(std::move(*draft)));
  return {};
}

Result<void> Attachments::advance_to(std::size_t index) {
  if (open_ && refs_.size() < index) {
    if (const auto closed = close_open(); !closed) return closed;
  }
  while (!open_ && refs_.size() < index) {
    auto empty = batch_.add(std::string_view{});
    if (!empty) return empty.error();
    refs_.push_back(std::move(*empty));
  }
  return {};
}

Result<std::vector<blob::Ref>> Attachments::finish(std::size_t count) {
  if (!failure_) {
    if (const auto complete = advance_to(count); !complete) failure_ = complete.error();
  }
  if (!failure_) {
    if (const auto closed = close_open(); !closed) failure_ = closed.error();
  }
  if (failure_) {
    const Error why = *failure_;
    reset();
    return why;
  }
  return std::move(refs_);
}

blob::Batch Attachments::take() { return std::exchange(batch_, blob::Batch{store_}); }

}  // namespace postroom::mail_router

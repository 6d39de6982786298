// Which mails are new: one round from the listing to the cursor.

#include <fmt/format.h>

#include <algorithm>

#include "common/base/text.hpp"
#include "common/imap/engine.hpp"

namespace postroom::imap {

// Resting or idling is over. NOOP first: without IDLE a server tells of new mails only when it is spoken to.
void Engine::look_again() {
  look_at_.reset();
  wants_listing_ = true;
  if (stage_ == Stage::idling) return stop_idling();
  stage_ = Stage::listing;
  std::string tag = next_tag();
  issue(Kind::noop, CommandWriter(tag, "NOOP").line(), tag, settings_.command_timeout);
}

void Engine::list() {
  stage_ = Stage::listing;
  wants_listing_ = false;
  is_truncated_ = false;
  highest_listed_ = 0;
  found_.clear();
  if (exists_ == 0 || last_uid_ == 0xffffffffu)
    return begin_round();  // some servers take "*" in an empty mailbox for an error
  if (!can("IMAP4REV1") && can("IMAP4REV2")) return list_by_fetch();  // answers SEARCH with sets of unknown size
  std::string tag = next_tag();
  issue(Kind::search, CommandWriter(tag, "UID SEARCH").word(fmt::format("UID {}:*", last_uid_ + 1)).line(), tag,
        settings_.listing_timeout);
}

// Keeps the lowest of the new ones when there are too many: the cursor must not pass what is left out.
void Engine::collect(Uid uid) {
  if (stage_ != Stage::listing) return;
  highest_listed_ = std::max(highest_listed_, uid);
  if (uid <= last_uid_) return;
  found_.push_back(uid);
  if (found_.size() < 2 * settings_.listing_limit + 2) return;
  const auto middle = found_.begin() + static_cast<std::ptrdiff_t>(settings_.listing_limit);
  std::nth_element(found_.begin(), middle, found_.end());
  found_.erase(middle, found_.end());
  is_truncated_ = true;
}

void Engine::listed(const Status& status, Kind kind) {
  if (status.condition == Condition::ok) return begin_round();
  if (kind == Kind::list) {
    return fail({Code::unavailable,
                 fmt::format("the server does not list its mails: {}", json_escaped(cut_utf8(status.text, 200))),
                 task_.mailbox});
  }
  list_by_fetch();
}

void Engine::list_by_fetch() {
  found_.clear();
  is_truncated_ = false;
  std::string tag = next_tag();
  issue(Kind::list, CommandWriter(tag, "UID FETCH").word(fmt::format("{}:*", last_uid_ + 1)).word("(UID)").line(), tag,
        settings_.listing_timeout);
}

void Engine::begin_round() {
  std::sort(found_.begin(), found_.end());
  found_.erase(std::unique(found_.begin(), found_.end()), found_.end());
  // n:* names the last mail even when it is below n: here that tells whether UIDNEXT is true.
  if (std::exchange(is_next_doubtful_, false) && highest_listed_ < *mailbox_.uid_next) {
    emit(CursorReset{fmt::format("UIDNEXT is {} although UID {} was seen", *mailbox_.uid_next, last_uid_)});
    last_uid_ = progress_ = 0;
    leaves_old_alone_ = task_.since.has_value();
    return list();
  }
  if (found_.size() > settings_.listing_limit) {
    found_.resize(settings_.listing_limit);
    is_truncated_ = true;
  }
  if (found_.empty()) listing_not_before_ = now_ + settings_.listing_pause;
  plan_.begin(std::move(found_));
  found_.clear();
  stage_ = Stage::fetching;
  fetch();
}

void Engine::report_progress() {
  const Uid reported = plan_.reported_up_to(last_uid_);
  if (reported <= progress_) return;
  progress_ = reported;
  emit(Progress{{mailbox_.uid_validity, progress_}, std::exchange(older_count_, 0)});
}

void Engine::finish_round() {
  last_uid_ = plan_.reported_up_to(last_uid_);
  plan_.begin({});
  if (is_truncated_) {
    wants_listing_ = true;
  } else if (!wants_listing_) {
    emit(CaughtUp{{mailbox_.uid_validity, last_uid_}});
  }
  proceed();
}

}  // namespace postroom::imap

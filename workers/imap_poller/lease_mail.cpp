// What the IMAP engine finds, and how it becomes arrivals.

#include <fmt/format.h>

#include <algorithm>

#include "common/base/sabotage.hpp"
#include "workers/imap_poller/arrival.hpp"
#include "workers/imap_poller/lease.hpp"

namespace postroom::imap_poller {

using messages::MailExtent;
using messages::ReasonClass;

namespace {

template <class... Cases>
struct Overloaded : Cases... {
  using Cases::operator()...;
};

ReasonClass reason_class_of(Code code) {
  switch (code) {
    case Code::unauthorized:
      return ReasonClass::credentials;
    case Code::not_found:
      return ReasonClass::not_found;
    case Code::rate_limited:
      return ReasonClass::rate_limited;
    case Code::timeout:
      return ReasonClass::timeout;
    case Code::unavailable:
      return ReasonClass::server_error;
    default:
      return ReasonClass::protocol;
  }
}

messages::ChoreResult result_of(imap::ChoreDone::Outcome outcome) {
  switch (outcome) {
    case imap::ChoreDone::Outcome::done:
      return messages::ChoreResult::done;
    case imap::ChoreDone::Outcome::refused:
      return messages::ChoreResult::refused;
    case imap::ChoreDone::Outcome::failed:
      break;
  }
  return messages::ChoreResult::failed;
}

}  // namespace

void Lease::perform(imap::Actions actions, SteadyTime now) {
  for (imap::Action& action : actions) {
    std::visit(Overloaded{[&](imap::Send& send) { actions_.push_back(Transmit{std::move(send.bytes)}); },
                          [&](const imap::WakeAt& wake) { engine_wake_ = wake.at; },
                          [&](const imap::Selected& mailbox) { selected(mailbox); },
                          [&](const imap::ValidityChanged& change) {
                            actions_.push_back(Note{fmt::format("UIDVALIDITY changed from {} to {}: the whole mailbox is listed again",
                                                                change.before, change.now)});
                          },
                          [&](const imap::CursorReset& reset) {
                            previous_ = 0;
                            notice_ = "the server's UIDs fell: " + reset.why;
                            actions_.push_back(Note{notice_});
                          },
                          [&](const imap::Notice& notice) {
                            notice_ = notice.text;
                            actions_.push_back(Note{"the server says: " + notice.text});
                          },
                          [&](const imap::MailBegin&) { actions_.push_back(BeginMail{}); },
                          [&](const imap::MailChunk& chunk) { actions_.push_back(AddBytes{chunk.bytes}); },
                          [&](const imap::MailEnd& end) { take_end(end); },
                          [&](const imap::MailDropped&) { actions_.push_back(DropMail{}); },
                          [&](const imap::MailMissing& missing) { take_missing(missing); },
                          [&](const imap::Asking& asking) {
                            asked_ = asking.uid;
                            is_asking_ = has_news_ = true;
                          },
                          [&](const imap::Progress& progress) { take_progress(progress); },
                          [&](const imap::CaughtUp&) { is_caught_up_ = has_news_ = true; },
                          [&](const imap::ChoreDone& done) { take_chore(done); },
                          [&](const imap::Done&) { settle(); },
                          [&](const imap::Failed& failed) { ended(failed); }},
               action);
  }
  consider_word(now);
}

void Lease::ended(const imap::Failed& failed) {
  suspect_ = failed.suspect;
  fail({reason_class_of(failed.error.code()), failed.error.text()});
}

void Lease::selected(const imap::Selected& mailbox) {
  mailbox_ = mailbox;
  previous_ = cursor_ && cursor_->uid_validity == mailbox.uid_validity ? cursor_->last_uid : 0;
}

void Lease::take_end(const imap::MailEnd& end) {
  Mail mail;
  mail.has_draft = true;
  mail.stated_size = end.stated_size;
  mail.received_at = end.received_at;
  if (end.extent == imap::MailEnd::Extent::header_only) {
    mail.extent = MailExtent::header_only;
    mail.trouble = fmt::format("it has {} bytes, more than the {} of mail.size_limit",
                               std::max(end.stated_size, end.byte_count), engine_settings_.size_limit);
  }
  actions_.push_back(EndMail{end.uid});
  mails_.insert_or_assign(end.uid, std::move(mail));
}

void Lease::take_missing(const imap::MailMissing& missing) {
  if (missing.why == imap::MailMissing::Why::gone) return;  // somebody took it away before we saw it: it never arrived
  Mail mail;
  mail.extent = MailExtent::none;
  mail.trouble = missing.why == imap::MailMissing::Why::skipped
                     ? "every conversation with the server broke at this mail; it was passed over"
                     : "the server does not give this mail: " + missing.text;
  mails_.insert_or_assign(missing.uid, std::move(mail));
}

void Lease::take_progress(const imap::Progress& progress) {
  older_count_ += static_cast<std::int64_t>(progress.older_count);
  Batch batch;
  batch.up_to = progress.cursor.last_uid;
  batch.uid_validity = progress.cursor.uid_validity;
  const auto end = mails_.upper_bound(batch.up_to);
  Keep keep;
  for (auto at = mails_.begin(); at != end; ++at) {
    if (at->second.has_draft) keep.uids.push_back(at->first);
    batch.mails.insert(std::move(*at));
  }
  mails_.erase(mails_.begin(), end);
  if (batch.mails.empty()) return;  // gone, or too old: nothing to tell
  keep.batch = batch.number = ++last_batch_;
  batches_.push_back(std::move(batch));
  actions_.push_back(std::move(keep));
}

Actions Lease::on_kept(std::uint64_t number, const Result<Kept>& kept, SteadyTime now) {
  const auto batch = std::ranges::find(batches_, number, &Batch::number);
  if (batch == batches_.end()) return take();
  if (kept && !is_keeping_over_) {
    publish(*batch, *kept);
    if (saboteur("cursor_before_confirm")) return on_confirmed(number, now);
    return take();
  }
  batches_.erase(batch);
  if (!is_keeping_over_) {
    is_keeping_over_ = true;
    is_caught_up_ = false;
    const Failure why{ReasonClass::none, "this machine cannot keep mails: " + kept.error().text()};
    fail(why);
    if (outcome_ == messages::PollOutcome::done) {  // on the way out, but not in peace
      outcome_ = messages::PollOutcome::failed;
      failure_ = why;
    }
  }
  return take();
}

void Lease::publish(Batch& batch, const Kept& kept) {
  Publish order{batch.number, {}};
  for (const auto& [uid, mail] : batch.mails) {
    messages::MailArrived arrived;
    arrived.inbox_id = job_.inbox_id;
    arrived.uid_validity = batch.uid_validity;
    arrived.uid = uid;
    arrived.ticket_id = ticket_id_of(arrival_id_of(arrived));
    arrived.previous_uid = previous_;
    arrived.extent = mail.extent;
    if (const auto found = kept.find(uid); found != kept.end()) arrived.blob = found->second;
    arrived.stated_size = static_cast<std::int64_t>(mail.stated_size);
    arrived.trouble = mail.trouble;
    if (mail.received_at) arrived.received_at_us = to_micros(*mail.received_at);
    previous_ = uid;
    order.mails.push_back(std::move(arrived));
  }
  batch.mails.clear();
  actions_.push_back(std::move(order));
}

// Batches are told of in order, but the broker's confirms may come otherwise: the engine hears of a batch when all before it
// are through.
Actions Lease::on_confirmed(std::uint64_t number, SteadyTime now) {
  const auto batch = std::ranges::find(batches_, number, &Batch::number);
  if (batch == batches_.end()) return take();
  batch->is_confirmed = true;
  std::optional<imap::Uid> up_to;
  while (!batches_.empty() && batches_.front().is_confirmed) {
    up_to = batches_.front().up_to;
    batches_.pop_front();
  }
  if (up_to && stage_ == Stage::talking) perform(engine_->on_kept(*up_to, now), now);
  consider_word(now);
  return take();
}

void Lease::take_chore(const imap::ChoreDone& done) {
  reports_.push_back({done.id, result_of(done.outcome), done.text});
  has_news_ = true;
}

// The ledger names a chore until it heard of its end; here it is done once.
std::vector<imap::Chore> Lease::fresh_chores(const std::vector<messages::PollChore>& chores) {
  const auto number = [](std::int64_t from) { return static_cast<std::uint32_t>(std::clamp<std::int64_t>(from, 0, 0xffffffff)); };
  std::vector<imap::Chore> fresh;
  for (const messages::PollChore& chore : chores) {
    if (!known_chores_.insert(chore.chore_id).second) continue;
    imap::Chore::Verb verb = imap::Chore::Verb::flag;
    if (chore.verb == messages::ChoreVerb::move) verb = imap::Chore::Verb::move;
    if (chore.verb == messages::ChoreVerb::erase) verb = imap::Chore::Verb::erase;
    fresh.push_back({chore.chore_id, number(chore.uid_validity), number(chore.uid), verb, chore.argument});
  }
  return fresh;
}

}  // namespace postroom::imap_poller

#include "workers/mail_router/router.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "common/base/crash_point.hpp"
#include "common/base/log.hpp"
#include "common/broker/topology.hpp"
#include "common/codec/codec.hpp"
#include "common/mail/crude_header.hpp"
#include "common/mail/prescan.hpp"
#include "common/metrics/metrics.hpp"
#include "workers/mail_router/parsed_mail.hpp"

namespace postroom::mail_router {

namespace {

using std::chrono::milliseconds;
constexpr std::size_t most_read = 2;  // mails in memory: the one that is parsed, and the next
constexpr int most_failed_reads = 5;
constexpr milliseconds try_again{2'000};
constexpr milliseconds tell_again{1'000};

void count_mail(std::string_view outcome) { metrics::counter("mails_routed", {{"outcome", outcome}}).add(); }

}  // namespace

// --- what comes in ---

void Router::on_deliveries(std::vector<broker::Delivery> burst) {
  for (auto& delivery : burst) take(std::move(delivery));
  advance();
}

void Router::take(broker::Delivery delivery) {
  if (is_draining_) return;  // unacknowledged, it goes to another router
  if (delivery.envelope.type != messages::MailParse::type)
    return reject(delivery, Error{Code::bad_message, "no router here knows this type or version", delivery.envelope.type});
  auto job = codec::decode<messages::MailParse>(delivery.body);
  if (!job) return reject(delivery, job.error());
  // The link broke and the broker brings again what is still in hand: the same errand, one more delivery to acknowledge.
  const auto same = std::ranges::find_if(errands_, [&](const auto& entry) {
    return entry.second.job.arrival_id == job->arrival_id && entry.second.job.parse_no == job->parse_no;
  });
  if (same != errands_.end()) {
    same->second.held.push_back(std::move(delivery));
    return;
  }
  give_way(*job);
  Errand& errand = errands_[++last_id_];
  errand.held.push_back(std::move(delivery));
  errand.job = std::move(*job);
}

// Dead-lettered to the standby shelf, whole.
void Router::reject(const broker::Delivery& delivery, const Error& why) {
  log::warning("job rejected", {{"type", delivery.envelope.type},
                                {"message_id", delivery.envelope.message_id},
                                {"correlation_id", delivery.envelope.correlation_id},
                                {"reason", why.text()}});
  count_mail("rejected");
  desk_.consumer.reject(delivery, false);
}

// The ledger gave the mail out again: what waits under an older number would be read for nobody.
void Router::give_way(const messages::MailParse& newer) {
  for (auto errand = errands_.begin(); errand != errands_.end();) {
    const auto here = errand++;
    const Errand& older = here->second;
    if (older.stage == Stage::waiting && older.job.arrival_id == newer.arrival_id && older.job.parse_no < newer.parse_no) finish(here);
  }
}

// --- reading ---

std::size_t Router::count(Stage stage) const {
  return static_cast<std::size_t>(std::ranges::count_if(errands_, [&](const auto& entry) { return entry.second.stage == stage; }));
}

Router::Errand* Router::find(std::uint64_t id) {
  const auto found = errands_.find(id);
  return found == errands_.end() ? nullptr : &found->second;
}

// In the order of arrival, and never more in memory than the sandbox takes.
void Router::advance() {
  if (is_advancing_) return;
  is_advancing_ = true;
  for (auto errand = errands_.begin(); errand != errands_.end() && !is_draining_ && count(Stage::parsing) < most_read;) {
    const auto here = errand++;  // an answer may come at once, and end it
    if (here->second.stage == Stage::waiting && here->second.due <= desk_.clock.steady()) begin(here->first, here->second);
  }
  is_advancing_ = false;
  arm();
}

void Router::begin(std::uint64_t id, Errand& errand) {
  auto bytes = desk_.store.read({errand.job.blob.sha256, errand.job.blob.size}, static_cast<std::int64_t>(mail::Limits{}.mail_bytes));
  if (!bytes) {
    const bool is_final = bytes.error().code() != Code::io || ++errand.failed_reads >= most_failed_reads;
    if (is_final) return unparsable(id, errand, fmt::format("The mail cannot be read from the blob store: {}.", bytes.error().what()));
    return later(errand, bytes.error());
  }
  errand.stage = Stage::parsing;
  errand.begun = desk_.clock.steady();
  errand.attachments = std::make_unique<Attachments>(desk_.store);
  mail_sandbox::Job job;
  job.mail = std::move(*bytes);
  job.on_attachment_bytes = [this, id](std::size_t index, std::string_view part) {
    if (Errand* mine = find(id)) mine->attachments->add(index, part);
  };
  job.on_restart = [this, id] {
    if (Errand* mine = find(id)) mine->attachments->reset();
  };
  job.on_done = [this, id](Result<mail::Message> message) { parsed(id, std::move(message)); };
  crash_point("router_before_parse");
  desk_.parse(std::move(job));
}

void Router::parsed(std::uint64_t id, Result<mail::Message> message) {
  Errand* errand = find(id);
  if (errand == nullptr) return;
  crash_point("router_after_parse");
  metrics::histogram("mail_parse_seconds").observe(std::chrono::duration<double>(desk_.clock.steady() - errand->begun).count());
  if (message) {
    trouble_.clear();
    understood(id, *errand, *message);
  } else if (message.error().code() == Code::bad_message) {
    trouble_.clear();
    unparsable(id, *errand, message.error().what());
  } else {
    later(*errand, message.error());
  }
  advance();
}

void Router::understood(std::uint64_t id, Errand& errand, const mail::Message& message) {
  const auto blobs = errand.attachments->finish(message.attachments.size());
  if (!blobs) return later(errand, blobs.error());
  mail::Home home = desk_.home;
  home.own.own_addresses = errand.job.own_addresses;
  errand.result.mail = parsed_mail(message, mail::analyse(message, home), *blobs);
  if (blobs->empty()) return tell(id, errand);
  errand.stage = Stage::keeping;
  crash_point("router_before_keep");
  desk_.keep(errand.attachments->take(), [this, id](Result<void> kept) {
    crash_point("router_after_keep");
    Errand* mine = find(id);
    if (mine == nullptr) return;
    if (kept) {
      tell(id, *mine);
    } else {
      later(*mine, kept.error());
    }
    advance();
  });
}

void Router::unparsable(std::uint64_t id, Errand& errand, std::string why) {
  errand.result.mail.reset();
  errand.result.trouble = std::move(why);
  errand.result.header = first_words(errand);
  tell(id, errand);
}

// What its header says may still tell a person what it is. None: there is no header, or it cannot be read from the store.
std::optional<messages::CrudeHeader> Router::first_words(const Errand& errand) const {
  std::string head;
  const auto streamed = desk_.store.stream({errand.job.blob.sha256, errand.job.blob.size}, [&](std::string_view part) {
    head.append(part);
    return head.size() < mail::crude_header_bytes;
  });
  if (!streamed) return std::nullopt;
  mail::OwnMarks own = desk_.home.own;
  own.own_addresses = errand.job.own_addresses;
  const mail::CrudeHeader found = mail::crude_header(head, own);
  if (found.is_empty()) return std::nullopt;
  return messages::CrudeHeader{found.subject, found.sender.addr, found.sender.name, found.auto_mail.is_auto, found.auto_mail.reason};
}

// Not the mail's fault.
void Router::later(Errand& errand, const Error& why) {
  trouble_ = why.text();
  log::warning("mail waits", {{"arrival_id", errand.job.arrival_id}, {"reason", trouble_}});
  count_mail("later");
  errand.stage = Stage::waiting;
  errand.due = desk_.clock.steady() + try_again;
  errand.attachments.reset();
  errand.result.mail.reset();
}

// --- telling ---

void Router::tell(std::uint64_t id, Errand& errand) {
  errand.stage = Stage::telling;
  errand.attachments.reset();
  errand.result.arrival_id = errand.job.arrival_id;
  errand.result.parse_no = errand.job.parse_no;
  log::info("parsed", {{"arrival_id", errand.job.arrival_id},
                       {"parse_no", std::to_string(errand.job.parse_no)},
                       {"bytes", std::to_string(errand.job.blob.size)},
                       {"attachments", std::to_string(errand.result.mail ? errand.result.mail->attachments.size() : 0)},
                       {"trouble", errand.result.trouble},
                       {"correlation_id", errand.held.front().envelope.correlation_id}});
  count_mail(errand.result.mail ? "parsed" : "unparsable");
  errand.body = encoded(std::move(errand.result));
  submit(id, errand);
}

void Router::submit(std::uint64_t id, const Errand& errand) {
  const messages::Envelope& cause = errand.held.front().envelope;
  broker::Outgoing message{std::string{broker::names::result}, std::string{broker::names::key_result}, {}, errand.body};
  message.envelope.message_id = desk_.ids.next();
  message.envelope.type = messages::MailParsed::type;
  message.envelope.correlation_id = cause.correlation_id;
  message.envelope.traceparent = cause.traceparent;
  message.envelope.timestamp = desk_.clock.wall();
  crash_point("router_before_publish");
  errands_.at(id).due = SteadyTime::max();
  desk_.publisher.submit(std::move(message), [this, id](broker::Published published) { settled(id, published); });
}

void Router::settled(std::uint64_t id, broker::Published published) {
  const auto found = errands_.find(id);
  if (found == errands_.end()) return;
  switch (published) {
    case broker::Published::confirmed:
      crash_point("router_before_ack");
      finish(found);
      break;
    case broker::Published::returned:
    case broker::Published::rejected:
      // No queue, or a full one: the broker's owner must act; the answer is kept and said again.
      log::error("answer not accepted by the broker", {{"arrival_id", found->second.job.arrival_id}});
      found->second.due = desk_.clock.steady() + tell_again;
      break;
    case broker::Published::not_sent:
    case broker::Published::unknown:
      break;  // only when the publisher stops; the job is not acknowledged and comes again
  }
  advance();
}

void Router::finish(Errands::iterator errand) {
  for (const auto& delivery : errand->second.held) desk_.consumer.ack(delivery);
  errands_.erase(errand);
}

// --- time and the end ---

void Router::on_time() {
  const SteadyTime now = desk_.clock.steady();
  std::vector<std::uint64_t> due;
  for (const auto& [id, errand] : errands_) {
    if (errand.stage == Stage::telling && errand.due <= now) due.push_back(id);
  }
  for (const std::uint64_t id : due) {
    if (const Errand* errand = find(id)) submit(id, *errand);
  }
  advance();
}

void Router::drain() {
  is_draining_ = true;
  arm();
}

void Router::arm() {
  if (is_draining_ && count(Stage::waiting) == errands_.size()) return desk_.rested();
  SteadyTime first = SteadyTime::max();
  for (const auto& [id, errand] : errands_) {
    const bool is_timed = errand.stage == Stage::telling || (errand.stage == Stage::waiting && !is_draining_ && errand.due > desk_.clock.steady());
    if (is_timed) first = std::min(first, errand.due);
  }
  if (first != SteadyTime::max()) desk_.wake_at(first);
}

}  // namespace postroom::mail_router

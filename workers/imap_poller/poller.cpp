#include "workers/imap_poller/poller.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "common/base/crash_point.hpp"
#include "common/base/log.hpp"
#include "common/broker/topology.hpp"
#include "common/codec/codec.hpp"
#include "common/metrics/metrics.hpp"
#include "workers/imap_poller/trouble.hpp"

namespace postroom::imap_poller {

namespace {

template <class... Cases>
struct Overloaded : Cases... {
  using Cases::operator()...;
};

constexpr std::chrono::milliseconds say_again{1'000};

}  // namespace

Poller::~Poller() { *alive_ = false; }

// --- what comes in ---

void Poller::on_deliveries(std::vector<broker::Delivery> burst) {
  for (auto& delivery : burst) take(std::move(delivery));
  arm();
}

void Poller::take(broker::Delivery delivery) {
  const std::string& type = delivery.envelope.type;
  if (type == messages::PollAnswered::type) return take_answer(delivery);
  if (is_draining_) return;  // unacknowledged, it goes to another worker
  if (type == messages::ImapPoll::type) return take_job(std::move(delivery));
  if (type == messages::ImapPollerTest::type) return take_test(std::move(delivery));
  reject(delivery, Error{Code::bad_message, "no worker here knows this type or version", type});
}

// Dead-lettered to the standby shelf, whole.
void Poller::reject(const broker::Delivery& delivery, const Error& why) {
  log::warning("job rejected", {{"type", delivery.envelope.type},
                                {"message_id", delivery.envelope.message_id},
                                {"correlation_id", delivery.envelope.correlation_id},
                                {"reason", why.text()}});
  metrics::counter("jobs_rejected", {{"worker", "imap_poller"}}).add();
  desk_.consumer.reject(delivery, false);
}

void Poller::take_job(broker::Delivery delivery) {
  auto job = codec::decode<messages::ImapPoll>(delivery.body);
  if (!job) return reject(delivery, job.error());
  if (!is_uuid(job->inbox_id)) return reject(delivery, Error{Code::bad_message, "is not a UUID", "/inbox_id"});
  std::vector<std::string> superseded;
  for (auto& [token, holding] : holdings_) {
    const messages::ImapPoll& known = holding.lease.job();
    if (known.inbox_id != job->inbox_id) continue;
    // The link broke and the broker brings again what is still in hand: one more delivery to acknowledge.
    if (known.dispatch_no == job->dispatch_no) {
      holding.held.push_back(std::move(delivery));
      return;
    }
    if (known.dispatch_no < job->dispatch_no) superseded.push_back(token);
  }
  for (const auto& token : superseded) follow(token, [&](Lease& lease) { return lease.on_superseded(desk_.clock.steady()); });
  const std::string token = desk_.ids.next();
  Holding& holding = holdings_.try_emplace(token, std::move(*job), token, desk_.rules).first->second;
  holding.held.push_back(std::move(delivery));
  crash_point("poller_before_claim");
  follow(token, [&](Lease& lease) { return lease.begin(desk_.clock.steady()); });
}

void Poller::take_answer(const broker::Delivery& delivery) {
  const auto answer = codec::decode<messages::PollAnswered>(delivery.body);
  if (!answer) {
    log::warning("poll answer not understood", {{"reason", answer.error().text()}});
    return;
  }
  follow(answer->token, [&](Lease& lease) { return lease.on_answer(*answer, desk_.clock.steady()); });
}

// --- following a lease ---

void Poller::follow(const std::string& token, const std::function<Actions(Lease&)>& step) {
  const auto found = holdings_.find(token);
  if (found == holdings_.end()) return;
  const std::string name = token;  // the caller's may die with the holding
  Holding& holding = found->second;
  perform(name, holding, step(holding.lease));
  if (holding.no_space) {
    const Error why = *std::exchange(holding.no_space, std::nullopt);
    trouble_ = why.text();
    perform(name, holding, holding.lease.on_no_space(why, desk_.clock.steady()));
  }
  if (holding.lease.stage() == Lease::Stage::over) finish(name);
  arm();
}

void Poller::perform(const std::string& token, Holding& holding, Actions actions) {
  for (Action& action : actions) {
    std::visit(Overloaded{[&](const Connect& order) { connect(token, holding, order.site); },
                          [&](Transmit& order) {
                            if (holding.link) holding.link->send(std::move(order.bytes));
                          },
                          [&](HangUp) {
                            holding.link.reset();
                            holding.writer.reset();
                            holding.drafts.clear();
                          },
                          [&](BeginMail) { begin_mail(holding); },
                          [&](const AddBytes& order) { add_bytes(holding, order.bytes); },
                          [&](const EndMail& order) { end_mail(holding, order.uid); },
                          [&](DropMail) { holding.writer.reset(); },
                          [&](const Keep& order) { keep(token, holding, order); },
                          [&](const Publish& order) { publish(token, holding, order); },
                          [&](const Say& order) { say(token, holding, order.word); },
                          [&](const Note& note) {
                            log::info("lease", {{"inbox_id", holding.lease.job().inbox_id},
                                                {"dispatch_no", std::to_string(holding.lease.job().dispatch_no)},
                                                {"note", note.text}});
                          },
                          [](Finish) {}},
               action);
  }
}

void Poller::connect(const std::string& token, Holding& holding, const messages::Site& site) {
  crash_point("poller_after_claim");
  log::info("lease begins", {{"inbox_id", holding.lease.job().inbox_id},
                             {"dispatch_no", std::to_string(holding.lease.job().dispatch_no)},
                             {"server", site.base_url}});
  auto secret = desk_.sealer.open(site.secret_sealed, crypto::connection_place(site.connection_id));
  const auto handler = [this, token](auto step) {
    return [this, token, step](const auto& said) {
      follow(token, [&](Lease& lease) { return step(lease, said, desk_.clock.steady()); });
    };
  };
  if (!secret) {
    // Not from inside: the lease is in the middle of its answer.
    again_.push_back({desk_.clock.steady(), [this, token] {
                        follow(token, [this](Lease& lease) {
                          return lease.on_disconnected({messages::ReasonClass::credentials, "the stored password cannot be opened; enter it again"},
                                                       desk_.clock.steady());
                        });
                      }});
    return;
  }
  holding.link = desk_.links.open(
      {site.base_url, site.account, std::move(*secret)},
      {handler([](Lease& lease, const imap_link::Standing&, SteadyTime now) { return lease.on_connected(now); }),
       handler([](Lease& lease, std::string_view bytes, SteadyTime now) { return lease.on_bytes(bytes, now); }),
       handler([](Lease& lease, const imap_link::Ending& ending, SteadyTime now) {
         return lease.on_disconnected({reason_class_of(ending.trouble), ending.text}, now);
       })});
}

// --- telling the ledger ---

broker::Outgoing Poller::outgoing(std::string_view exchange, std::string_view key, std::string_view type, const messages::Envelope& cause,
                                  std::string body) {
  broker::Outgoing message;
  message.exchange = exchange;
  message.routing_key = key;
  message.envelope.message_id = desk_.ids.next();
  message.envelope.type = type;
  message.envelope.correlation_id = cause.correlation_id;
  message.envelope.traceparent = cause.traceparent;
  message.envelope.timestamp = desk_.clock.wall();
  message.body = std::move(body);
  return message;
}

// Until the broker has it. A full or missing queue is the broker's owner's to mend: it is said again, and loudly.
void Poller::submit(broker::Outgoing message, std::function<void()> confirmed) {
  auto kept = message;
  desk_.publisher.submit(std::move(message), [this, alive = alive_, kept = std::move(kept), confirmed = std::move(confirmed)](broker::Published published) mutable {
    if (!*alive) return;
    switch (published) {
      case broker::Published::confirmed:
        return confirmed();
      case broker::Published::returned:
      case broker::Published::rejected:
        log::error("not accepted by the broker", {{"type", kept.envelope.type}, {"message_id", kept.envelope.message_id}});
        again_.push_back({desk_.clock.steady() + say_again, [this, kept = std::move(kept), confirmed = std::move(confirmed)]() mutable {
                            submit(std::move(kept), std::move(confirmed));
                          }});
        return arm();
      case broker::Published::not_sent:
      case broker::Published::unknown:
        return;  // only when the publisher stops; the job is not acknowledged
    }
  });
}

void Poller::say(const std::string& token, Holding& holding, const Word& word) {
  const messages::Envelope& cause = holding.held.front().envelope;
  std::visit(Overloaded{[&](const messages::PollClaim& claim) {
                          auto message = outgoing(broker::names::result, broker::names::key_result, claim.type, cause, codec::encode(claim));
                          message.envelope.reply_to = desk_.reply_key;
                          submit(std::move(message), [] {});
                        },
                        [&](const messages::PollProgress& progress) {
                          auto message = outgoing(broker::names::result, broker::names::key_result, progress.type, cause, codec::encode(progress));
                          message.envelope.reply_to = desk_.reply_key;
                          submit(std::move(message),
                                 [this, token] { follow(token, [this](Lease& lease) { return lease.on_confirmed_word(desk_.clock.steady()); }); });
                        },
                        [&](const messages::PollEnded& end) {
                          crash_point("poller_before_end");
                          log::info("lease ends", {{"inbox_id", end.inbox_id},
                                                   {"dispatch_no", std::to_string(end.dispatch_no)},
                                                   {"outcome", std::string{messages::name_of(end.outcome)}},
                                                   {"reason_class", std::string{messages::name_of(end.reason_class)}},
                                                   {"reason", end.reason}});
                          metrics::counter("leases", {{"outcome", messages::name_of(end.outcome)}, {"reason_class", messages::name_of(end.reason_class)}}).add();
                          submit(outgoing(broker::names::result, broker::names::key_result, end.type, cause, codec::encode(end)),
                                 [this, token] { follow(token, [this](Lease& lease) { return lease.on_confirmed_word(desk_.clock.steady()); }); });
                          crash_point("poller_after_end");
                        }},
             word);
}

void Poller::finish(const std::string& token) {
  const auto found = holdings_.find(token);
  crash_point("poller_before_ack");
  for (const auto& delivery : found->second.held) desk_.consumer.ack(delivery);
  holdings_.erase(found);
}

// --- time and the end ---

void Poller::on_time() {
  const SteadyTime now = desk_.clock.steady();
  auto waiting = std::exchange(again_, {});
  for (Again& one : waiting) {
    if (one.at <= now) {
      one.say();
    } else {
      again_.push_back(std::move(one));
    }
  }
  std::vector<std::string> tokens;
  for (const auto& [token, holding] : holdings_) {
    if (const auto due = holding.lease.due(); due && *due <= now) tokens.push_back(token);
  }
  for (const auto& token : tokens) follow(token, [now](Lease& lease) { return lease.on_time(now); });
  std::vector<std::uint64_t> late;
  for (const auto& [number, trial] : trials_) {
    if (!trial.is_reported && trial.due <= now) late.push_back(number);
  }
  for (const auto number : late) follow_trial(number, [](TrialInHand& one) { one.trial.on_too_late(); });
  arm();
}

void Poller::drain() {
  is_draining_ = true;
  trials_.clear();  // unacknowledged: another worker gets them
  std::vector<std::string> tokens;
  for (const auto& [token, holding] : holdings_) tokens.push_back(token);
  for (const auto& token : tokens) follow(token, [this](Lease& lease) { return lease.on_stop(desk_.clock.steady()); });
  arm();
}

void Poller::arm() {
  if (is_draining_ && holdings_.empty()) return desk_.rested();
  SteadyTime first = SteadyTime::max();
  for (const Again& one : again_) first = std::min(first, one.at);
  for (const auto& [token, holding] : holdings_) first = std::min(first, holding.lease.due().value_or(SteadyTime::max()));
  for (const auto& [number, trial] : trials_) {
    if (!trial.is_reported) first = std::min(first, trial.due);
  }
  if (first != SteadyTime::max()) desk_.wake_at(first);
}

}  // namespace postroom::imap_poller

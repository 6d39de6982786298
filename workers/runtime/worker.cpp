#include "workers/runtime/worker.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "common/base/crash_point.hpp"
#include "common/base/log.hpp"
#include "common/base/sabotage.hpp"
#include "common/broker/topology.hpp"
#include "common/metrics/metrics.hpp"

namespace postroom::worker {

using messages::Outcome;
using messages::ReasonClass;

namespace {

template <class... Cases>
struct Overloaded : Cases... {
  using Cases::operator()...;
};

constexpr std::chrono::milliseconds report_again{1'000};

}  // namespace

Worker::Worker(Trade trade, Desk& desk) : trade_(std::move(trade)), desk_(desk), tester_(desk) {
  tester_.ended = [this] { arm(); };
}

// --- what comes in ---

void Worker::on_deliveries(std::vector<broker::Delivery> burst) {
  for (auto& delivery : burst) take(std::move(delivery));
  arm();
}

void Worker::take(broker::Delivery delivery) {
  const std::string& type = delivery.envelope.type;
  if (type == messages::ClaimAnswered::type) return take_answer(delivery);
  if (is_draining_) return;  // unacknowledged, it goes to another worker
  if (type == trade_.test_type) {
    auto job = trade_.decode_test(delivery.body);
    if (!job) return reject(delivery, job.error());
    return tester_.begin(std::move(delivery), std::move(*job));
  }
  const auto kind = std::ranges::find(trade_.jobs, type, &JobKind::type);
  if (kind == trade_.jobs.end()) return reject(delivery, Error{Code::bad_message, "no worker here knows this type or version", type});
  take_job(std::move(delivery), *kind);
}

// Dead-lettered to the standby shelf, whole.
void Worker::reject(const broker::Delivery& delivery, const Error& why) {
  log::warning("job rejected", {{"type", delivery.envelope.type},
                                {"message_id", delivery.envelope.message_id},
                                {"correlation_id", delivery.envelope.correlation_id},
                                {"reason", why.text()}});
  metrics::counter("jobs_rejected", {{"worker", trade_.name}}).add();
  desk_.consumer.reject(delivery, false);
}

void Worker::take_job(broker::Delivery delivery, const JobKind& kind) {
  auto job = kind.decode(delivery.body);
  if (!job) return reject(delivery, job.error());
  // The link broke and the broker brings again what is still in hand: the same errand, one more delivery to acknowledge.
  const auto same = std::ranges::find_if(errands_, [&](const auto& entry) {
    return entry.second.job.delivery_id == job->delivery_id && entry.second.job.dispatch_no == job->dispatch_no;
  });
  if (same != errands_.end()) {
    same->second.held.push_back(std::move(delivery));
    return;
  }
  const std::string token = desk_.ids.next();
  Errand& errand = errands_[token];
  errand.held.push_back(std::move(delivery));
  errand.job = std::move(*job);
  errand.kind = &kind;
  errand.token = token;
  errand.first_asked = desk_.clock.steady();
  crash_point("worker_before_claim");
  ask_claim(errand);
}

void Worker::take_answer(const broker::Delivery& delivery) {
  auto answer = codec::decode<messages::ClaimAnswered>(delivery.body);
  if (!answer) {
    log::warning("claim answer not understood", {{"reason", answer.error().text()}});
    return;
  }
  const auto found = errands_.find(answer->token);
  if (found == errands_.end()) return;
  Errand& errand = found->second;
  const bool is_expected = (errand.stage == Stage::claiming && answer->asked == messages::WorkClaim::type) ||
                           (errand.stage == Stage::committing && answer->asked == messages::WorkCommit::type);
  if (!is_expected) return;  // the second answer to a question that was asked twice
  if (answer->verdict == messages::ClaimVerdict::drop) {
    log::info("dropped", {{"delivery_id", errand.job.delivery_id},
                          {"reason", answer->reason},
                          {"correlation_id", errand.held.front().envelope.correlation_id}});
    metrics::counter("jobs", {{"worker", trade_.name}, {"type", errand.kind->type}, {"outcome", "drop"}}).add();
    return finish(found);
  }
  if (errand.stage == Stage::committing) return committed(errand);
  if (!answer->grant) return give_up_unsent(errand, ReasonClass::protocol, "the claim was granted without saying what for");
  granted(errand, std::move(*answer->grant));
}

// --- asking the ledger ---

void Worker::ask_claim(Errand& errand) {
  errand.due = desk_.clock.steady() + desk_.rules.claim_answer;
  messages::WorkClaim claim{errand.job.delivery_id, errand.job.dispatch_no, errand.token, trade_.name + "-" + desk_.rules.instance};
  broker::Outgoing message{std::string{broker::names::result}, std::string{broker::names::key_result},
                           desk_.envelope(messages::WorkClaim::type, errand.held.front().envelope, true), codec::encode(claim)};
  // No deadline: an outcome must never reach the ledger before the claim that it belongs to.
  desk_.publisher.submit(std::move(message), [](broker::Published) {});
}

void Worker::ask_commit(Errand& errand) {
  errand.due = desk_.clock.steady() + desk_.rules.claim_answer;
  messages::WorkCommit commit{errand.job.delivery_id, errand.job.dispatch_no, errand.token, errand.commit.probe_base};
  broker::Outgoing message{std::string{broker::names::result}, std::string{broker::names::key_result},
                           desk_.envelope(messages::WorkCommit::type, errand.held.front().envelope, true), codec::encode(commit)};
  desk_.publisher.submit(std::move(message), [](broker::Published) {});
}

void Worker::granted(Errand& errand, messages::Grant grant) {
  log::info("claimed", {{"delivery_id", errand.job.delivery_id},
                        {"dispatch_no", std::to_string(errand.job.dispatch_no)},
                        {"type", std::string{errand.kind->type}},
                        {"attempt", std::to_string(grant.attempt)},
                        {"correlation_id", errand.held.front().envelope.correlation_id}});
  crash_point("worker_after_claim");
  auto secret = desk_.unseal(grant.site);
  if (!secret) {
    return report(errand, Outcome::refuse,
                  {ReasonClass::credentials, "the connection's stored secret cannot be opened by this worker; enter it again", {}, {}});
  }
  errand.talk = errand.kind->begin(std::move(grant), std::move(*secret));
  follow(errand.token, [](Talk<Step>& talk) { return talk.begin(); });
}

void Worker::committed(Errand& errand) {
  if (errand.mail == 0) return follow(errand.token, [](Talk<Step>& talk) { return talk.next(Committed{}); });
  errand.stage = Stage::exchanging;
  errand.maybe_happened = true;
  crash_point("worker_before_dot");
  desk_.smtp.go_on(errand.mail, errand.first_asked + desk_.rules.first_byte);
  crash_point("worker_after_dot");
}

// --- following the conversation ---

void Worker::follow(const std::string& token, const std::function<Step(Talk<Step>&)>& step) {
  const auto found = errands_.find(token);
  if (found == errands_.end()) return;
  Errand& errand = found->second;
  Step next = Defer{};
  try {
    next = step(errand.talk);
    errand.outcome.limits = errand.talk.limits();
  } catch (const std::exception& bug) {
    // A conversation throws only by a bug. What it had sent may have happened all the same.
    log::error("conversation failed", {{"delivery_id", errand.job.delivery_id}, {"what", bug.what()}});
    const Reason why{ReasonClass::protocol, fmt::format("the worker failed on this answer: {}", bug.what()), {}, {}};
    next = errand.maybe_happened ? Step{Unknown{why}} : Step{Defer{why}};
  }
  std::visit(Overloaded{[&](Ask& ask) { perform(errand, std::move(ask)); },
                        [&](Done& done) {
                          errand.outcome.remote = std::move(done.remote);
                          errand.outcome.duplicates = std::move(done.duplicates);
                          report(errand, Outcome::done, {ReasonClass::none, std::move(done.note), {}, {}});
                        },
                        [&](Defer& why) { report(errand, Outcome::defer, std::move(why)); },
                        [&](Snooze& why) { report(errand, Outcome::snooze, std::move(why)); },
                        [&](Refuse& why) { report(errand, Outcome::refuse, std::move(why)); },
                        [&](NotSent& why) { report(errand, Outcome::not_sent, std::move(why)); },
                        [&](Unknown& why) { report(errand, Outcome::unknown, std::move(why)); }},
             next);
  arm();
}

bool Worker::is_late(const Errand& errand) const { return !saboteur("deadline_ignored") && desk_.clock.steady() > errand.first_asked + desk_.rules.first_byte; }

void Worker::perform(Errand& errand, Ask ask) {
  if (is_draining_) return give_up_unsent(errand, ReasonClass::shutdown, "the worker was stopped before the request left");
  if (auto* commit = std::get_if<CommitAsk>(&ask)) {
    errand.stage = Stage::committing;
    errand.commit = *commit;
    errand.first_asked = desk_.clock.steady();
    return ask_commit(errand);
  }
  errand.stage = Stage::exchanging;
  if (auto* mail = std::get_if<SmtpAsk>(&ask)) return send_mail(errand, std::move(*mail));
  send_request(errand, std::move(std::get<HttpAsk>(ask)));
}

void Worker::send_request(Errand& errand, HttpAsk ask) {
  auto& [request, has_effect] = ask;
  errand.is_effect = has_effect;
  request.timeout = has_effect ? desk_.rules.http_timeout : read_timeout(desk_.rules);
  if (has_effect) {
    if (is_late(errand)) return give_up_unsent(errand, ReasonClass::none, "too much time passed since the claim; nothing was sent");
    request.is_repeatable = saboteur("create_repeated_by_the_client");
    request.first_byte_by = errand.first_asked + desk_.rules.first_byte;
    errand.maybe_happened = true;
    crash_point("worker_before_send");
  }
  errand.exchange = desk_.http.send(std::move(request), [this, token = errand.token](http::Reply reply) { exchanged(token, std::move(reply)); });
}

void Worker::send_mail(Errand& errand, SmtpAsk ask) {
  errand.is_effect = !ask.request.recipients.empty();
  ask.request.timeout = errand.is_effect ? desk_.rules.smtp_timeout : read_timeout(desk_.rules);
  if (errand.is_effect && is_late(errand)) return give_up_unsent(errand, ReasonClass::none, "too much time passed since the claim; nothing was sent");
  crash_point("worker_before_send");
  errand.mail = desk_.smtp.send(std::move(ask.request), [this, token = errand.token] { held(token); },
                                [this, token = errand.token](smtp::Reply reply) { mailed(token, std::move(reply)); });
}

// Everything but the final dot is out, and the far side waits for it.
void Worker::held(const std::string& token) {
  const auto found = errands_.find(token);
  if (found == errands_.end() || found->second.mail == 0) return;
  Errand& errand = found->second;
  errand.stage = Stage::committing;
  errand.commit = {};
  errand.first_asked = desk_.clock.steady();
  crash_point("worker_held");
  if (saboteur("commit_word_skipped")) return committed(errand);
  ask_commit(errand);
  arm();
}

void Worker::mailed(const std::string& token, smtp::Reply reply) {
  const auto found = errands_.find(token);
  if (found == errands_.end() || found->second.mail == 0) return;  // it was hung up
  Errand& errand = found->second;
  errand.mail = 0;
  errand.took += reply.took;
  errand.maybe_happened = reply.may_have_arrived;
  metrics::histogram("smtp_seconds", {{"worker", trade_.name}}).observe(std::chrono::duration<double>(reply.took).count());
  if (errand.is_effect) crash_point("worker_after_reply");
  if (reply.failure == smtp::Failure::cancelled) return cancelled(errand);
  if (reply.failure == smtp::Failure::too_late) {
    give_up_unsent(errand, ReasonClass::none, reply.detail);  // the ledger's word took the time
    return arm();
  }
  follow(token, [&](Talk<Step>& talk) { return talk.next(std::move(reply)); });
}

// By us, at the end of the process.
void Worker::cancelled(Errand& errand) {
  if (errand.maybe_happened && !saboteur("doubt_taken_for_unsent")) {
    report(errand, Outcome::unknown, {ReasonClass::shutdown, "the worker was stopped while the request was under way", {}, {}});
  } else {
    give_up_unsent(errand, ReasonClass::shutdown, "the worker was stopped before the request left");
  }
  arm();
}

void Worker::exchanged(const std::string& token, http::Reply reply) {
  const auto found = errands_.find(token);
  if (found == errands_.end()) return;
  Errand& errand = found->second;
  errand.exchange = 0;
  errand.took += reply.took;
  metrics::histogram("http_seconds", {{"worker", trade_.name}, {"call", errand.is_effect ? "effect" : "read"}})
      .observe(std::chrono::duration<double>(reply.took).count());
  if (errand.is_effect) crash_point("worker_after_reply");
  if (!errand.is_effect || !reply.was_sent) errand.maybe_happened = false;
  if (reply.failure == http::Failure::cancelled) return cancelled(errand);
  if (reply.failure == http::Failure::too_late) {
    // The far side took the time to shake hands, so the reason is a time-out, which is held against it.
    give_up_unsent(errand, ReasonClass::timeout, reply.detail);
    return arm();
  }
  follow(token, [&](Talk<Step>& talk) { return talk.next(std::move(reply)); });
}

// What is our own fault has no reason class, so that it is not held against the far side.
// A resolve that did not run must not look like one that found nothing: it comes again, free of charge.
void Worker::give_up_unsent(Errand& errand, ReasonClass why, std::string text) {
  hang_up(errand);
  if (errand.kind->is_resolve) return report(errand, Outcome::snooze, {why, std::move(text), {}, {}});
  report(errand, Outcome::not_sent, {why, std::move(text), {}, {}});
}

// --- reporting ---

void Worker::report(Errand& errand, Outcome outcome, Reason reason) {
  errand.stage = Stage::reporting;
  messages::WorkOutcome& said = errand.outcome;
  said.delivery_id = errand.job.delivery_id;
  said.dispatch_no = errand.job.dispatch_no;
  said.token = errand.token;
  said.outcome = outcome;
  said.reason_class = reason.reason_class;
  said.reason = std::move(reason.text);
  said.http_status = reason.http_status;
  if (reason.after) said.after_ms = std::clamp<std::int64_t>(reason.after->count(), 0, desk_.rules.retry_after_cap.count());
  if (errand.took.count() > 0) said.took_ms = errand.took.count();
  log::info("outcome", {{"delivery_id", said.delivery_id},
                        {"dispatch_no", std::to_string(said.dispatch_no)},
                        {"outcome", std::string{messages::name_of(outcome)}},
                        {"reason_class", std::string{messages::name_of(said.reason_class)}},
                        {"reason", said.reason},
                        {"remote", said.remote ? said.remote->key : ""},
                        {"http_status", said.http_status ? std::to_string(*said.http_status) : ""},
                        {"took_ms", std::to_string(errand.took.count())},
                        {"correlation_id", errand.held.front().envelope.correlation_id}});
  metrics::counter("jobs", {{"worker", trade_.name}, {"type", errand.kind->type}, {"outcome", messages::name_of(outcome)}}).add();
  crash_point("worker_before_outcome");
  submit_outcome(errand);
}

void Worker::submit_outcome(Errand& errand) {
  errand.due = SteadyTime::max();
  broker::Outgoing message{std::string{broker::names::result}, std::string{broker::names::key_result},
                           desk_.envelope(messages::WorkOutcome::type, errand.held.front().envelope, false), codec::encode(errand.outcome)};
  const std::string token = errand.token;
  if (saboteur("job_acked_before_report")) {
    for (const auto& delivery : errand.held) desk_.consumer.ack(delivery);
  }
  desk_.publisher.submit(std::move(message), [this, token](broker::Published published) { settled(token, published); });
  crash_point("worker_after_outcome");
}

void Worker::settled(const std::string& token, broker::Published published) {
  const auto found = errands_.find(token);
  if (found == errands_.end()) return;
  switch (published) {
    case broker::Published::confirmed:
      crash_point("worker_before_ack");
      finish(found);
      break;
    case broker::Published::returned:
    case broker::Published::rejected:
      // No queue, or a full one: the broker's owner must act; the outcome is kept and said again.
      log::error("outcome not accepted by the broker", {{"delivery_id", found->second.job.delivery_id}});
      found->second.due = desk_.clock.steady() + report_again;
      break;
    case broker::Published::not_sent:
    case broker::Published::unknown:
      break;  // only when the publisher stops; the job is not acknowledged and its claim runs out
  }
  arm();
}

void Worker::finish(Errands::iterator errand) {
  hang_up(errand->second);
  for (const auto& delivery : errand->second.held) desk_.consumer.ack(delivery);
  errands_.erase(errand);
}

// --- time and the end ---

void Worker::on_time() {
  const SteadyTime now = desk_.clock.steady();
  std::vector<std::string> due;
  for (const auto& [token, errand] : errands_) {
    const bool is_due = errand.stage == Stage::exchanging ? is_draining_ && now >= drain_by_
                        : errand.stage == Stage::reporting ? errand.due <= now
                                                           : errand.due <= now || is_late(errand);
    if (is_due) due.push_back(token);
  }
  for (const auto& token : due) {
    const auto found = errands_.find(token);
    if (found == errands_.end()) continue;
    Errand& errand = found->second;
    if (errand.stage == Stage::reporting) {
      submit_outcome(errand);
    } else if (errand.stage == Stage::exchanging) {
      interrupt(errand, true);
    } else if (is_late(errand)) {
      give_up_unsent(errand, ReasonClass::none, "the ledger did not answer in time; nothing was sent");
    } else if (errand.stage == Stage::claiming) {
      ask_claim(errand);
    } else {
      ask_commit(errand);
    }
  }
  arm();
}

void Worker::drain(SteadyTime by) {
  is_draining_ = true;
  drain_by_ = by;
  tester_.abandon_all();
  std::vector<std::string> tokens;
  for (const auto& [token, errand] : errands_) tokens.push_back(token);
  for (const auto& token : tokens) {
    if (const auto found = errands_.find(token); found != errands_.end()) interrupt(found->second, false);
  }
  arm();
}

void Worker::interrupt(Errand& errand, bool is_last_call) {
  if (errand.stage == Stage::reporting) return;
  if (errand.stage != Stage::exchanging) {
    return give_up_unsent(errand, ReasonClass::shutdown, "the worker was stopped before the request left");
  }
  // An effect that has left is awaited; everything else ends now.
  if (errand.is_effect && has_left(errand) && !is_last_call) return;
  if (errand.mail != 0) return desk_.smtp.cancel(errand.mail);
  desk_.http.cancel(errand.exchange);
}

bool Worker::has_left(const Errand& errand) const {
  return errand.mail != 0 ? desk_.smtp.may_have_arrived(errand.mail) : desk_.http.has_left(errand.exchange);
}

// Breaks off a mail that is held: nobody waits for its end.
void Worker::hang_up(Errand& errand) {
  if (const auto mail = std::exchange(errand.mail, 0); mail != 0) desk_.smtp.cancel(mail);
}

void Worker::arm() {
  if (is_draining_ && errands_.empty()) return desk_.rested();
  SteadyTime first = is_draining_ && desk_.clock.steady() < drain_by_ ? drain_by_ : SteadyTime::max();
  for (const auto& [token, errand] : errands_) {
    if (errand.stage == Stage::exchanging) continue;
    first = std::min(first, errand.due);
    // Not only the next asking, also the end of asking.
    if (errand.stage != Stage::reporting) first = std::min(first, errand.first_asked + desk_.rules.first_byte + std::chrono::milliseconds{1});
  }
  if (first != SteadyTime::max()) desk_.wake_at(first);
}

}  // namespace postroom::worker

#include "api/server/performer.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "api/json_view.hpp"
#include "api/problem.hpp"
#include "common/base/crash_point.hpp"
#include "common/base/log.hpp"
#include "common/base/sabotage.hpp"
#include "common/broker/topology.hpp"
#include "common/codec/codec.hpp"
#include "common/crypto/crypto.hpp"
#include "common/metrics/metrics.hpp"

namespace postroom::api {

namespace {

constexpr std::chrono::milliseconds first_look{500};  // then twice as long each time

std::string_view name_of(broker::Published outcome) {
  switch (outcome) {
    case broker::Published::confirmed: return "confirmed";
    case broker::Published::returned: return "no queue takes it";
    case broker::Published::rejected: return "its queue is full";
    case broker::Published::not_sent: return "the broker is away or blocked";
    case broker::Published::unknown: return "no confirm came in time";
  }
  return "";
}

// 503: not promised, may still happen.
Reply not_promised(broker::Published outcome, std::string_view command_id, std::string_view key, std::string_view instance) {
  static auto& count = metrics::counter("not_promised");
  count.add();
  log::warning("not promised", {{"correlation_id", std::string{command_id}}, {"why", std::string{name_of(outcome)}}});
  const std::string how = key.empty() ? "it had no Idempotency-Key, so a repeat may happen twice: look for its ids first"
                                      : fmt::format("repeat it with the same Idempotency-Key, {}, and it happens once", key);
  return to_reply(Problem{.status = 503,
                          .slug = "not-promised",
                          .title = "Not promised, may still happen",
                          .detail = fmt::format("{}: nothing is promised, but it may still happen; {}", name_of(outcome), how),
                          .instance = instance,
                          .command_id = command_id,
                          .idempotency_key = key})
      .with("Retry-After", "1");
}

// What the ledger said, as an answer: status and body are passed on.
Reply replied(const messages::CommandReplied& said, const std::string& location, const std::string& command_id) {
  Reply reply{.status = static_cast<int>(said.status), .body = said.body.text, .type = said.status < 400 ? BodyType::json : BodyType::problem};
  if (said.status == 201 && !location.empty()) reply.with("Location", location);
  if (said.status == 202) reply.with("Location", fmt::format("/v1/commands/{}", command_id)).with("Retry-After", "1");
  if (said.status < 300) {
    const auto body = JsonDocument::parse(said.body.text);
    const auto version = body ? body->root()["data"]["version"].integer() : std::nullopt;
    if (version) reply.with("ETag", fmt::format("\"v{}\"", *version));
  }
  if (said.status >= 500) reply.with("Retry-After", "1");
  return reply;
}

}  // namespace

struct Performer::Waiting {
  std::string command_id;
  std::string instance;
  std::string idempotency_key;
  std::string location;
  Reply accepted;
  std::string fingerprint;  // of the body, as the ledger records it
  SteadyTime deadline{};
  SteadyTime next_look{};
  SteadyTime due{};  // its key in deadlines_
  std::chrono::milliseconds look_pause = first_look;
  bool is_confirmed = false;
  bool is_late = false;  // its time is over, only the confirm is still waited for
  Done done;             // empty: answered
};

Performer::Performer(const Settings& settings, const Clock& clock, broker::Publisher& publisher, std::string reply_to, LookUp look_up,
                     std::function<void()> deadline_moved)
    : settings_(settings),
      clock_(clock),
      publisher_(publisher),
      reply_to_(std::move(reply_to)),
      look_up_(std::move(look_up)),
      deadline_moved_(std::move(deadline_moved)) {}

bool Performer::is_link_open() const { return publisher_.state() == broker::LinkState::open; }

void Performer::publish(Command command, bool wants_reply, std::function<void(broker::Published)> done) {
  crash_point("api_before_publish");
  const broker::Route* route = broker::find_route(command.type);
  broker::Outgoing outgoing;
  outgoing.exchange = route->exchange;
  outgoing.routing_key = route->key;
  outgoing.envelope.message_id = command.id;
  outgoing.envelope.type = command.type;
  outgoing.envelope.correlation_id = std::move(command.id);
  outgoing.envelope.timestamp = clock_.wall();
  outgoing.envelope.traceparent = std::move(command.traceparent);
  if (wants_reply) outgoing.envelope.reply_to = reply_to_;
  outgoing.body = std::move(command.body);
  publisher_.submit(std::move(outgoing), std::move(done), clock_.steady() + settings_.publish_timeout);
}

void Performer::perform(Promise promise, std::string_view instance, Done done) {
  const std::string command_id = promise.command.id;
  if (!is_link_open()) return done(not_promised(broker::Published::not_sent, command_id, promise.idempotency_key, instance));
  auto settle = [promised = std::move(promise.promised), key = std::string{promise.idempotency_key}, path = std::string{instance}, command_id,
                 done = std::move(done)](broker::Published outcome) mutable {
    if (outcome != broker::Published::confirmed && !saboteur("promise_without_confirm")) return done(not_promised(outcome, command_id, key, path));
    crash_point("api_after_confirm");
    done(std::move(promised));
  };
  publish(std::move(promise.command), false, std::move(settle));
}

void Performer::perform(Exchange exchange, std::string_view instance, Done done) {
  if (!is_link_open()) return done(not_promised(broker::Published::not_sent, exchange.command.id, exchange.idempotency_key, instance));
  const bool wants_reply = exchange.wait.count() > 0;
  auto waiting = std::make_shared<Waiting>();
  waiting->command_id = exchange.command.id;
  waiting->instance = instance;
  waiting->idempotency_key = exchange.idempotency_key;
  waiting->location = std::move(exchange.location);
  waiting->accepted = std::move(exchange.accepted);
  waiting->is_late = !wants_reply;
  waiting->deadline = clock_.steady() + exchange.wait;
  waiting->next_look = clock_.steady() + first_look;
  waiting->done = std::move(done);
  if (wants_reply) {
    waiting->fingerprint = crypto::to_hex(crypto::sha256(exchange.command.body));
    waiting_.emplace(waiting->command_id, waiting);
    schedule(waiting);
  }
  publish(std::move(exchange.command), wants_reply, [this, waiting](broker::Published outcome) { published(waiting, outcome); });
}

void Performer::published(const std::shared_ptr<Waiting>& waiting, broker::Published outcome) {
  if (!waiting->done) return;  // the ledger was faster
  if (outcome != broker::Published::confirmed) {
    return answer(waiting, not_promised(outcome, waiting->command_id, waiting->idempotency_key, waiting->instance));
  }
  crash_point("api_after_confirm");
  waiting->is_confirmed = true;
  if (waiting->is_late) answer(waiting, std::move(waiting->accepted));
}

void Performer::take_replies(const std::vector<broker::Delivery>& deliveries) {
  for (const auto& delivery : deliveries) {
    const auto said = codec::decode<messages::CommandReplied>(delivery.body);
    if (!said || said->status < 200 || said->status > 599) {
      log::warning("a reply was not understood", {{"correlation_id", delivery.envelope.correlation_id}, {"type", delivery.envelope.type}});
      continue;
    }
    // Answering may let a new request in, so the list is taken out first.
    std::vector<std::shared_ptr<Waiting>> callers;
    const auto [first, last] = waiting_.equal_range(said->command_id);
    for (auto at = first; at != last; ++at) callers.push_back(at->second);
    for (const auto& waiting : callers) answer(waiting, replied(*said, waiting->location, waiting->command_id));
  }
}

std::optional<SteadyTime> Performer::next_deadline() const {
  return deadlines_.empty() ? std::nullopt : std::optional{deadlines_.begin()->first};
}

void Performer::schedule(const std::shared_ptr<Waiting>& waiting) {
  waiting->due = std::min(waiting->deadline, waiting->next_look);
  const auto entry = deadlines_.emplace(waiting->due, waiting);
  if (entry == deadlines_.begin()) deadline_moved_();
}

void Performer::expire() {
  const auto now = clock_.steady();
  while (!deadlines_.empty() && deadlines_.begin()->first <= now) {
    const auto waiting = deadlines_.begin()->second;
    deadlines_.erase(deadlines_.begin());
    const bool is_over = waiting->deadline <= now;
    if (!is_over) {
      waiting->look_pause *= 2;
      waiting->next_look = now + waiting->look_pause;
      schedule(waiting);
    }
    look(waiting, is_over);
  }
}

void Performer::look(const std::shared_ptr<Waiting>& waiting, bool is_last) {
  look_up_(waiting->command_id, waiting->fingerprint, [this, waiting, is_last](std::optional<messages::CommandReplied> recorded) {
    if (!waiting->done) return;
    if (recorded) return answer(waiting, replied(*recorded, waiting->location, waiting->command_id));
    if (!is_last) return;
    if (waiting->is_confirmed) return answer(waiting, std::move(waiting->accepted));
    waiting->is_late = true;  // the publish has its own deadline, and only a confirm is a promise
  });
}

void Performer::answer(const std::shared_ptr<Waiting>& waiting, Reply reply) {
  if (!waiting->done) return;
  const Done done = std::exchange(waiting->done, nullptr);
  const auto [first, last] = waiting_.equal_range(waiting->command_id);
  for (auto at = first; at != last; ++at) {
    if (at->second != waiting) continue;
    waiting_.erase(at);
    break;
  }
  const auto [early, late] = deadlines_.equal_range(waiting->due);
  for (auto at = early; at != late; ++at) {
    if (at->second != waiting) continue;
    deadlines_.erase(at);
    break;
  }
  done(std::move(reply));
}

}  // namespace postroom::api

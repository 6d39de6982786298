#pragma once
// What a worker works with: its rules and its ports. The real ones are put together in serve.cpp, fakes in tests.

#include <functional>

#include "common/base/clock.hpp"
#include "common/base/ids.hpp"
#include "common/broker/broker.hpp"
#include "common/crypto/crypto.hpp"
#include "common/http/exchange.hpp"
#include "common/messages/work.hpp"
#include "common/smtp/exchange.hpp"

namespace postroom::worker {

struct Rules {
  std::string instance;   // "4711-0a1b2c3d"
  std::string reply_key;  // routing key and name of our reply queue
  std::chrono::milliseconds http_timeout{30'000};
  std::chrono::milliseconds smtp_timeout{120'000};
  std::chrono::milliseconds claim_answer{2'000};
  std::chrono::milliseconds first_byte{5'000};
  std::chrono::milliseconds retry_after_cap{3'600'000};
};

struct Desk {
  Rules rules;
  crypto::Sealer sealer;
  broker::Publisher& publisher;
  broker::Consumer& consumer;
  http::Http& http;
  smtp::Smtp& smtp;
  const Clock& clock;
  IdSource& ids;
  std::function<void(SteadyTime)> wake_at;  // call on_time() then; the latest call counts
  std::function<void()> rested;             // draining is done

  // The secret of a site, or why it cannot be had.
  Result<std::string> unseal(const messages::Site& site) const {
    return sealer.open(site.secret_sealed, crypto::connection_place(site.connection_id));
  }

  // An envelope for a message of ours about the thing that `cause` is about.
  messages::Envelope envelope(std::string_view type, const messages::Envelope& cause, bool wants_answer) {
    messages::Envelope envelope;
    envelope.message_id = ids.next();
    envelope.type = type;
    envelope.correlation_id = cause.correlation_id;
    envelope.traceparent = cause.traceparent;
    envelope.timestamp = clock.wall();
    if (wants_answer) envelope.reply_to = rules.reply_key;
    return envelope;
  }
};

// How long a read may take: shorter than an effect, because it can simply be repeated.
inline std::chrono::milliseconds read_timeout(const Rules& rules) { return std::min(rules.http_timeout, std::chrono::milliseconds{15'000}); }

}  // namespace postroom::worker

#pragma once
// What a conversation may ask of the outside, and what comes back. Plain values: the runtime performs them, tests make them up.

#include <optional>
#include <variant>

#include "common/http/exchange.hpp"
#include "common/smtp/exchange.hpp"

namespace postroom::worker {

// `has_effect`: this request may create something. It is sent at most once on a fresh connection, not later than the time that the claim (or the
// commit) allows, and what becomes of it is never guessed. The runtime fills in timeouts.
struct HttpAsk {
  http::Request request;
  bool has_effect = false;
};

// "Note this durably before I go on."
struct CommitAsk {
  std::optional<std::int64_t> probe_base;
};

// A mail, with the commit in its middle: it is sent but for the final dot, then the ledger notes that it may arrive, then the dot leaves. The runtime
// asks for that commit by itself. With no recipients: a trial of the connection, without effect. The runtime fills in the timeout.
struct SmtpAsk {
  smtp::Request request;
};

using Ask = std::variant<HttpAsk, CommitAsk, SmtpAsk>;

struct Committed {};
using Answer = std::variant<http::Reply, Committed, smtp::Reply>;

}  // namespace postroom::worker

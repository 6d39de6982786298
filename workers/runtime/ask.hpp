#pragma once
// What a conversation may ask of the outside, and what comes back. Plain values: the runtime performs them, tests make them up.

#include <optional>
#include <variant>

#include "common/http/exchange.hpp"

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

using Ask = std::variant<HttpAsk, CommitAsk>;

struct Committed {};
using Answer = std::variant<http::Reply, Committed>;

}  // namespace postroom::worker

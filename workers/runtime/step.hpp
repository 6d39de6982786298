#pragma once
// What a conversation says next: an ask, or its verdict. A verdict tells what happened, never what to do about it: that is the ledger's.

#include <chrono>
#include <concepts>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "common/messages/work.hpp"
#include "workers/runtime/ask.hpp"

namespace postroom::worker {

struct Reason {
  messages::ReasonClass reason_class = messages::ReasonClass::none;
  std::string text;  // one sentence for a person
  std::optional<std::int64_t> http_status;
  std::optional<std::chrono::milliseconds> after;  // the far side's wish, not clamped
};

struct Done {  // it exists
  messages::Remote remote;
  std::vector<messages::Remote> duplicates;
  std::string note;  // what had to be left out; empty = nothing
};
struct Defer : Reason {};    // later; an attempt is spent
struct Snooze : Reason {};   // later, free of charge
struct Refuse : Reason {};   // to standby
struct NotSent : Reason {};  // nothing left the house (of a resolve: nothing is there)
struct Unknown : Reason {};  // it may have happened

using Step = std::variant<Ask, Done, Defer, Snooze, Refuse, NotSent, Unknown>;

// The verdict of a connection test.
struct Tested {
  std::vector<messages::TestCheck> checks;
  std::string summary;
  messages::ReasonClass reason_class = messages::ReasonClass::none;  // of what failed first
};
using TestStep = std::variant<Ask, Tested>;

// A value without loop, clock, socket or log. `limits`: what the far side announced last.
template <class Talk>
concept Conversation = requires(Talk talk, const Answer& answer) {
  { talk.begin() } -> std::same_as<Step>;
  { talk.next(answer) } -> std::same_as<Step>;
  { talk.limits() } -> std::convertible_to<std::optional<messages::Limits>>;
};

template <class Talk>
concept TestConversation = requires(Talk talk, const Answer& answer) {
  { talk.begin() } -> std::same_as<TestStep>;
  { talk.next(answer) } -> std::same_as<TestStep>;
};

}  // namespace postroom::worker

#pragma once
// How changes are asked of the ledger: the command as a message, and what to answer when the ledger's word does not come in time.

#include <fmt/format.h>

#include <string>

#include "api/command_ids.hpp"
#include "api/handlers/handlers.hpp"
#include "api/problem.hpp"
#include "common/codec/codec.hpp"

namespace postroom::api {

// The principal's name, for the message's `actor`.
inline std::string actor_of(const Request& request) { return request.principal == nullptr ? "public" : request.principal->name; }

template <class Message>
Command command_of(const Request& request, const Message& message) {
  return Command{.type = Message::type, .id = request.command_id, .body = codec::encode(message), .traceparent = std::string{request.traceparent}};
}

// 202 with the command's status resource.
Reply accepted_reply(const Request& request);

// Publish and wait for the ledger as long as the caller prefers. `location`: where a 201's object will be.
template <class Message>
Plan exchange(const Request& request, const Context& context, const Message& message, std::string location = {}) {
  return Exchange{.command = command_of(request, message),
                  .wait = request.wait ? std::chrono::milliseconds{*request.wait} : context.settings.reply_wait,
                  .location = std::move(location),
                  .accepted = accepted_reply(request),
                  .idempotency_key = request.idempotency_key};
}

Reply invalid_body(const Request& request, std::vector<Flaw> flaws);

}  // namespace postroom::api

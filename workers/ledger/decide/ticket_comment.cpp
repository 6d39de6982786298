#include <fmt/format.h>

#include <algorithm>

#include "common/base/text.hpp"
#include "common/store/views.hpp"
#include "workers/ledger/decide/decide.hpp"
#include "workers/ledger/decide/notices.hpp"
#include "workers/ledger/decide/open_ticket.hpp"
#include "workers/ledger/decide/problem.hpp"

namespace postroom::ledger {

using messages::TicketComment;

namespace {

constexpr std::ptrdiff_t longest_text = 100'000;  // characters, as the front door counts them

std::ptrdiff_t character_count(std::string_view text) {
  return std::ranges::count_if(text, [](char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; });
}

}  // namespace

Needs needs(const TicketComment& message, const Incoming&) {
  Needs needs;
  needs.ticket_id = message.ticket_id;
  needs.notice = true;
  return needs;
}

Decision decide(const State& state, const TicketComment& message, const Incoming& in, Context& context) {
  const std::string& command_id = in.envelope.message_id;
  if (!state.ticket) return not_found("ticket", message.ticket_id, command_id);
  const auto& before = *state.ticket;
  if (message.expected_version && *message.expected_version != before.version) return version_mismatch(before.version, command_id);
  if (trimmed(message.text).empty() || character_count(message.text) > longest_text) {
    return refused({422, "invalid", "Not acceptable", fmt::format("A comment has 1 to {} characters.", longest_text), "/text"}, command_id);
  }
  Decision decision;
  store::CommentRow comment;
  comment.id = message.comment_id;
  comment.ticket_id = before.id;
  comment.actor = message.actor;
  comment.is_public = message.is_public;
  comment.text = message.text;
  comment.created_at = context.now;
  store::TicketRow ticket = before;
  ++ticket.version;
  ticket.updated_at = context.now;
  note(decision, context, {ticket.correlation_id, ticket.id, {}, {}}, message.actor, "comment",
       detail({{"comment_id", comment.id}, {"visibility", message.is_public ? "public" : "internal"}}));
  announce(decision, ticket, "comment");
  decision.reply(201, store::data_json(store::comment_json(comment)));
  notify_comment(decision, context, state, ticket, comment);
  decision.insert(std::move(comment));
  decision.update(before, std::move(ticket));
  return decision;
}

}  // namespace postroom::ledger

#include <fmt/format.h>

#include "common/broker/topology.hpp"
#include "common/codec/codec.hpp"
#include "workers/ledger/decide/decide.hpp"
#include "workers/ledger/decide/problem.hpp"

namespace postroom::ledger {

using messages::ConnectionKind;
using messages::ConnectionTest;

namespace {

constexpr int exchanges_of_a_test = 2;  // a test that needs longer than this many whole HTTP timeouts is not answered any more

messages::Site site_of(const store::ConnectionRow& connection) {
  return {connection.id, connection.base_url, connection.account, connection.secret_sealed};
}

}  // namespace

Needs needs(const ConnectionTest& message, const Incoming&) {
  Needs needs;
  needs.connection_id = message.connection_id;
  needs.board_id = message.board_id;
  return needs;
}

Decision decide(const State& state, const ConnectionTest& message, const Incoming& in, Context& context) {
  const std::string& command_id = in.envelope.message_id;
  if (!state.connection) return not_found("connection", message.connection_id, command_id);
  const auto& connection = *state.connection;
  if (message.folder && connection.kind != ConnectionKind::imap) {
    return refused({422, "invalid", "Not acceptable", "Only a connection of kind imap has folders.", "/folder"}, command_id);
  }
  std::optional<messages::Target> target;
  if (message.board_id) {
    if (!state.board) return refused({422, "invalid", "Not acceptable", "There is no such board.", "/board_id"}, command_id);
    if (state.board->connection_id != connection.id) {
      return refused({422, "invalid", "Not acceptable", "This board's target is not this connection.", "/board_id"}, command_id);
    }
    auto decoded = codec::decode<messages::Target>(state.board->target);
    if (decoded) target = std::move(*decoded);
  }

  const std::string_view worker = messages::worker_of(connection.kind);
  MustArrive job;
  job.exchange = broker::names::work;
  job.routing_key = fmt::format("{}.test", worker);
  job.envelope.message_id = context.ids.next();
  job.envelope.type = fmt::format("{}.test.v1", worker);
  job.envelope.correlation_id = command_id;
  job.envelope.timestamp = from_micros(context.now);
  switch (connection.kind) {
    case ConnectionKind::jira: job.body = codec::encode(messages::JiraTest{command_id, site_of(connection), target ? target->jira : std::nullopt}); break;
    case ConnectionKind::trello: job.body = codec::encode(messages::TrelloTest{command_id, site_of(connection), target ? target->trello : std::nullopt}); break;
    case ConnectionKind::imap: job.body = codec::encode(messages::ImapPollerTest{command_id, site_of(connection), message.folder}); break;
    case ConnectionKind::smtp: job.body = codec::encode(messages::NotifierTest{command_id, site_of(connection)}); break;
  }

  Decision decision;
  decision.must_arrive.push_back(std::move(job));
  store::ConnectionTestRow test;
  test.id = command_id;
  test.connection_id = connection.id;
  test.reply_to = in.envelope.reply_to;
  test.started_at = context.now;
  test.due_at = context.now + exchanges_of_a_test * micros(context.config.delivery.http_timeout);
  test.state = store::RunState::running;
  decision.insert(std::move(test));
  note(decision, context, {command_id, {}, {}, {}}, message.actor, "test_started", detail({{"connection_id", connection.id}}));
  decision.reply(202, fmt::format(R"({{"data":{{"command_id":"{}","state":"running"}}}})", command_id));
  decision.is_answered_later = true;
  return decision;
}

}  // namespace postroom::ledger

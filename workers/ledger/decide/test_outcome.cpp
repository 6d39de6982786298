#include <fmt/format.h>

#include "common/base/text.hpp"
#include "common/broker/topology.hpp"
#include "common/codec/codec.hpp"
#include "workers/ledger/decide/decide.hpp"
#include "workers/ledger/decide/destination.hpp"
#include "workers/ledger/decide/lease.hpp"

namespace postroom::ledger {

using messages::TestOutcome;

namespace {

std::string result_json(const TestOutcome& outcome) {
  std::string checks = "[";
  for (const auto& check : outcome.checks) {
    if (checks.size() > 1) checks += ",";
    checks += fmt::format(R"({{"name":"{}","passed":{},"detail":"{}"}})", json_escaped(check.name), check.passed, json_escaped(check.detail));
  }
  return fmt::format(R"({{"data":{{"passed":{},"summary":"{}","checks":{}]}}}})", outcome.passed, json_escaped(outcome.summary), checks);
}

// Ends the test, answers who waits, and notes the result where the command's status is read.
void end_test(const State& state, const std::string& result, Context& context, Decision& decision) {
  store::ConnectionTestRow test = *state.test;
  test.state = store::RunState::ended;
  test.due_at = 0;
  decision.update(*state.test, std::move(test));
  if (state.test_command) {
    store::InboxRow command = *state.test_command;
    command.status = 200;
    command.result = result;
    decision.update(*state.test_command, std::move(command));
  }
  if (state.test->reply_to.empty()) return;
  MayDrop reply;
  reply.exchange = broker::names::reply;
  reply.routing_key = state.test->reply_to;
  reply.envelope.message_id = context.ids.next();
  reply.envelope.type = messages::CommandReplied::type;
  reply.envelope.correlation_id = state.test->id;
  reply.envelope.timestamp = from_micros(context.now);
  reply.body = codec::encode(messages::CommandReplied{state.test->id, 200, {result}});
  decision.may_drop.push_back(std::move(reply));
}

// The way is open: inboxes that wait out a failure are polled at once.
void wake_inboxes(const State& state, Context& context, Decision& decision) {
  for (const auto& inbox : state.connection_inboxes) {
    if (inbox.lease != store::LeaseState::idle || inbox.failures == 0) continue;
    State one;
    one.inbox = inbox;
    one.connection = state.connection;
    LeaseMachine machine{one, context};
    machine.look_now();
    for (auto& change : machine.finish().changes) decision.changes.push_back(std::move(change));
  }
}

// The way there and the login work: what is missing is a folder, a project or a list, and that is the business of who named it.
bool is_connected(const TestOutcome& outcome) { return outcome.passed || outcome.reason_class == messages::ReasonClass::not_found; }

}  // namespace

Needs needs(const TestOutcome& message, const Incoming&) {
  Needs needs;
  needs.test_id = message.test_id;
  needs.connection_id = message.connection_id;
  needs.connection_inboxes = true;
  return needs;
}

Decision decide(const State& state, const TestOutcome& message, const Incoming& in, Context& context) {
  Decision decision;
  if (!state.test || state.test->state == store::RunState::ended) return decision;  // too late, or twice
  end_test(state, result_json(message), context, decision);
  note(decision, context, {state.test->id, {}, {}, {}}, in.envelope.user_id, "test_ended",
       detail({{"connection_id", message.connection_id}, {"passed", message.passed ? "yes" : "no"}, {"summary", message.summary}}));
  if (!state.connection) return decision;
  // Settings that changed while the test ran were not tested.
  if (state.connection->updated_at > state.test->started_at) return decision;
  store::ConnectionRow connection = *state.connection;
  const bool is_well = is_connected(message);
  connection.state = is_well ? store::ConnectionState::ok : store::ConnectionState::failing;
  connection.reason_class = is_well ? messages::ReasonClass::none : message.reason_class;
  connection.reason = is_well ? "" : message.summary;
  connection.state_at = context.now;
  decision.update(*state.connection, std::move(connection));
  if (is_well) wake_inboxes(state, context, decision);
  if (message.passed && state.destination && state.destination->circuit != store::Circuit::closed) {
    store::DestinationRow destination = *state.destination;
    reset(destination, context);
    decision.touched.push_back(destination.id);
    decision.update(*state.destination, std::move(destination));
  }
  return decision;
}

Decision decide_test_deadline(const State& state, Context& context) {
  Decision decision;
  if (!state.test || state.test->state == store::RunState::ended) return decision;
  TestOutcome nobody;
  nobody.summary = "No worker answered in time: is its process running?";
  nobody.checks.push_back({"worker", false, nobody.summary});
  end_test(state, result_json(nobody), context, decision);
  note(decision, context, {state.test->id, {}, {}, {}}, "ledger", "test_ended", detail({{"passed", "no"}, {"summary", nobody.summary}}));
  return decision;
}

}  // namespace postroom::ledger

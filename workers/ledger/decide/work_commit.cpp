#include "common/base/sabotage.hpp"
#include "workers/ledger/decide/claim_answer.hpp"
#include "workers/ledger/decide/decide.hpp"
#include "workers/ledger/decide/delivery.hpp"

namespace postroom::ledger {

using messages::WorkCommit;

Needs needs(const WorkCommit& message, const Incoming&) {
  Needs needs;
  needs.delivery_id = message.delivery_id;
  return needs;
}

Decision decide(const State& state, const WorkCommit& message, const Incoming& in, Context& context) {
  messages::ClaimAnswered answer{message.delivery_id, message.dispatch_no, message.token, messages::ClaimVerdict::drop, std::string{WorkCommit::type}, "", {}};
  const auto& row = state.delivery;
  const bool is_holder = row && row->state == store::DeliveryState::claimed && (row->token == message.token || saboteur("commit_word_of_anybody")) && row->dispatch_no == message.dispatch_no;
  if (!is_holder) {
    Decision decision;
    answer.reason = "the claim is over";
    answer_claim(decision, in, context, answer);
    return decision;
  }
  DeliveryMachine machine{state, context};
  machine.commit(message.probe_base);
  // What was probed is also known for the next delivery to that project.
  if (message.probe_base) raise_mark(machine.decision(), state, row->destination_id, marker_scope(machine.target()), *message.probe_base, context.now);
  answer.verdict = messages::ClaimVerdict::send;
  answer_claim(machine.decision(), in, context, answer);
  return machine.finish();
}

}  // namespace postroom::ledger

#include <fmt/format.h>

#include "common/codec/codec.hpp"
#include "workers/ledger/decide/bulk.hpp"
#include "workers/ledger/decide/decide.hpp"
#include "workers/ledger/decide/problem.hpp"

namespace postroom::ledger {

using messages::StandbyRetryMany;

std::string progress_json(const store::BulkJobRow& job) {
  return fmt::format(R"({{"data":{{"id":"{}","command_id":"{}","action":"{}","state":"{}","total":{},"done":{},"refused":{}}}}})", job.id, job.id,
                     messages::name_of(job.action), messages::name_of(job.state), job.total, job.done, job.refused);
}

Needs needs(const StandbyRetryMany& message, const Incoming&) {
  Needs needs;
  needs.filter = message.filter;
  needs.board_id = message.board_id;
  return needs;
}

Decision decide(const State& state, const StandbyRetryMany& message, const Incoming& in, Context& context) {
  const std::string& command_id = in.envelope.message_id;
  if (message.board_id && (!state.board || state.board->state == messages::BoardState::archived)) {
    return refused({422, "invalid", "Not acceptable", "There is no such active board.", "/board_id"}, command_id);
  }
  Decision decision;
  store::BulkJobRow job;
  job.id = command_id;
  job.action = message.action;
  job.filter = codec::encode(message.filter);
  job.board_id = message.board_id;
  job.actor = message.actor;
  job.until = context.now;
  job.total = state.matching_items;
  job.state = state.matching_items == 0 ? store::RunState::ended : store::RunState::running;
  job.due_at = job.state == store::RunState::running ? context.now : 0;
  note(decision, context, {command_id, {}, {}, {}}, message.actor, "bulk_started",
       fmt::format(R"({{"action":"{}","total":{}}})", messages::name_of(job.action), job.total));
  decision.reply(job.state == store::RunState::running ? 202 : 200, progress_json(job));
  decision.insert(std::move(job));
  return decision;
}

}  // namespace postroom::ledger

#pragma once
// claim.answered to whoever asked.

#include "common/broker/topology.hpp"
#include "common/codec/codec.hpp"
#include "workers/ledger/decide/decision.hpp"
#include "workers/ledger/decide/incoming.hpp"

namespace postroom::ledger {

inline void answer_claim(Decision& decision, const Incoming& in, Context& context, const messages::ClaimAnswered& answer) {
  if (in.envelope.reply_to.empty()) return;
  MayDrop reply;
  reply.exchange = broker::names::reply;
  reply.routing_key = in.envelope.reply_to;
  reply.envelope.message_id = context.ids.next();
  reply.envelope.type = messages::ClaimAnswered::type;
  reply.envelope.correlation_id = in.envelope.correlation_id;
  reply.envelope.timestamp = from_micros(context.now);
  reply.body = codec::encode(answer);
  decision.may_drop.push_back(std::move(reply));
}

}  // namespace postroom::ledger

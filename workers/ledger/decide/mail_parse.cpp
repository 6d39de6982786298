// Which mails are being parsed: handed out in the order of their arrival, and again when nothing was heard.

#include <algorithm>

#include "common/broker/topology.hpp"
#include "common/codec/codec.hpp"
#include "workers/ledger/decide/decide.hpp"

namespace postroom::ledger {

namespace {

constexpr std::int64_t most_doublings = 5;

// Parsing has no effect outside, so silence is just asked again, with doubled patience: jobs may simply stand in a long line.
std::int64_t patience(const Context& context, std::int64_t parse_no) {
  return micros(context.config.mail.parse_timeout) << std::min(parse_no - 1, most_doublings);
}

}  // namespace

Decision decide_parse(const State& state, Context& context) {
  Decision decision;
  if (!state.mail || !state.arrival || state.mail->stage == store::MailStage::decided) return decision;
  store::MailRow mail = *state.mail;
  mail.stage = store::MailStage::parsing;
  ++mail.parse_no;
  mail.due_at = context.now + patience(context, mail.parse_no);

  messages::MailParse job;
  job.arrival_id = mail.arrival_id;
  job.parse_no = mail.parse_no;
  job.blob = messages::BlobRef{mail.blob_sha256, mail.blob_size};
  job.own_addresses = state.own_addresses;
  const auto& route = *broker::find_route(messages::MailParse::type);
  MustArrive out;
  out.exchange = route.exchange;
  out.routing_key = route.key;
  out.envelope.message_id = context.ids.next();
  out.envelope.type = messages::MailParse::type;
  out.envelope.correlation_id = state.arrival->correlation_id;
  out.envelope.timestamp = from_micros(context.now);
  out.body = codec::encode(job);
  decision.must_arrive.push_back(std::move(out));
  decision.update(*state.mail, std::move(mail));
  return decision;
}

}  // namespace postroom::ledger

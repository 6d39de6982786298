#include "workers/ledger/decide/shelf.hpp"

#include <fmt/format.h>

#include "common/base/sabotage.hpp"
#include "common/base/text.hpp"
#include "common/broker/topology.hpp"
#include "common/codec/codec.hpp"
#include "common/crypto/crypto.hpp"

namespace postroom::ledger {

using messages::StandbyKind;
using messages::StandbyState;
using store::StandbyRow;

namespace {

constexpr std::size_t longest_normalised = 160;

bool is_word(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_'; }
bool has_digit(std::string_view word) { return word.find_first_of("0123456789") != std::string_view::npos; }

// Lower case; quoted parts and words with digits become one sign each.
std::string normalised(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size() && out.size() < longest_normalised;) {
    if (text[i] == '"' || text[i] == '\'') {
      const auto end = text.find(text[i], i + 1);
      if (end != std::string_view::npos) {
        out += '*';
        i = end + 1;
        continue;
      }
    }
    std::size_t end = i;
    while (end < text.size() && is_word(text[end])) ++end;
    if (end == i) {
      out += text[i++];
      continue;
    }
    const auto word = text.substr(i, end - i);
    out += has_digit(word) ? std::string{"#"} : to_lower_ascii(word);
    i = end;
  }
  return to_valid_utf8(out);
}

std::string properties_of(const Incoming& incoming) {
  messages::StoredProperties properties;
  properties.exchange = to_valid_utf8(incoming.exchange);
  properties.routing_key = to_valid_utf8(incoming.routing_key);
  properties.queue = incoming.queue;
  properties.envelope = messages::stored(incoming.envelope);
  if (auto headers = codec::normalised_json(incoming.headers_json)) properties.headers.text = std::move(*headers);
  return codec::encode(properties);
}

// The item of a replayed ledger message knows who published it the first time.
std::string_view first_publisher(const messages::StoredEnvelope& envelope) {
  return envelope.original_user_id.empty() ? envelope.user_id : envelope.original_user_id;
}

}  // namespace

std::string group_key(std::string_view worker, std::string_view reason_class, std::string_view reason, std::string_view type) {
  return fmt::format("{}|{}|{}|{}", worker, reason_class, normalised(reason), type);
}

bool is_unfinished(StandbyState state) {
  return state == StandbyState::open || state == StandbyState::assigned || state == StandbyState::retry_pending;
}

StandbyRow item_of(const Incoming& incoming, StandbyKind kind, std::string_view reason_class, std::string_view reason, Context& context) {
  const auto& envelope = incoming.envelope;
  StandbyRow item;
  item.id = context.ids.next();
  item.kind = kind;
  item.subject_id = to_valid_utf8(envelope.message_id);
  item.correlation_id = to_valid_utf8(envelope.correlation_id.empty() ? envelope.message_id : envelope.correlation_id);
  item.worker = "ledger";
  item.message_type = to_valid_utf8(envelope.type);
  item.reason_class = reason_class;
  item.reason = to_valid_utf8(reason);
  item.group_key = group_key(item.worker, reason_class, item.reason, item.message_type);
  item.original_is_base64 = !is_valid_utf8(incoming.body) || incoming.body.find('\0') != std::string_view::npos;
  item.original = item.original_is_base64 ? crypto::to_base64(incoming.body) : std::string{incoming.body};
  if (saboteur("standby_original_not_kept")) item.original.clear();
  item.properties = properties_of(incoming);
  item.attempts = 1;
  item.first_at = item.last_at = context.now;
  item.state = StandbyState::open;
  item.version = 1;
  return item;
}

void reopen(StandbyRow& item, std::string_view reason_class, std::string_view reason, const Context& context) {
  item.reason_class = reason_class;
  item.reason = to_valid_utf8(reason);
  item.group_key = group_key(item.worker, reason_class, item.reason, item.message_type);
  item.last_at = context.now;
  item.due_at = 0;
  ++item.attempts;
  ++item.version;
  item.state = item.assignee ? StandbyState::assigned : StandbyState::open;
}

void announce(Decision& decision, const StandbyRow& item) {
  decision.events.push_back({std::string{messages::StandbyChanged::type}, item.board_id,
                             codec::encode(messages::StandbyChanged{item.id, item.state, item.version})});
}

Result<MustArrive> replay_of(const StandbyRow& item, std::int64_t replay_no) {
  auto properties = codec::decode<messages::StoredProperties>(item.properties);
  if (!properties) return properties.error();
  MustArrive out;
  // By type when it is known: a dead-lettered message's own exchange is where it was shelved.
  if (const auto* route = broker::find_route(item.message_type); route != nullptr && !route->key.starts_with('<')) {
    out.exchange = route->exchange;
    out.routing_key = route->key;
  } else {
    out.exchange = properties->exchange;
    out.routing_key = properties->routing_key;
  }
  if (out.exchange.empty() || out.exchange == broker::names::standby) {
    return Error{Code::bad_message, "nobody consumes this type of message: edit it, or delete the item", "/properties/exchange"};
  }
  out.envelope = messages::envelope_of(properties->envelope);
  out.envelope.original_user_id = first_publisher(properties->envelope);
  out.envelope.user_id.clear();
  out.envelope.reply_to.clear();  // whoever waited is gone
  out.envelope.retry = replay_no;
  out.envelope.assigned_board = item.board_id.value_or("");
  if (item.original_is_base64) {
    auto bytes = crypto::from_base64(item.original);
    if (!bytes) return bytes.error();
    out.body = std::move(*bytes);
  } else {
    out.body = item.original;
  }
  return out;
}

}  // namespace postroom::ledger

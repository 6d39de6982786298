#include "workers/ledger/decide/standby_item.hpp"

#include <fmt/format.h>

#include "common/codec/codec.hpp"
#include "common/crypto/crypto.hpp"
#include "common/messages/stored.hpp"
#include "common/store/views.hpp"
#include "workers/ledger/decide/mail_row.hpp"
#include "workers/ledger/decide/problem.hpp"
#include "workers/ledger/decide/shelf.hpp"

namespace postroom::ledger {

using messages::StandbyState;

namespace {

template <class M>
void give_own_id_to(store::StandbyRow& item) {
  auto properties = codec::decode<messages::StoredProperties>(item.properties);
  auto message = codec::decode<M>(item.original);
  if (!properties || !message) return;
  item.subject_id = properties->envelope.message_id = crypto::uuid_v5(item.link_id.value_or(item.id), {"message"});
  item.ticket_id = message->ticket_id = crypto::uuid_v5(item.subject_id, {"ticket"});
  item.properties = codec::encode(*properties);
  item.original = codec::encode(*message);
}

}  // namespace

std::optional<Decision> item_obstacle(const State& state, std::string_view item_id, std::optional<std::int64_t> expected_version, bool is_pending_fine,
                                      std::string_view command_id) {
  if (!state.item) return not_found("standby item", item_id, command_id);
  const auto& item = *state.item;
  if (expected_version && *expected_version != item.version) return version_mismatch(item.version, command_id);
  if (item.state == StandbyState::resolved || item.state == StandbyState::deleted) {
    return refused({409, "finished", "Finished already", fmt::format("The item is {}.", messages::name_of(item.state)), ""}, command_id);
  }
  if (item.state == StandbyState::retry_pending && !is_pending_fine) {
    return refused({409, "retry-pending", "A retry is under way", "Wait for its result.", ""}, command_id);
  }
  return std::nullopt;
}

void give_own_id(store::StandbyRow& item) {
  if (item.retry_no > 0) return;  // it has one
  if (item.reason_class == reused_key) give_own_id_to<messages::TicketOpen>(item);
  if (item.reason_class == uid_reused) give_own_id_to<messages::MailArrived>(item);
}

std::string item_answer(const store::StandbyRow& item) { return store::data_json(store::standby_json(item)); }

About about_item(const store::StandbyRow& item) {
  const bool is_delivery = item.kind == messages::StandbyKind::delivery;
  return {item.correlation_id, item.ticket_id, is_delivery ? std::optional{item.subject_id} : std::nullopt, item.id};
}

}  // namespace postroom::ledger

#include "api/handlers/standby_face.hpp"

#include "common/codec/codec.hpp"
#include "common/messages/ticket.hpp"

namespace postroom::api {

Result<store::StandbyFace> standby_face(const store::StandbyRow& item, store::Reading& reading) {
  auto face = reading.standby_face(item);
  if (!face || !face->from.empty() || !face->title.empty()) return face;
  if (item.message_type != messages::TicketOpen::type || item.original_is_base64) return face;
  std::string original = item.original;
  if (original.empty()) {
    auto whole = reading.standby_item(item.id);
    if (!whole) return whole.error();
    if (*whole) original = std::move((*whole)->item.original);
  }
  // What cannot be read is on the shelf for that very reason.
  if (auto posted = codec::decode<messages::TicketOpen>(original)) *face = {posted->creator_email.value_or(""), std::move(posted->title)};
  return face;
}

}  // namespace postroom::api

#include "workers/trello/conversation/talks.hpp"

namespace postroom::trello {

using codec::JsonView;
using messages::ReasonClass;
using worker::Step;

CreateTalk::CreateTalk(messages::Grant grant, std::string secret) : grant_(std::move(grant)), secret_(std::move(secret)) {}

Step CreateTalk::begin() {
  if (!grant_.target.trello || !is_object_id(grant_.target.trello->list_id)) {
    return worker::Refuse{{ReasonClass::invalid_data, "the board's mapping names no Trello list (24 hexadecimal digits)", {}, {}}};
  }
  if (!are_credentials_usable(grant_.site, secret_)) {
    return worker::Refuse{{ReasonClass::credentials, "the connection's key or token contains characters that Trello never issues; enter them again", {}, {}}};
  }
  codec::JsonWriter body;
  body.begin_object().text_member("idList", grant_.target.trello->list_id).text_member("name", name_of(grant_.ticket));
  body.text_member("desc", description_of(grant_.ticket, grant_.marker)).text_member("urlSource", source_url(grant_.ticket, grant_.marker));
  body.text_member("pos", "bottom").end_object();
  worker::HttpAsk asked = ask(grant_.site, secret_, "POST", "/1/cards", body.take());
  asked.has_effect = true;
  return asked;
}

Step CreateTalk::next(const worker::Answer& answer) {
  const auto& reply = std::get<http::Reply>(answer);
  if (auto limits = limits_of(reply)) limits_ = limits;
  if (reply.failure != http::Failure::none || reply.status != 200) return verdict_on(reply, true);
  const auto parsed = JsonView::parse(reply.body);
  if (!parsed || !is_object_id((*parsed)["id"].text())) return worker::not_understood(far_side, reply, true);
  return worker::Done{remote_of(*parsed), {}, ""};
}

}  // namespace postroom::trello

#include <fmt/format.h>

#include <algorithm>

#include "common/base/clock.hpp"
#include "workers/trello/conversation/talks.hpp"

namespace postroom::trello {

using codec::JsonView;
using messages::ReasonClass;
using worker::Step;

namespace {
constexpr std::size_t page_size = 100;
constexpr int page_limit = 20;
constexpr int check_limit = 200;                       // cards looked at one by one
constexpr std::chrono::minutes clock_margin{5};        // our clock against Trello's
}  // namespace

ResolveTalk::ResolveTalk(messages::Grant grant, std::string secret)
    : grant_(std::move(grant)), secret_(std::move(secret)), mapping_(grant_.target.trello.value_or(messages::TrelloMapping{})) {}

Step ResolveTalk::begin() {
  if (!is_object_id(mapping_.board_id) || !is_object_id(mapping_.list_id) || !grant_.sent_at_us) {
    return worker::Refuse{{ReasonClass::unresolvable, "the attempt in doubt names no Trello board and list, or no time", {}, {}}};
  }
  if (!are_credentials_usable(grant_.site, secret_)) {
    return worker::Refuse{{ReasonClass::credentials, "the connection's key or token contains characters that Trello never issues; enter them again", {}, {}}};
  }
  since_ = to_rfc3339(from_micros(*grant_.sent_at_us) - clock_margin).substr(0, 19) + ".000Z";
  stage_ = Stage::list;
  return ask(grant_.site, secret_, "GET",
             fmt::format("/1/lists/{}/cards?fields=id,desc,shortLink,shortUrl&attachments=true&limit=300&since={}", mapping_.list_id,
                         http::percent_encoded(since_)));
}

Step ResolveTalk::next(const worker::Answer& answer) {
  const auto& reply = std::get<http::Reply>(answer);
  if (auto limits = limits_of(reply)) limits_ = limits;
  if (stage_ == Stage::card) return heard_card(reply);
  if (stage_ == Stage::list) {
    // A second witness only: a list that is gone, too long or refused proves nothing.
    const bool is_dispensable = reply.failure == http::Failure::too_large ||
                                (reply.failure == http::Failure::none && (reply.status == 400 || reply.status == 403 || reply.status == 404));
    if (is_dispensable) return ask_actions();
  }
  if (reply.failure != http::Failure::none || reply.status != 200) return verdict_on(reply, false);
  const auto parsed = JsonView::parse(reply.body);
  if (!parsed || !parsed->is_array()) return worker::not_understood(far_side, reply, false);
  return stage_ == Stage::list ? heard_list(*parsed) : heard_actions(*parsed);
}

Step ResolveTalk::heard_list(const JsonView& cards) {
  for (std::size_t i = 0; i < cards.size(); ++i) {
    judged_.emplace(cards[i]["id"].text());
    if (carries(cards[i], grant_.marker)) keep(remote_of(cards[i]));
  }
  return found_.empty() ? ask_actions() : verdict();
}

Step ResolveTalk::ask_actions() {
  stage_ = Stage::actions;
  ++pages_;
  return ask(grant_.site, secret_, "GET",
             fmt::format("/1/boards/{}/actions?filter=createCard,copyCard,moveCardToBoard&member=false&memberCreator=false&limit={}&since={}{}{}",
                         mapping_.board_id, page_size, http::percent_encoded(since_), before_.empty() ? "" : "&before=", before_));
}

Step ResolveTalk::heard_actions(const JsonView& actions) {
  for (std::size_t i = 0; i < actions.size(); ++i) {
    const JsonView card = actions[i]["data"]["card"];
    const std::string id{card["id"].text()};
    if (is_object_id(id) && judged_.insert(id).second) {
      candidates_.push_back({id, std::string{card["name"].text()}, std::string{card["shortLink"].text()}});
    }
    if (is_object_id(actions[i]["id"].text())) before_ = actions[i]["id"].text();
  }
  is_last_page_ = actions.size() < page_size;
  return next_candidate();
}

Step ResolveTalk::next_candidate() {
  if (candidates_.empty()) {
    if (is_last_page_) return verdict();
    if (pages_ < page_limit) return ask_actions();
    gave_up_ = true;
    return verdict();
  }
  if (++checked_ > check_limit) {
    gave_up_ = true;
    return verdict();
  }
  stage_ = Stage::card;
  current_ = std::move(candidates_.back());  // the oldest first: the attempt in doubt lies back
  candidates_.pop_back();
  return ask(grant_.site, secret_, "GET", fmt::format("/1/cards/{}?fields=desc,idList,closed,shortLink,shortUrl&attachments=true", current_.id));
}

Step ResolveTalk::heard_card(const http::Reply& reply) {
  if (reply.failure == http::Failure::none && reply.status == 404) {
    // Created, then deleted by a person: its creation is on record and its name is ours. It was delivered; it is not made again.
    if (current_.name == name_of(grant_.ticket)) {
      messages::Remote removed{current_.id, current_.short_link, current_.short_link.empty() ? "" : "https://trello.com/c/" + current_.short_link, {}};
      return worker::Done{std::move(removed), {}, "the card was created and has been deleted since"};
    }
    return next_candidate();
  }
  if (reply.failure != http::Failure::none || reply.status != 200) return verdict_on(reply, false);
  const auto parsed = JsonView::parse(reply.body);
  if (!parsed || !parsed->is_object()) return worker::not_understood(far_side, reply, false);
  if (carries(*parsed, grant_.marker)) keep(remote_of(*parsed));
  return next_candidate();
}

void ResolveTalk::keep(messages::Remote remote) {
  if (std::ranges::find(found_, remote.id, &messages::Remote::id) == found_.end()) found_.push_back(std::move(remote));
}

Step ResolveTalk::verdict() {
  if (found_.empty()) {
    if (gave_up_) {
      return worker::Refuse{{ReasonClass::unresolvable,
                             fmt::format("too many cards were created on the board since {}; search there for '{}'", since_, grant_.marker), {}, {}}};
    }
    return worker::NotSent{{ReasonClass::absent, "Trello has no card of this delivery", {}, {}}};
  }
  std::ranges::sort(found_, {}, &messages::Remote::id);  // ids begin with their second of creation
  return worker::Done{found_.front(), {found_.begin() + 1, found_.end()}, ""};
}

}  // namespace postroom::trello

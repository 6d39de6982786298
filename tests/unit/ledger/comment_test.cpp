// Comments by people, and the settings of the installation.

#include "common/store/views.hpp"
#include "tests/unit/ledger/world.hpp"

using namespace postroom;
using namespace postroom::ledger;

namespace {

messages::TicketComment words(bool is_public, std::string text = "We look into it.") {
  messages::TicketComment message;
  message.ticket_id = "ticket";
  message.comment_id = "comment";
  message.actor = "ada";
  message.is_public = is_public;
  message.text = std::move(text);
  return message;
}

World world_with_creator() {
  World world;
  world.state.ticket->creator_email = "ann@customer.example";
  world.state.smtp.emplace();
  world.state.smtp->id = "smtp";
  world.state.settings.sender_address = "desk@example.com";
  return world;
}

std::vector<store::DeliveryRow> mails(const Decision& decision) {
  std::vector<store::DeliveryRow> found;
  for (const auto& change : decision.changes) {
    if (const auto* delivery = std::get_if<store::DeliveryRow>(&change.after); delivery != nullptr && delivery->kind == "mail") found.push_back(*delivery);
  }
  return found;
}

}  // namespace

TEST_CASE("a public comment is told to the ticket's creator, an internal one to nobody") {
  for (const bool is_public : {true, false}) {
    World world = world_with_creator();
    const auto& decision = world.receive(words(is_public));
    CHECK(decision.status == 201);
    CHECK(mails(decision).size() == (is_public ? 1u : 0u));
    CHECK(world.state.ticket->version == 2);
    CHECK(world.has_noted("comment"));
    CHECK(decision.events.size() == 1);
  }
}

TEST_CASE("a comment is refused on a ticket that is not there, at another version, or without words") {
  World world;
  auto message = words(true);
  message.expected_version = 9;
  CHECK(world.receive(message).status == 412);
  CHECK(world.receive(words(true, " \n\t")).status == 422);
  CHECK(world.receive(words(true, std::string(100'001, 'x'))).status == 422);
  std::string wide;
  for (int i = 0; i < 100'000; ++i) wide += "ä";
  CHECK(world.receive(words(false, wide)).status == 201);
  world.state.ticket.reset();
  CHECK(world.receive(words(true)).status == 404);
}

TEST_CASE("a change of state is told to the ticket's creator; its note is for the house") {
  World world = world_with_creator();
  world.state.settings.is_telling_states = true;
  const auto& decision = world.receive(messages::TicketChangeState{"ticket", "ada", {}, messages::TicketState::resolved, "a new fuse"});
  REQUIRE(mails(decision).size() == 1);
  CHECK(mails(decision)[0].cause == "state:2");
  CHECK(mails(decision)[0].notice.find("a new fuse") == std::string::npos);
}

TEST_CASE("a post with an address is confirmed, and its author takes part") {
  World world = world_with_creator();
  world.state.ticket.reset();
  world.state.delivery.reset();
  world.state.settings.is_confirming = true;
  messages::TicketOpen post;
  post.ticket_id = "promised";
  post.board_id = "board";
  post.actor = "public";
  post.title = "It smokes";
  post.creator_email = "Ann@Customer.example";
  CHECK(needs(post, Incoming{world.envelope("ticket.open.v1"), "", "", "", "", ""}).notice_recipient == "ann@customer.example");
  const auto& decision = world.receive(post);
  REQUIRE(mails(decision).size() == 1);
  CHECK(mails(decision)[0].cause == "ticket.opened");
  const bool takes_part = std::ranges::any_of(decision.changes, [](const Change& change) {
    const auto* row = std::get_if<store::ParticipantRow>(&change.after);
    return row != nullptr && row->ticket_id == "promised" && row->address == "ann@customer.example";
  });
  CHECK(takes_part);
}

TEST_CASE("settings change by what is given; an empty text takes a member away") {
  World world;
  world.state.settings.version = 1;
  world.state.connection->kind = messages::ConnectionKind::smtp;
  messages::SettingsUpdate update;
  update.actor = "ada";
  update.default_board_id = "board";
  update.smtp_connection_id = "site";
  update.sender_address = "desk@example.com";
  update.is_confirming = false;
  const auto settings_after = [&](const messages::SettingsUpdate& message) {
    const auto& decision = world.receive(message);
    CHECK(decision.status == 200);
    for (const auto& change : decision.changes) {
      if (const auto* row = std::get_if<store::SettingsRow>(&change.after)) world.state.settings = *row;
    }
    return world.state.settings;
  };
  auto settings = settings_after(update);
  CHECK(settings.default_board_id == "board");
  CHECK(settings.smtp_connection_id == "site");
  CHECK(settings.sender_address == "desk@example.com");
  CHECK_FALSE(settings.is_confirming);
  CHECK(settings.version == 2);
  messages::SettingsUpdate away;
  away.actor = "ada";
  away.expected_version = 2;
  away.default_board_id = "";
  settings = settings_after(away);
  CHECK_FALSE(settings.default_board_id.has_value());
  CHECK(settings.smtp_connection_id == "site");
  CHECK(world.receive(away).status == 412);
}

TEST_CASE("settings refuse what is not there or makes no sense") {
  const auto answer = [](auto&& fill, auto&& prepare) {
    World world;
    prepare(world);
    messages::SettingsUpdate update;
    update.actor = "ada";
    fill(update);
    return world.receive(update).status;
  };
  const auto as_is = [](World&) {};
  CHECK(answer([](auto& update) { update.smtp_connection_id = "site"; }, as_is) == 422);  // a tracker's
  CHECK(answer([](auto& update) { update.smtp_connection_id = "gone"; }, [](World& world) { world.state.connection.reset(); }) == 422);
  CHECK(answer([](auto& update) { update.default_board_id = "gone"; }, [](World& world) { world.state.board.reset(); }) == 422);
  CHECK(answer([](auto& update) { update.default_board_id = "board"; }, [](World& world) { world.state.board->state = messages::BoardState::archived; }) == 422);
  CHECK(answer([](auto& update) { update.sender_address = "nobody"; }, as_is) == 422);
  CHECK(answer([](auto& update) { update.sender_name = "two\nlines"; }, as_is) == 422);
  CHECK(answer([](auto& update) { update.sender_name = "Desk"; }, as_is) == 200);
}

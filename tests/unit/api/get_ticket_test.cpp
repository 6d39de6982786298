#include <doctest/doctest.h>

#include "api/handlers/handlers.hpp"
#include "common/store/reading.hpp"
#include "tests/unit/api/a_front_door.hpp"

using namespace postroom;
using namespace postroom::api;

namespace {

// A ledger that opens the ticket, or shelves it, right after the first look at it.
class BetweenTwoLooks final : public store::Reading {
 public:
  explicit BetweenTwoLooks(store::ArrivalState decided) : decided_(decided) {}

  Result<std::optional<store::TicketView>> ticket(std::string_view id) override {
    const bool is_there = looks_++ > 0 && decided_ == store::ArrivalState::opened;
    if (!is_there) return std::optional<store::TicketView>{};
    store::TicketView view;
    view.ticket.id = std::string{id};
    view.ticket.title = "Keys lost";
    return std::optional{view};
  }
  Result<std::optional<store::ArrivalView>> arrival_by_ticket(std::string_view ticket_id) override {
    store::ArrivalView view;
    view.arrival.ticket_id = std::string{ticket_id};
    view.arrival.state = decided_;
    return std::optional{view};
  }

  Result<std::string> installation_name() override { return none_; }
  Result<std::optional<store::BoardRow>> board(std::string_view) override { return none_; }
  Result<store::Page<store::BoardRow>> boards(const store::PageRequest&) override { return none_; }
  Result<std::optional<store::ConnectionRow>> connection(std::string_view) override { return none_; }
  Result<store::Page<store::ConnectionRow>> connections(const store::PageRequest&) override { return none_; }
  Result<store::Page<store::TicketView>> tickets(const store::TicketFilter&, const store::PageRequest&) override { return none_; }
  Result<std::vector<store::HistoryRow>> timeline(std::string_view, std::int64_t) override { return none_; }
  Result<store::Page<store::ExternalTicketRow>> external_tickets(std::string_view, const store::PageRequest&) override { return none_; }
  Result<std::optional<store::ExternalTicketRow>> external_ticket(std::string_view) override { return none_; }
  Result<store::Page<store::StandbyRow>> standby(const store::StandbyQuery&, const store::PageRequest&) override { return none_; }
  Result<std::optional<store::StandbyView>> standby_item(std::string_view) override { return none_; }
  Result<std::optional<store::InboxRow>> command(std::string_view) override { return none_; }
  Result<store::Balance> balance() override { return none_; }
  Result<std::optional<store::Trace>> trace(std::string_view) override { return none_; }

 private:
  store::ArrivalState decided_;
  int looks_ = 0;
  Error none_{Code::bug, "this test does not ask for it"};
};

Reply shown(store::ArrivalState decided) {
  ADoor door;
  BetweenTwoLooks reading{decided};
  Request request;
  request.id = some_id;
  request.path = "/v1/tickets/" + some_id;
  return std::get<Reply>(get_ticket(request, Context{.settings = door.settings, .boards = door.boards, .seal = door.seal, .reading = &reading}));
}

}  // namespace

TEST_CASE("a ticket that is opened between two looks is shown as a ticket, never as shelved") {
  const auto reply = shown(store::ArrivalState::opened);
  CHECK(reply.status == 200);
  CHECK(reply.body.find("Keys lost") != std::string::npos);
  CHECK(reply.body.find("standby") == std::string::npos);
  CHECK_FALSE(header(reply, "ETag").empty());
}

TEST_CASE("a shelved arrival is shown with its state") {
  const auto reply = shown(store::ArrivalState::standby);
  CHECK(reply.status == 200);
  CHECK(reply.body.find("\"state\":\"standby\"") != std::string::npos);
}

#include <doctest/doctest.h>

#include "api/handlers/handlers.hpp"
#include "tests/unit/api/a_front_door.hpp"
#include "tests/unit/api/a_reading.hpp"

using namespace postroom;
using namespace postroom::api;

namespace {

// A ledger that opens the ticket, or shelves it, right after the first look at it.
class BetweenTwoLooks final : public NoReading {
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
    if (decided_ == store::ArrivalState::reply) view.mail.emplace().ticket_id = "another-ticket";
    return std::optional{view};
  }

 private:
  store::ArrivalState decided_;
  int looks_ = 0;
};

Reply shown(store::ArrivalState decided) {
  ADoor door;
  BetweenTwoLooks reading{decided};
  const std::string path = "/v1/tickets/" + some_id;
  Request request;
  request.id = some_id;
  request.path = path;
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

TEST_CASE("a mail that nothing is decided about is not there yet, however long it was promised") {
  const auto reply = shown(store::ArrivalState::received);
  CHECK(reply.status == 404);
  CHECK(reply.body.find("urn:postroom:problem:not-yet-applied") != std::string::npos);
  CHECK(header(reply, "Retry-After") == "1");
}

TEST_CASE("a mail that became a reply leads to the ticket where it is") {
  const auto reply = shown(store::ArrivalState::reply);
  CHECK(reply.status == 200);
  CHECK(reply.body.find("\"state\":\"reply\"") != std::string::npos);
  CHECK(reply.body.find("\"ticket_id\":\"another-ticket\"") != std::string::npos);
}

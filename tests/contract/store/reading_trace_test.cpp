// A trace of a mail: the whole life of it, from any id that a person may have.

#include "tests/contract/store/mail_house.hpp"

using namespace postroom;
using namespace postroom::store;

TEST_CASE("a trace follows a mail, by its id and by its Message-ID, to its ticket and the replies on it") {
  House house;
  house.board("board");
  house.inbox("in");
  house.mail("first", "in", 1, "ticket", ArrivalState::opened);
  house.mail("reply", "in", 2, "reply", ArrivalState::reply);
  house.ticket("ticket-of-first", "first", 1);
  REQUIRE(house.writer->execute("UPDATE mails SET ticket_id = 'ticket-of-first'", {}).ok());
  CommentRow comment;
  comment.id = "c";
  comment.ticket_id = "ticket-of-first";
  comment.arrival_id = "reply";
  house.keep(comment);
  house.delivery("d", "ticket-of-first", "mail", "ticket.opened", 1);
  house.keep(MailThreadRow{"sent@home", "ticket-of-first", 1});
  house.note("opened", "first", "ticket-of-first", 10);
  house.note("replied", "reply", "ticket-of-first", 30);
  house.note("fetched", "reply", std::nullopt, 20);
  const auto actions = [](const Trace& trace) {
    std::string all;
    for (const auto& entry : trace.history) all += entry.action + " ";
    return all;
  };
  for (const char* id : {"first", "ticket-of-first", "d", "c"}) {
    CAPTURE(id);
    const auto trace = house.reading->trace(id);
    REQUIRE(trace->has_value());
    CHECK((*trace)->correlation_id == "first");
    CHECK((*trace)->mails.size() == 2);
    CHECK((*trace)->tickets.size() == 1);
    CHECK(actions(**trace) == "opened replied ");
  }
  for (const char* message_id : {"first@example.org", "sent@home"}) {
    CAPTURE(message_id);
    const auto trace = house.reading->trace_message(message_id);
    REQUIRE(trace.ok());
    REQUIRE(trace->has_value());
    CHECK((*trace)->asked == "message");
    CHECK((*trace)->correlation_id == "first");
    CHECK((*trace)->deliveries.size() == 1);
  }
  const auto reply = house.reading->trace_message("reply@example.org");
  REQUIRE(reply->has_value());
  CHECK((*reply)->correlation_id == "reply");
  CHECK((*reply)->tickets.at(0).id == "ticket-of-first");
  REQUIRE((*reply)->mails.size() == 2);
  CHECK((*reply)->mails[0].arrival_id == "reply");
  CHECK(actions(**reply) == "opened fetched replied ");
  CHECK(trace_json(**reply).find(R"("mails":[{"arrival_id":"reply")") != std::string::npos);
  CHECK_FALSE(house.reading->trace_message("nothing@example.org")->has_value());
}

TEST_CASE("a Message-ID that was used again shows every ticket and every mail that has it, each once") {
  House house;
  house.board("board");
  house.inbox("in");
  house.mail("a", "in", 1, "ticket", ArrivalState::opened);
  house.mail("b", "in", 2, "ticket", ArrivalState::opened);
  house.mail("again", "in", 3, "duplicate", ArrivalState::duplicate);
  house.mail("shelved", "in", 4, "standby", ArrivalState::standby);
  house.ticket("ticket-of-a", "a", 1);
  house.ticket("ticket-of-b", "b", 2);
  house.ticket("c", "elsewhere", 3);
  ArrivalRow elsewhere;
  elsewhere.id = elsewhere.correlation_id = elsewhere.natural_key = "elsewhere";
  elsewhere.ticket_id = "c";
  house.keep(elsewhere);
  for (const char* sql : {"UPDATE mails SET message_id = 'same@x'", "UPDATE mails SET ticket_id = 'ticket-of-a' WHERE arrival_id IN ('a', 'again')",
                          "UPDATE mails SET ticket_id = 'ticket-of-b' WHERE arrival_id = 'b'"}) {
    REQUIRE(house.writer->execute(sql, {}).ok());
  }
  for (const char* ticket : {"ticket-of-a", "ticket-of-b", "c"}) house.keep(MailThreadRow{"same@x", ticket, 1});
  house.note("opened", "b", "ticket-of-b", 10);
  const auto trace = house.reading->trace_message("same@x");
  REQUIRE(trace.ok());
  REQUIRE(trace->has_value());
  const auto mails_of = [](const Trace& one) {
    std::string ids;
    for (const auto& mail : one.mails) ids += mail.arrival_id + " ";
    return ids;
  };
  CHECK((*trace)->tickets.at(0).id == "ticket-of-a");
  CHECK(mails_of(**trace) == "a again ");
  REQUIRE((*trace)->others.size() == 3);
  CHECK((*trace)->others[0].tickets.at(0).id == "ticket-of-b");
  CHECK(mails_of((*trace)->others[0]) == "b ");
  CHECK((*trace)->others[0].history.size() == 1);
  CHECK(mails_of((*trace)->others[1]) == "shelved ");
  CHECK((*trace)->others[1].tickets.empty());
  CHECK((*trace)->others[2].tickets.at(0).id == "c");
  const std::string json = trace_json(**trace);
  CHECK(json.find(R"("others":[{"asked":"message","correlation_id":"b")") != std::string::npos);
  CHECK(json.ends_with(R"("others":[]}]})"));
}

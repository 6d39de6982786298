// What every implementation of the Reading port must answer about mails and what hangs on them.

#include "tests/contract/store/mail_house.hpp"

using namespace postroom;
using namespace postroom::store;

namespace {

// All pages of a list, as ids.
template <class List>
std::string ids_of(List&& list, std::int64_t limit) {
  std::string ids;
  PageRequest page{limit, ""};
  for (int pages = 0; pages < 50; ++pages) {
    const auto answer = list(page);
    REQUIRE(answer.ok());
    CHECK(static_cast<std::int64_t>(answer->items.size()) <= limit);
    for (const auto& item : answer->items) ids += item.arrival.id + " ";
    if (!answer->next) return ids;
    page.cursor = *answer->next;
  }
  FAIL("the list has no end");
  return ids;
}

}  // namespace

TEST_CASE("an inbox's report counts every mail of its UIDVALIDITY once") {
  House house;
  house.inbox("in");
  house.inbox("other");
  int uid = 0;
  for (const auto& [verdict, state] : {std::pair{"ticket", ArrivalState::opened}, {"ticket", ArrivalState::opened}, {"reply", ArrivalState::reply},
                                       {"duplicate", ArrivalState::duplicate}, {"bounce", ArrivalState::bounce}, {"own", ArrivalState::own},
                                       {"standby", ArrivalState::standby}, {"unparsable", ArrivalState::standby}, {"standby", ArrivalState::deleted},
                                       {"deleted", ArrivalState::deleted}, {"", ArrivalState::received}}) {
    ++uid;
    house.mail("m" + std::to_string(uid), "in", uid, verdict, state);
  }
  house.mail("old", "in", 1, "ticket", ArrivalState::opened, 6);
  house.mail("elsewhere", "other", 1, "ticket", ArrivalState::opened);
  for (const auto& [id, verb, state, validity] :
       {std::tuple{"c1", messages::ChoreVerb::move, ChoreState::done, 7}, {"c2", messages::ChoreVerb::erase, ChoreState::done, 7},
        {"c3", messages::ChoreVerb::flag, ChoreState::done, 7}, {"c4", messages::ChoreVerb::move, ChoreState::waiting, 7}, {"c5", messages::ChoreVerb::move, ChoreState::done, 6}}) {
    InboxChoreRow chore;
    chore.id = id;
    chore.inbox_id = "in";
    chore.uid_validity = validity;
    chore.verb = verb;
    chore.state = state;
    house.keep(chore);
  }
  const auto report = house.reading->inbox_report("in");
  REQUIRE(report.ok());
  REQUIRE(report->has_value());
  const InboxReport& counted = **report;
  CHECK(counted.ticket == 2);
  CHECK(counted.reply == 1);
  CHECK(counted.duplicate == 1);
  CHECK(counted.bounce == 1);
  CHECK(counted.own == 1);
  CHECK(counted.standby == 2);
  CHECK(counted.deleted == 2);
  CHECK(counted.pending == 1);
  CHECK(counted.total() == 11);
  CHECK(counted.removed == 2);
  CHECK(counted.missing() == 10 + 2 - 1 - 11);
  CHECK(counted.gone() == 0);
  CHECK(inbox_report_json(counted).find(R"("missing":0,"missing_is":"exact")") != std::string::npos);
  const auto unknown = house.reading->inbox_report("nothing");
  REQUIRE(unknown.ok());
  CHECK_FALSE(unknown->has_value());
}

TEST_CASE("what is missing is unknown before the first look, and never below nothing") {
  struct Row {
    std::int64_t looked_at;
    std::int64_t exists;
    const char* told;
    const char* server;
  };
  const Row rows[] = {{0, 0, R"("missing":null,"missing_is":"unknown")", R"("exists":null,"older":null,"removed":0,"gone":null)"},
                      {1, 5, R"("missing":2,"missing_is":"exact")", R"("exists":5,"older":1,"removed":0,"gone":0)"},
                      {1, 3, R"("missing":0,"missing_is":"exact")", R"("exists":3,"older":1,"removed":0,"gone":0)"},
                      {1, 1, R"("missing":0,"missing_is":"at_least")", R"("exists":1,"older":1,"removed":0,"gone":2)"}};
  for (const auto& row : rows) {
    CAPTURE(row.exists);
    InboxReport report;
    report.inbox.server_at = row.looked_at;
    report.inbox.server_exists = row.exists;
    report.inbox.server_older = row.looked_at;
    report.ticket = 2;
    const std::string json = inbox_report_json(report);
    CAPTURE(json);
    CHECK(json.find(row.told) != std::string::npos);
    CHECK(json.find(row.server) != std::string::npos);
  }
}

TEST_CASE("mails are listed page by page, of one inbox and of all, by verdict or all of them") {
  House house;
  house.inbox("a");
  house.inbox("b");
  house.mail("a3", "a", 3, "ticket", ArrivalState::opened);
  house.mail("a1", "a", 1, "ticket", ArrivalState::opened);
  house.mail("a2", "a", 2, "", ArrivalState::received);
  house.mail("b5", "b", 5, "bounce", ArrivalState::bounce);
  house.mail("b4", "b", 4, "ticket", ArrivalState::opened);
  house.mail("old9", "a", 9, "ticket", ArrivalState::opened, 6);
  const auto list = [&](ArrivalFilter filter) {
    return [&house, filter](const PageRequest& page) { return house.reading->mail_arrivals(filter, page); };
  };
  for (const std::int64_t limit : {1, 2, 3, 100}) {
    CAPTURE(limit);
    CHECK(ids_of(list({}), limit) == "old9 b5 b4 a3 a2 a1 ");
    CHECK(ids_of(list({"a", {}}), limit) == "a3 a2 a1 old9 ");
    CHECK(ids_of(list({"a", "ticket"}), limit) == "a3 a1 old9 ");
    CHECK(ids_of(list({"a", ""}), limit) == "a2 ");
    CHECK(ids_of(list({{}, "ticket"}), limit) == "old9 b4 a3 a1 ");
    CHECK(ids_of(list({{}, "own"}), limit).empty());
  }
  for (const char* cursor : {"x", "1_zz", "7_61"}) {
    const auto refused = house.reading->mail_arrivals({"a", {}}, {10, cursor});
    REQUIRE_FALSE(refused.ok());
    CHECK(refused.error().code() == Code::bad_message);
    CHECK(refused.error().where() == "/cursor");
  }
}

TEST_CASE("a list's statements go through an index from the cursor on") {
  House house;
  const auto plan_of = [&](std::string_view sql) {
    std::string plan;
    REQUIRE(house.writer->query(fmt::format("EXPLAIN QUERY PLAN {}", sql), {}, [&](const Row& row) { plan += row.text(3) + "\n"; }).ok());
    CAPTURE(plan);
    CHECK(plan.find("SCAN") == std::string::npos);
    CHECK(plan.find("TEMP B-TREE") == std::string::npos);
    return plan;
  };
  plan_of("SELECT * FROM mails WHERE inbox_id = 'a' AND (uid_validity, uid) < (1, 2) ORDER BY uid_validity DESC, uid DESC LIMIT 5");
  plan_of("SELECT * FROM mails WHERE inbox_id = 'a' AND (uid_validity, uid) < (1, 2) AND verdict = 'ticket' ORDER BY uid_validity DESC, uid DESC LIMIT 5");
  plan_of("SELECT * FROM mails WHERE verdict = 'ticket' AND (received_at, arrival_id) < (1, 'a') ORDER BY received_at DESC, arrival_id DESC LIMIT 5");
  plan_of("SELECT COUNT(*) FROM mails WHERE inbox_id = 'a' AND verdict = 'ticket' AND uid_validity = 1");
  plan_of("SELECT * FROM comments WHERE ticket_id = 'a' AND (created_at, id) > (1, 'a') ORDER BY created_at, id LIMIT 5");
  plan_of("SELECT * FROM attachments WHERE ticket_id = 'a' AND (created_at, id) > (1, 'a') ORDER BY created_at, id LIMIT 5");
  plan_of("SELECT message_id FROM mail_threads WHERE message_id > 'a.' AND message_id < 'a/' LIMIT 1");
}

TEST_CASE("an arrival is shown with its mail and its item on the shelf, also by the promised ticket") {
  House house;
  house.inbox("in");
  house.mail("m", "in", 1, "standby", ArrivalState::standby);
  StandbyRow item;
  item.id = "item";
  item.kind = messages::StandbyKind::arrival;
  item.subject_id = "m";
  item.reason_class = "no_board";
  item.properties = "{}";
  house.keep(item);
  REQUIRE(house.writer->execute("UPDATE arrivals SET standby_id = 'item' WHERE id = 'm'", {}).ok());
  for (const bool by_ticket : {false, true}) {
    const auto view = by_ticket ? house.reading->arrival_by_ticket("ticket-of-m") : house.reading->arrival("m");
    REQUIRE(view.ok());
    REQUIRE(view->has_value());
    CHECK((*view)->standby->id == "item");
    CHECK((*view)->mail->uid == 1);
  }
  const auto shelved = house.reading->standby_item("item");
  REQUIRE(shelved.ok());
  REQUIRE((*shelved)->mail.has_value());
  REQUIRE(house.writer->execute("UPDATE mails SET blob_sha256 = 'ab' WHERE arrival_id = 'm'", {}).ok());
  CHECK(standby_json(**house.reading->standby_item("item"), {}).find(R"("raw_url":"/v1/arrivals/m/raw")") != std::string::npos);
  CHECK_FALSE(house.reading->arrival("nothing")->has_value());
}

TEST_CASE("an item on the shelf is known by its mail's sender and subject, a delivery by its ticket's creator and title, or by nothing") {
  House house;
  house.inbox("in");
  house.board("board");
  house.mail("m", "in", 1, "standby", ArrivalState::standby);
  house.mail("unread", "in", 2, "unparsable", ArrivalState::standby);
  house.ticket("t", "m", 1);
  REQUIRE(house.writer->execute("UPDATE mails SET sender_address = 'ann@example.org', subject = 'Keys' WHERE arrival_id = 'm'", {}).ok());
  REQUIRE(house.writer->execute("UPDATE tickets SET creator_email = 'bob@example.org', title = 'Lamps' WHERE id = 't'", {}).ok());
  const auto face_of = [&](messages::StandbyKind kind, std::string correlation, std::optional<std::string> ticket) {
    StandbyRow item;
    item.id = item.subject_id = "item";
    item.kind = kind;
    item.correlation_id = std::move(correlation);
    item.ticket_id = std::move(ticket);
    const auto face = house.reading->standby_face(item);
    REQUIRE(face.ok());
    return face->from + "|" + face->title;
  };
  using messages::StandbyKind;
  CHECK(face_of(StandbyKind::arrival, "m", std::nullopt) == "ann@example.org|Keys");
  CHECK(face_of(StandbyKind::poison, "m", std::nullopt) == "ann@example.org|Keys");
  CHECK(face_of(StandbyKind::delivery, "m", "t") == "bob@example.org|Lamps");
  CHECK(face_of(StandbyKind::arrival, "unread", "promised") == "|");
  CHECK(face_of(StandbyKind::poison, "unknown", std::nullopt) == "|");
  StandbyRow item;
  item.properties = "{}";
  CHECK(standby_json(item, {"ann@example.org", "Keys"}).ends_with(R"("from":"ann@example.org","title":"Keys"})"));
  CHECK(standby_json(item, {}).ends_with(R"("from":null,"title":null})"));
}

TEST_CASE("comments and attachments are read oldest first, all of them once") {
  House house;
  house.board("board");
  house.ticket("t", "a", 1);
  house.ticket("u", "b", 2);
  for (int n = 0; n < 5; ++n) {
    CommentRow comment;
    comment.id = "c" + std::to_string(n);
    comment.ticket_id = n == 4 ? "u" : "t";
    comment.created_at = n / 2;
    house.keep(comment);
    AttachmentRow file;
    file.id = "f" + std::to_string(n);
    file.ticket_id = comment.ticket_id;
    file.created_at = n / 2;
    house.keep(file);
  }
  const auto of_t = [&](auto list) {
    std::string seen;
    PageRequest page{2, ""};
    do {
      const auto answer = (house.reading.get()->*list)("t", page);
      REQUIRE(answer.ok());
      for (const auto& item : answer->items) seen += item.id;
      page.cursor = answer->next.value_or("");
    } while (!page.cursor.empty());
    return seen;
  };
  CHECK(of_t(&Reading::comments) == "c0c1c2c3");
  CHECK(of_t(&Reading::attachments) == "f0f1f2f3");
  CHECK((*house.reading->attachment("f4"))->ticket_id == "u");
  CHECK_FALSE(house.reading->attachment("nothing")->has_value());
  CHECK(house.reading->comments("nothing", {})->items.empty());
}

TEST_CASE("notices are the mails of a ticket, with their Message-IDs; its delivery is the newest that is no mail") {
  House house;
  house.board("board");
  house.ticket("t", "a", 1);
  house.delivery("d1", "t", "create", "ticket.opened", 1);
  house.delivery("d2", "t", "mail", "ticket.opened", 2);
  house.delivery("d3", "t", "mail", "comment:c", 3, DeliveryState::waiting);
  house.keep(MailThreadRow{"t.d2.signature@home", "t", 1});
  house.keep(MailThreadRow{"t.d22.signature@home", "t", 1});
  const auto notices = house.reading->notices("t", {});
  REQUIRE(notices.ok());
  REQUIRE(notices->items.size() == 2);
  CHECK(notices->items[0].delivery.id == "d2");
  CHECK(notices->items[0].message_id == "t.d2.signature@home");
  CHECK_FALSE(notices->items[1].message_id.has_value());
  CHECK(notice_json(notices->items[0]).find(R"("kind":"confirmation")") != std::string::npos);
  CHECK(notice_json(notices->items[1]).find(R"("kind":"comment")") != std::string::npos);
  const auto second = house.reading->notices("t", {1, *house.reading->notices("t", {1, ""})->next});
  CHECK(second->items[0].delivery.id == "d3");
  const auto ticket = house.reading->ticket("t");
  REQUIRE(ticket.ok());
  CHECK((*ticket)->delivery->id == "d1");
}

TEST_CASE("the balance counts what became of mails, and deliveries by kind") {
  House house;
  REQUIRE(insert(*house.writer, CounterRow{"arrivals_accepted", 9}).ok());
  house.board("board");
  house.inbox("in");
  house.ticket("t", "a", 1);
  int uid = 0;
  for (const auto state : {ArrivalState::received, ArrivalState::reply, ArrivalState::reply, ArrivalState::duplicate, ArrivalState::bounce, ArrivalState::own}) {
    ++uid;
    house.mail("m" + std::to_string(uid), "in", uid, "", state);
  }
  house.delivery("d1", "t", "create", "ticket.opened", 1);
  house.delivery("d2", "t", "mail", "ticket.opened", 1);
  house.delivery("d3", "t", "mail", "comment:c", 1, DeliveryState::waiting);
  REQUIRE(house.writer->execute("UPDATE deliveries SET reason_class = 'assumed_sent' WHERE id = 'd2'", {}).ok());
  const auto balance = house.reading->balance();
  REQUIRE(balance.ok());
  CHECK(balance->accepted == 9);
  CHECK(balance->received == 1);
  CHECK(balance->reply == 2);
  CHECK(balance->duplicate == 1);
  CHECK(balance->bounce == 1);
  CHECK(balance->own == 1);
  CHECK(balance->done == 2);
  CHECK(balance->waiting == 1);
  REQUIRE(balance->by_kind.size() == 2);
  const std::string json = balance_json(*balance);
  CHECK(json.find(R"("create":{"waiting":0,"dispatched":0,"claimed":0,"standby":0,"done":1,"cancelled":0,"assumed_sent":0})") != std::string::npos);
  CHECK(json.find(R"("mail":{"waiting":1,"dispatched":0,"claimed":0,"standby":0,"done":1,"cancelled":0,"assumed_sent":1})") != std::string::npos);
}

TEST_CASE("settings are there from the start, inboxes by name") {
  House house;
  const auto settings = house.reading->settings();
  REQUIRE(settings.ok());
  CHECK(settings->is_confirming);
  CHECK(settings->version == 1);
  CHECK(settings_json(*settings).find(R"("default_board_id":null)") != std::string::npos);
  house.inbox("zulu");
  house.inbox("alpha");
  const auto inboxes = house.reading->inboxes({1, ""});
  REQUIRE(inboxes.ok());
  CHECK(inboxes->items.at(0).id == "alpha");
  CHECK(house.reading->inboxes({1, *inboxes->next})->items.at(0).id == "zulu");
  const std::string json = inbox_json(**house.reading->inbox("zulu"));
  for (const char* part : {R"("since":null)", R"("after":"keep")", R"("lease":{"state":"idle","worker":"","until":null,"stage":""})", R"("cursor":{"uid_validity":7,"last_uid":0})"}) {
    CAPTURE(part);
    CHECK(json.find(part) != std::string::npos);
  }
}

// Mail on a real database: from the poller's word to the ticket, the reply, the duplicate, the shelf.

#include "tests/component/ledger/mail_house.hpp"

#include <set>

using namespace postroom;
using namespace postroom::ledger;
using store::ArrivalState;

TEST_CASE("a mail is accepted with its cursor in one commit, read, and becomes the promised ticket") {
  MailHouse house;
  int commits = 0;
  house.database.on_commit = [&] { ++commits; };
  house.arrive(house.mail_delivery({}));
  (void)house.rounds->turn();
  CHECK(commits == 1);  // arrival, cursor and job together
  house.settle();
  const std::string id = house.arrival_id({});
  CHECK(house.inbox(MailHouse::support).last_uid == 1);
  CHECK(house.arrival(id).arrival.state == ArrivalState::received);
  const auto jobs = house.parse_jobs();
  REQUIRE(jobs.size() == 1);
  CHECK(std::ranges::find(jobs[0].own_addresses, "sales@example.com") != jobs[0].own_addresses.end());

  auto letter = house.letter();
  letter.attachments.push_back({"smoke.jpg", "image/jpeg", "", false, {std::string(64, 'c'), 99}});
  house.tell(jobs[0], letter);
  const auto view = house.arrival(id);
  CHECK(view.arrival.state == ArrivalState::opened);
  CHECK(view.mail->verdict == "ticket");
  const auto ticket = house.ticket(view.arrival.ticket_id).ticket;
  CHECK(ticket.board_id == "desk");
  CHECK(ticket.creator_email == "ann@customer.example");
  const auto attachments = house.reading->attachments(ticket.id, {});
  REQUIRE(attachments.ok());
  CHECK(attachments->items.size() == 1);
  const auto timeline = house.reading->timeline(ticket.id);
  REQUIRE(timeline.ok());
  std::string actions;
  for (const auto& entry : *timeline) actions += entry.action + " ";
  CHECK(actions.starts_with("accepted opened "));
  house.check_balance();
}

TEST_CASE("a commit that fails keeps neither the arrival nor the cursor; the broker's second try keeps both") {
  MailHouse house;
  house.database.commits_to_fail = 1;
  house.arrive(house.mail_delivery({}));
  (void)house.rounds->turn();
  CHECK(house.inbox(MailHouse::support).last_uid == 0);
  CHECK(house.number("SELECT COUNT(*) FROM arrivals") == 0);
  CHECK(house.consumer.acked.size() + 1 == house.last_tag);
  house.settle();
  CHECK(house.inbox(MailHouse::support).last_uid == 1);
  CHECK(house.parse_jobs().size() == 1);
  house.check_balance();
}

TEST_CASE("a whole mailbox with a gap: what follows is recorded, the cursor waits, the second listing closes it") {
  MailHouse house;
  for (const std::int64_t uid : {1, 2, 4, 5}) house.fetch({.uid = uid, .previous = uid - 1});
  CHECK(house.inbox(MailHouse::support).last_uid == 2);
  CHECK(house.number("SELECT COUNT(*) FROM mails") == 4);
  for (const std::int64_t uid : {3, 4, 5}) house.fetch({.uid = uid, .previous = uid - 1});
  CHECK(house.inbox(MailHouse::support).last_uid == 5);
  CHECK(house.number("SELECT COUNT(*) FROM mails") == 5);
  CHECK(house.parse_jobs().size() == 5);
  house.check_balance();
}

TEST_CASE("mails are read in the order of their arrival, and no more at once than there is room for") {
  MailHouse house;
  house.config.mail.parse_window = 4;
  for (std::int64_t uid = 1; uid <= 10; ++uid) {
    house.clock.advance(std::chrono::milliseconds{1});
    house.fetch({.uid = uid, .previous = uid - 1});
  }
  auto jobs = house.parse_jobs();
  CHECK(jobs.size() == 4);
  std::vector<std::string> order;
  while (!jobs.empty()) {
    CHECK(house.number("SELECT COUNT(*) FROM mails WHERE stage = 'parsing'") <= 4);
    const auto job = jobs.front();
    jobs.erase(jobs.begin());
    order.push_back(job.arrival_id);
    house.tell(job, house.letter(job.arrival_id));
    for (auto& next : house.parse_jobs()) jobs.push_back(std::move(next));
  }
  REQUIRE(order.size() == 10);
  for (std::int64_t uid = 1; uid <= 10; ++uid) CHECK(order[static_cast<std::size_t>(uid - 1)] == house.arrival_id({.uid = uid}));
  CHECK(house.number("SELECT COUNT(*) FROM tickets") == 10);
  house.check_balance();
}

TEST_CASE("a reading of which nothing is heard is asked for again; only the last one counts; a dead ledger forgets none") {
  MailHouse house;
  const std::string id = house.fetch({});
  const auto first = house.parse_jobs();
  house.pass(house.config.mail.parse_timeout - std::chrono::seconds{1});
  CHECK(house.parse_jobs().empty());
  house.pass(std::chrono::seconds{2});
  const auto second = house.parse_jobs();
  REQUIRE(second.size() == 1);
  CHECK(second[0].parse_no == 2);
  house.tell(first[0], house.letter());
  CHECK(house.arrival(id).arrival.state == ArrivalState::received);
  house.die();
  house.publisher.link = broker::LinkState::connecting;
  house.pass(std::chrono::hours{1});
  CHECK(house.parse_jobs().empty());  // no broker, no silence
  house.publisher.link = broker::LinkState::open;
  house.settle();
  const auto third = house.parse_jobs();
  REQUIRE(third.size() == 1);
  house.tell(third[0], house.letter());
  house.tell(third[0], house.letter());
  CHECK(house.arrival(id).arrival.state == ArrivalState::opened);
  CHECK(house.number("SELECT COUNT(*) FROM tickets") == 1);
  house.check_balance();
}

TEST_CASE("a mailbox that was made anew brings every mail again: nothing is opened twice, the report balances") {
  MailHouse house;
  for (std::int64_t uid = 1; uid <= 3; ++uid) {
    const std::string name = "m" + std::to_string(uid);
    house.receive({.uid = uid, .previous = uid - 1, .bytes = name}, house.letter(name));
  }
  // The same bytes need no reading; a server that added a header line of its own is found out by Message-ID and content.
  house.fetch({.uid = 1, .previous = 0, .validity = 8, .bytes = "m1"});
  house.fetch({.uid = 2, .previous = 1, .validity = 8, .bytes = "m2"});
  CHECK(house.parse_jobs().empty());
  const auto third = house.receive({.uid = 3, .previous = 2, .validity = 8, .bytes = "m3 with a line more"}, house.letter("m3"));
  CHECK(third.mail->verdict == "duplicate");
  CHECK(third.mail->duplicate_of == house.arrival_id({.uid = 3}));
  CHECK(house.arrival(house.arrival_id({.uid = 1, .validity = 8})).mail->ticket_id == house.arrival(house.arrival_id({.uid = 1})).arrival.ticket_id);
  CHECK(house.inbox(MailHouse::support).uid_validity == 8);
  CHECK(house.inbox(MailHouse::support).last_uid == 3);
  CHECK(house.number("SELECT COUNT(*) FROM tickets") == 3);
  const auto report = house.reading->inbox_report(MailHouse::support);
  REQUIRE(report.ok());
  CHECK((*report)->duplicate == 3);
  CHECK((*report)->total() == 3);
  house.check_balance();
}

TEST_CASE("a mail that cannot be handed out is put off with an alarm and stops nobody") {
  MailHouse house;
  house.database.failing_text = "UPDATE mails SET stage";
  house.fetch({.uid = 1});
  CHECK(house.rounds->trouble().empty());
  CHECK(house.number("SELECT COUNT(*) FROM mails WHERE stage = 'waiting'") == 1);
  house.database.failing_text.clear();
  house.fetch({.uid = 2, .previous = 1});
  const auto others = house.parse_jobs();
  REQUIRE(others.size() == 1);  // the other one is put off
  CHECK(others[0].arrival_id == house.arrival_id({.uid = 2}));
  house.pass(std::chrono::seconds{61});
  CHECK(house.parse_jobs().size() >= 1);
  house.check_balance();
}

TEST_CASE("sender and subject: the same within the threshold, counted from what became a ticket, in one mailbox") {
  MailHouse house;
  REQUIRE(house.database.execute("UPDATE inboxes SET duplicate_ms = 600000", {}).ok());
  std::int64_t uid = 0;
  const auto verdict = [&](std::int64_t age, std::string name, std::string subject = "Printer on fire", std::string inbox = MailHouse::support) {
    ++uid;
    return house.receive({.inbox = std::move(inbox), .uid = uid, .previous = uid - 1, .age_seconds = age}, house.letter(std::move(name), std::move(subject))).mail->verdict;
  };
  CHECK(verdict(10'000, "a") == "ticket");
  CHECK(verdict(10'000 - 599, "b") == "duplicate");
  CHECK(verdict(10'000 + 599, "c") == "duplicate");  // fetched later, sent before
  CHECK(verdict(10'000 - 601, "d") == "ticket");
  CHECK(verdict(10'000 - 601, "e", "Printer on fire", MailHouse::sales) == "ticket");
  CHECK(verdict(10'000, "f", "Another printer") == "ticket");
  // What waits on the shelf stands in nobody's way.
  CHECK(verdict(5'000, "g", "nothing known") == "standby");
  CHECK(verdict(5'000, "h", "nothing known") == "standby");
}

TEST_CASE("a Message-ID that comes again with another content is another mail, and is flagged") {
  MailHouse house;
  house.receive({}, house.letter("same"));
  auto other = house.letter("same", "Another printer smokes");
  const auto got = house.receive({.uid = 2, .previous = 1}, other);
  CHECK(got.mail->verdict == "ticket");
  CHECK(house.number("SELECT COUNT(*) FROM history WHERE action = 'message_id_reused'") == 1);
  // What never became part of a ticket does not count.
  house.receive({.uid = 3, .previous = 2}, house.letter("shelved", "Hello there"));
  house.receive({.uid = 4, .previous = 3}, house.letter("shelved", "The third printer"));
  CHECK(house.number("SELECT COUNT(*) FROM history WHERE action = 'message_id_reused'") == 1);
}

TEST_CASE("a mail that matches nothing waits, is assigned and replayed, and keeps its promise") {
  MailHouse house;
  house.make_board("shop", "");
  const auto shelved = house.receive({}, house.letter("lost", "Hello there"));
  CHECK(shelved.arrival.state == ArrivalState::standby);
  REQUIRE(shelved.standby.has_value());
  CHECK(shelved.standby->reason_class == "no_board");
  const std::string item = shelved.standby->id;
  CHECK(house.command(messages::StandbyAssign{item, "ada", {}, "shop", {}, {}}).status == 200);
  CHECK(house.command(messages::StandbyRetry{item, "ada", {}}).status == 200);
  house.bring_back(messages::MailArrived::type, "ledger.intake");
  CHECK(house.command(messages::StandbyRetry{item, "ada", {}}).status == 409);
  auto jobs = house.parse_jobs();
  REQUIRE(jobs.size() == 1);
  house.pass(std::chrono::minutes{40});  // nobody reads for a while; the item stays where it is
  jobs = house.parse_jobs();
  REQUIRE_FALSE(jobs.empty());
  CHECK(house.number("SELECT COUNT(*) FROM standby WHERE state = 'retry_pending'") == 1);
  house.tell(jobs.back(), house.letter("lost", "Hello there"));
  CHECK(house.ticket(shelved.arrival.ticket_id).ticket.board_id == "shop");
  CHECK(house.number("SELECT COUNT(*) FROM standby WHERE state = 'resolved'") == 1);
  CHECK(house.inbox(MailHouse::support).last_uid == 1);
  house.check_balance();
}

TEST_CASE("a mail of which nothing could be fetched is assigned and sent on, and is one ticket of where it is") {
  MailHouse house;
  const auto id = house.fetch({.trouble = "NO broken on disk"});
  const auto shelved = house.arrival(id);
  CHECK(shelved.arrival.state == ArrivalState::standby);
  const std::string item = shelved.standby->id;
  CHECK(house.command(messages::StandbyAssign{item, "ada", {}, "desk", {}, {}}).status == 200);
  CHECK(house.command(messages::StandbyRetry{item, "ada", {}}).status == 200);
  const auto replays = house.publisher.take(messages::MailArrived::type);
  REQUIRE(replays.size() == 1);
  for (int i = 0; i < 2; ++i) {
    house.publisher.published.push_back(replays[0]);
    house.bring_back(messages::MailArrived::type, "ledger.intake");
  }
  CHECK(house.arrival(id).arrival.state == ArrivalState::opened);
  const auto ticket = house.ticket(shelved.arrival.ticket_id).ticket;
  CHECK(ticket.board_id == "desk");
  CHECK(ticket.description.find("UID 1 of UIDVALIDITY 7") != std::string::npos);
  CHECK(house.number("SELECT COUNT(*) FROM tickets") == 1);
  CHECK(house.number("SELECT COUNT(*) FROM standby WHERE state = 'resolved'") == 1);
  CHECK(house.parse_jobs().empty());
  house.check_balance();
}

TEST_CASE("a replay that is delivered twice is read once; a lost one is open again") {
  MailHouse house;
  const auto shelved = house.receive({}, house.letter("lost", "Hello there"));
  const std::string item = shelved.standby->id;
  CHECK(house.command(messages::StandbyRetry{item, "ada", {}}).status == 200);
  (void)house.publisher.take(messages::MailArrived::type);
  house.pass(std::chrono::seconds{121});
  CHECK(house.number("SELECT COUNT(*) FROM standby WHERE state = 'open'") == 1);
  CHECK(house.command(messages::StandbyRetry{item, "ada", {}}).status == 200);
  const auto replays = house.publisher.take(messages::MailArrived::type);
  REQUIRE(replays.size() == 1);
  for (int i = 0; i < 2; ++i) {
    house.publisher.published.push_back(replays[0]);
    house.bring_back(messages::MailArrived::type, "ledger.intake");
  }
  const auto jobs = house.parse_jobs();
  REQUIRE(jobs.size() == 1);
  house.tell(jobs[0], house.letter("lost", "Hello there"));
  CHECK(house.number("SELECT COUNT(*) FROM standby WHERE state = 'open'") == 1);
  // Once more, after it is back on the shelf: an echo.
  house.publisher.published.push_back(replays[0]);
  house.bring_back(messages::MailArrived::type, "ledger.intake");
  CHECK(house.parse_jobs().empty());
  house.check_balance();
}

TEST_CASE("a mail's item is edited within its identity, and deleted for good") {
  MailHouse house;
  const auto shelved = house.receive({}, house.letter("lost", "Hello there"));
  const auto item = house.reading->standby_item(shelved.standby->id);
  REQUIRE(item.ok());
  const auto original = codec::decode<messages::MailArrived>((*item)->item.original);
  REQUIRE(original.ok());
  const auto edit = [&](const messages::MailArrived& body) {
    return house.command(messages::StandbyEdit{shelved.standby->id, "ada", {}, house.ids.next(), {codec::encode(body)}}).status;
  };
  auto moved = *original;
  moved.uid = 99;
  CHECK(edit(moved) == 422);
  moved = *original;
  moved.ticket_id = house.ids.next();
  CHECK(edit(moved) == 422);
  moved = *original;
  moved.blob->sha256 = std::string(64, 'e');
  CHECK(edit(moved) == 200);
  house.bring_back(messages::MailArrived::type, "ledger.intake");
  const auto jobs = house.parse_jobs();
  REQUIRE(jobs.size() == 1);
  CHECK(jobs[0].blob.sha256 == std::string(64, 'e'));
  house.tell(jobs[0], house.letter("still", "Hello there"));
  const auto again = house.arrival(shelved.arrival.id);
  CHECK(again.arrival.state == ArrivalState::standby);
  CHECK(again.standby->id != shelved.standby->id);
  CHECK(house.command(messages::StandbyDelete{again.standby->id, "ada", {}, {}}).status == 200);
  CHECK(house.arrival(shelved.arrival.id).arrival.state == ArrivalState::deleted);
  house.check_balance();
}

TEST_CASE("routing follows the boards as they are now, and as they are committed") {
  MailHouse house;
  CHECK(house.receive({}, house.letter("a", "An order")).mail->verdict == "standby");
  house.make_board("shop", "");
  house.set_keywords("shop", {"order"});
  CHECK(house.receive({.uid = 2, .previous = 1}, house.letter("b", "An order")).mail->verdict == "ticket");
  messages::BoardUpdate archive;
  archive.board_id = "shop";
  archive.actor = "ada";
  archive.state = messages::BoardState::archived;
  CHECK(house.command(archive).status == 200);
  CHECK(house.receive({.uid = 3, .previous = 2}, house.letter("c", "An order")).mail->verdict == "standby");

  // A board that its transaction took back never was.
  const std::string id = house.fetch({.uid = 4, .previous = 3});
  const auto jobs = house.parse_jobs();
  messages::BoardCreate create{"never", "ada", "never", true, {"invoice"}, {}};
  house.arrive(house.delivery(messages::BoardCreate::type, codec::encode(create), "api", "ledger.now"));
  messages::MailParsed parsed;
  parsed.arrival_id = id;
  parsed.parse_no = jobs[0].parse_no;
  parsed.mail = house.letter("d", "An invoice");
  house.arrive(house.delivery(messages::MailParsed::type, codec::encode(parsed), "mail_router", "ledger.results"));
  house.database.failing_text = "INSERT INTO inbox ";  // the command's result cannot be written: it is taken back alone
  (void)house.rounds->turn();
  house.database.failing_text.clear();
  house.settle();
  (void)house.publisher.take(messages::CommandReplied::type);
  CHECK(house.number("SELECT COUNT(*) FROM boards WHERE id = 'never'") == 0);
  CHECK(house.arrival(id).mail->verdict == "standby");
  CHECK(house.receive({.uid = 5, .previous = 4}, house.letter("e", "An invoice")).mail->verdict == "standby");

  // Nor one whose whole transaction was, after a mail had seen it.
  const std::string seen = house.fetch({.uid = 7, .previous = 6});
  parsed.arrival_id = seen;
  parsed.parse_no = house.parse_jobs().at(0).parse_no;
  create.board_id = create.name = "never again";
  house.arrive(house.delivery(messages::BoardCreate::type, codec::encode(create), "api", "ledger.now"));
  house.arrive(house.delivery(messages::MailParsed::type, codec::encode(parsed), "mail_router", "ledger.results"));
  house.database.commits_to_fail = 1;
  (void)house.rounds->turn();
  house.rounds->link_changed(broker::LinkState::connecting);  // what was in hand comes again later
  house.rounds->link_changed(broker::LinkState::open);
  house.arrive(house.delivery(messages::MailParsed::type, codec::encode(parsed), "mail_router", "ledger.results"));
  house.settle();
  CHECK(house.arrival(seen).mail->verdict == "standby");

  messages::SettingsUpdate settings;
  settings.actor = "ada";
  settings.default_board_id = "desk";
  CHECK(house.command(settings).status == 200);
  CHECK(house.receive({.uid = 6, .previous = 5}, house.letter("f", "An invoice")).mail->verdict == "ticket");
  CHECK(house.command(messages::BoardDelete{"desk", "ada", {}}).status == 409);
}

TEST_CASE("a comment is kept on its ticket, and the ticket's version tells of it") {
  MailHouse house;
  const auto got = house.receive({}, house.letter());
  const auto reply = house.command(messages::TicketComment{got.arrival.ticket_id, house.ids.next(), "ada", 1, true, "We look into it."});
  CHECK(reply.status == 201);
  CHECK(reply.body.text.find("We look into it.") != std::string::npos);
  CHECK(house.ticket(got.arrival.ticket_id).ticket.version == 2);
  CHECK(house.command(messages::TicketComment{got.arrival.ticket_id, house.ids.next(), "ada", 1, true, "Again."}).status == 412);
  const auto comments = house.reading->comments(got.arrival.ticket_id, {});
  REQUIRE(comments.ok());
  REQUIRE(comments->items.size() == 1);
  CHECK(comments->items[0].actor == "ada");
}

TEST_CASE("a parse job that the broker gave up on puts its mail on the shelf") {
  MailHouse house;
  const std::string id = house.fetch({});
  const auto jobs = house.publisher.take(messages::MailParse::type);
  REQUIRE(jobs.size() == 1);
  auto dead = house.delivery(messages::MailParse::type, jobs[0].body, "ledger", "standby", jobs[0].envelope.message_id);
  dead.headers_json = R"({"x-first-death-reason":"delivery_limit"})";
  house.arrive(std::move(dead));
  house.settle();
  CHECK(house.arrival(id).mail->verdict == "unparsable");
  CHECK(house.number("SELECT COUNT(*) FROM standby") == 1);
  house.check_balance();
}

TEST_CASE("nothing that is looked up for a mail walks through a table") {
  MailHouse house;
  REQUIRE(house.database.execute("UPDATE inboxes SET duplicate_ms = 600000", {}).ok());
  house.receive({}, house.letter());
  std::set<std::string> asked;
  house.database.on_query = [&](std::string_view sql) { asked.emplace(sql); };
  auto answer = house.letter("second", "Re: [#1] printer");
  answer.in_reply_to = {"unknown@x.example"};
  answer.references = {"first@customer.example"};
  answer.subject_number = 1;
  answer.thread = messages::SignedThread{"t", "d"};
  answer.bounce = messages::ParsedBounce{"x@y.example", "", "failed", "", "first@customer.example", {}};
  const auto receive = [&](std::int64_t uid, const messages::ParsedMail& mail) {
    house.fetch({.uid = uid, .previous = uid - 1});
    house.tell(house.parse_jobs().at(0), mail);
  };
  receive(2, answer);
  answer.bounce.reset();
  receive(3, answer);
  receive(4, house.letter("third", "Hello there"));
  house.pass(std::chrono::seconds{1});
  house.database.on_query = nullptr;
  CHECK(asked.size() > 20);
  // Read whole on purpose, and remembered: there are few of them.
  const auto is_small = [](const std::string& line) {
    return line.find("SCAN boards") == 0 || line.find("SCAN inboxes") == 0 || line.find("SCAN recent") == 0 || line.find("SCAN jobs") == 0 || line.find("SCAN CONSTANT") == 0;
  };
  for (const auto& sql : asked) {
    std::string plan;
    auto explained = house.database.query("EXPLAIN QUERY PLAN " + sql, {}, [&](const store::Row& row) {
      const std::string line = row.text(3);
      if (line.find("SCAN ") == 0 && !is_small(line)) plan += line + "\n";
    });
    REQUIRE(explained.ok());
    CAPTURE(sql);
    CHECK(plan == "");
  }
}

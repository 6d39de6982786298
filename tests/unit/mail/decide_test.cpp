#include "common/mail/decide.hpp"

#include <doctest/doctest.h>

#include "common/mail/explain.hpp"

using namespace postroom::mail;

namespace {

const std::vector<RoutedBoard> boards = {{"b1", "Printers", true, {"print", "toner"}},
                                         {"b2", "People", true, {"hr", "holiday"}},
                                         {"b3", "Old", false, {"fax"}},
                                         {"b4", "Paper", true, {"printer paper", "纸"}}};

Message mail_from(std::string_view addr, std::string_view subject = "hello") {
  Message message;
  message.from = {{"", std::string{addr}}};
  message.subject = subject;
  message.body_text = "text";
  return message;
}

Decision decided(const Message& message, const Known& known, const Route& where = {"b1", "Printers", "because"}) {
  return decide(analyse(message, {{"install", {"desk@postroom.example"}}, "desk.example", {}}), known, where);
}

}  // namespace

TEST_CASE("keywords match without case, short ones as words only") {
  CHECK(matches_keyword("PRINTER on fire", "print"));
  CHECK(matches_keyword("Netzwerkdrucker kaputt", "Drucker"));
  CHECK(matches_keyword("HR: question", "hr"));
  CHECK_FALSE(matches_keyword("three chairs", "hr"));
  CHECK(matches_keyword("办公室没有纸了", "纸"));
  CHECK(matches_keyword("ПРИНТЕР не работает", "принтер"));
  CHECK_FALSE(matches_keyword("anything", ""));
  CHECK_FALSE(matches_keyword("anything", "  "));
}

TEST_CASE("routing goes from the inbox to keywords to the default to standby") {
  CHECK(route({"support", "b2"}, "printer", boards, "").board_id == "b2");
  CHECK(route({"support", "b3"}, "printer", boards, "b1").board_id.empty());  // archived: visible, not guessed
  CHECK(route({"support", "b9"}, "printer", boards, "b1").board_id.empty());
  CHECK(route({"support", ""}, "Printer broken", boards, "").board_id == "b1");
  CHECK(route({"support", ""}, "printer paper is out", boards, "").board_id == "b4");  // the longest keyword
  CHECK(route({"support", ""}, "fax", boards, "").board_id.empty());                   // archived
  CHECK(route({"support", ""}, "something", boards, "b2").board_id == "b2");
  CHECK(route({"support", ""}, "something", boards, "b3").board_id.empty());
  for (const std::string_view subject : {"printer", "something"})
    CHECK_FALSE(route({"support", ""}, subject, boards, "").why.empty());
}

TEST_CASE("a bounce names the mail of ours that it is about, and only ours") {
  const Hmac ours = [](std::string_view data) { return std::string(32, static_cast<char>('a' + data.size() % 26)); };
  const SignedId id{"01920000-0000-7000-8000-000000000001", "01920000-0000-7000-8000-000000000002"};
  Message report = mail_from("mailer-daemon@far.example", "Undelivered");
  report.content_type = "multipart/report";
  report.report_type = "delivery-status";
  report.delivery_status = "Final-Recipient: rfc822; ann@far.example\nAction: failed\nStatus: 5.1.1\n";
  const Home home{{"install", {}}, "desk.example", ours};
  report.returned_headers = {{"Message-ID", "<" + signed_message_id(id, "desk.example", ours) + ">"}};
  CHECK(analyse(report, home).bounced_mail == id);
  report.returned_headers = {{"Message-ID", "<" + signed_message_id(id, "other.example", ours) + ">"}};
  CHECK_FALSE(analyse(report, home).bounced_mail.has_value());
}

TEST_CASE("a report about a mail of ours is a bounce; about another one it is an automatic mail like all others") {
  Message report = mail_from("mailer-daemon@far.example", "Undelivered");
  report.content_type = "multipart/report";
  report.report_type = "delivery-status";
  report.delivery_status = "Final-Recipient: rfc822; ann@far.example\nAction: failed\nStatus: 5.1.1\n";
  constexpr std::string_view foreign = "a report about a mail that is not ours to ann@far.example: failed 5.1.1";
  Known known;
  known.reported = Reported::ours;
  known.thread = KnownThread{"7", ThreadedBy::references, false};
  const Decision ours = decided(report, known);
  CHECK(ours.verdict == Verdict::bounce);
  CHECK(ours.why.find("a report about our mail to ann@far.example: failed 5.1.1") != std::string::npos);

  known.reported = Reported::foreign;
  const Decision on_ticket = decided(report, known);
  CHECK(on_ticket.verdict == Verdict::reply);
  CHECK_FALSE(on_ticket.reopens);
  CHECK(on_ticket.why.find(foreign) != std::string::npos);

  known.thread.reset();
  known.same_sender_subject = "arrival 7";  // of a mail server, which calls all of them alike
  const Decision fresh = decided(report, known);
  CHECK(fresh.verdict == Verdict::ticket);
  CHECK_FALSE(fresh.is_confirmed);
  CHECK(fresh.why.find(foreign) != std::string::npos);
  const Decision homeless = decided(report, known, {"", "", "no keyword"});
  CHECK(homeless.verdict == Verdict::standby);
  CHECK(homeless.why.find(foreign) != std::string::npos);
  known.same_mail = "arrival 6";
  CHECK(decided(report, known).verdict == Verdict::duplicate);
}

TEST_CASE("a mail with a Message-ID that we signed is our own; one from our address becomes an unconfirmed ticket") {
  const Hmac ours = [](std::string_view data) { return std::string(32, static_cast<char>('a' + data.size() % 26)); };
  const SignedId id{"01920000-0000-7000-8000-000000000001", "01920000-0000-7000-8000-000000000002"};
  const Home home{{"install", {"desk@postroom.example"}}, "desk.example", ours};
  const Route where{"b1", "Printers", "because"};
  Message mail = mail_from("desk@postroom.example");
  mail.message_id = signed_message_id(id, "desk.example", ours);
  CHECK(decide(analyse(mail, home), {}, where).verdict == Verdict::own);
  mail.message_id = signed_message_id(id, "other.example", ours);
  const Decision form = decide(analyse(mail, home), {}, where);
  CHECK(form.verdict == Verdict::ticket);
  CHECK_FALSE(form.is_confirmed);
}

TEST_CASE("a machine that writes about delays or failures of its own becomes a ticket") {
  Message order = mail_from("shop@example.org", "My order is delayed");
  order.headers = {{"Return-Path", "<>"}};
  CHECK(decided(order, {}).verdict == Verdict::ticket);
  CHECK_FALSE(decided(order, {}).is_confirmed);
  order.subject = "Job 7";
  order.body_text = "The job failed and will be retried.";
  CHECK(decided(order, {}).verdict == Verdict::ticket);
  CHECK(decided(mail_from("postmaster@example.org", "Undeliverable parcels in the yard"), {}).verdict ==
        Verdict::ticket);
}

TEST_CASE("a person's mail becomes a confirmed ticket, a machine's an unconfirmed one") {
  const Decision person = decided(mail_from("ann@example.org"), {});
  CHECK(person.verdict == Verdict::ticket);
  CHECK(person.is_confirmed);
  Message machine = mail_from("cron@example.org");
  machine.headers = {{"Auto-Submitted", "auto-generated"}};
  const Decision automatic = decided(machine, {});
  CHECK(automatic.verdict == Verdict::ticket);
  CHECK_FALSE(automatic.is_confirmed);
  CHECK_FALSE(decided(mail_from("no-reply@shop.example"), {}).is_confirmed);
}

TEST_CASE("no board means standby") {
  CHECK(decided(mail_from("ann@example.org"), {}, {"", "", "no keyword"}).verdict == Verdict::standby);
}

TEST_CASE("our own mail is ignored before all else") {
  Known known;
  known.thread = KnownThread{"1", ThreadedBy::signed_id, true};
  Message own = mail_from("desk@postroom.example");
  own.headers = {{"X-Postroom-Loop", "install"}};
  CHECK(decided(own, known).verdict == Verdict::own);
}

TEST_CASE("replies thread; a number in the subject only from a participant") {
  Known known;
  known.thread = KnownThread{"1234", ThreadedBy::references, false};
  CHECK(decided(mail_from("ann@example.org"), known).verdict == Verdict::reply);
  CHECK_FALSE(decided(mail_from("ann@example.org"), known).reopens);  // whoever knows a Message-ID could write it
  known.thread->by = ThreadedBy::subject_number;
  CHECK(decided(mail_from("eve@example.org", "[#1234] hello"), known).verdict == Verdict::ticket);
  known.thread->is_participant = true;
  CHECK(decided(mail_from("ann@example.org", "[#1234] hello"), known).verdict == Verdict::reply);
  CHECK(decided(mail_from("ann@example.org", "[#1234] hello"), known).reopens);
}

TEST_CASE("an absence note is kept on the ticket and reopens nothing") {
  Message note = mail_from("ann@example.org");
  note.headers = {{"Auto-Submitted", "auto-replied"}};
  Known known;
  known.thread = KnownThread{"1", ThreadedBy::signed_id, true};
  const Decision decision = decided(note, known);
  CHECK(decision.verdict == Verdict::reply);
  CHECK_FALSE(decision.reopens);
}

TEST_CASE("duplicates: the same mail before threading, the same subject after") {
  Known known;
  known.thread = KnownThread{"1", ThreadedBy::references, true};
  known.same_sender_subject = "arrival 7";
  CHECK(decided(mail_from("ann@example.org"), known).verdict == Verdict::reply);
  known.same_mail = "arrival 6";
  CHECK(decided(mail_from("ann@example.org"), known).verdict == Verdict::duplicate);
  known = {};
  known.same_sender_subject = "arrival 7";
  CHECK(decided(mail_from("ann@example.org"), known).verdict == Verdict::duplicate);
}

TEST_CASE("an explanation is one line of JSON, also for a mail that cannot be read") {
  ExplainContext context;
  context.inbox = {"support", ""};
  context.boards = boards;
  Message message = mail_from("ann@example.org", "Toner \"empty\"\n");
  message.attachments = {{"a.txt", "a.txt", "text/plain", "", false, 3}};
  const Explanation ticket = explain("a.eml", message, context);
  CHECK(
      to_json(ticket) ==
      R"({"file":"a.eml","subject":"Toner \"empty\"\n","from":"ann@example.org","to":[],"date":null,"message_id":null,"in_reply_to":null,"references":[],)"
      R"("body_text":"text","reply_text":"text","attachments":[{"name":"a.txt","size":3,"content_type":"text/plain"}],"auto":false,"auto_reason":null,)"
      R"("bounce":null,"list":false,"verdict":"ticket","board":"Printers","why":"the subject holds keyword \"toner\" of board Printers"})");
  const Explanation broken = explain("b.eml", postroom::Error{postroom::Code::bad_message, "it broke"}, context);
  CHECK(
      to_json(broken) ==
      R"({"file":"b.eml","subject":"","from":null,"to":[],"date":null,"message_id":null,"in_reply_to":null,"references":[],"body_text":"","reply_text":"",)"
      R"("attachments":[],"auto":false,"auto_reason":null,"bounce":null,"list":false,"verdict":"unparsable","board":null,"why":"it broke"})");
  CHECK(to_text(ticket).find("Printers") != std::string::npos);
  CHECK(to_text(broken).find("unparsable") != std::string::npos);
}

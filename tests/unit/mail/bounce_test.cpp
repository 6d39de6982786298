#include "common/mail/bounce.hpp"

#include <doctest/doctest.h>

using namespace postroom::mail;

namespace {

Message from_daemon(std::string body, std::string subject = "Undelivered Mail Returned to Sender") {
  Message message;
  message.from = {{"", "mailer-daemon@mx.example"}};
  message.subject = std::move(subject);
  message.body_text = std::move(body);
  return message;
}

}  // namespace

TEST_CASE("a standard report names recipient, status, action and reason") {
  Message message = from_daemon("");
  message.report_type = "delivery-status";
  message.delivery_status =
      "Reporting-MTA: dns; mx.example\nArrival-Date: Fri, 20 Nov 2026 10:00:00 +0000\n\nFinal-Recipient: rfc822; "
      "Gone@Example.org\n"
      "Original-Recipient: rfc822;alias@example.org\nAction: failed\nStatus: 5.1.1\nDiagnostic-Code: smtp; 550 5.1.1 "
      "<gone@example.org>:\n    no such user\n";
  message.returned_headers = {{"Message-ID", "<t.d.h@desk.example>"}};
  const auto bounce = parse_bounce(message);
  REQUIRE(bounce);
  CHECK(bounce->first.recipient == "Gone@example.org");
  CHECK(bounce->first.status == "5.1.1");
  CHECK(bounce->first.action == BounceAction::failed);
  CHECK(bounce->first.reason == "550 5.1.1 <gone@example.org>: no such user");
  CHECK(bounce->original_message_id == "t.d.h@desk.example");
}

TEST_CASE("of several recipients the worst comes first") {
  Message message = from_daemon("");
  message.report_type = "delivery-status";
  message.delivery_status =
      "Reporting-MTA: dns; mx\n\nFinal-Recipient: rfc822; a@x.example\nAction: delivered\nStatus: "
      "2.0.0\n\nFinal-Recipient: rfc822; b@x.example\n"
      "Action: delayed\nStatus: 4.4.1\n\nFinal-Recipient: rfc822; c@x.example\nAction: failed\nStatus: 5.2.2\n";
  const auto bounce = parse_bounce(message);
  REQUIRE(bounce);
  CHECK(bounce->all.size() == 3);
  CHECK(bounce->first.recipient == "c@x.example");
}

TEST_CASE("mail servers that never read RFC 3464 are understood") {
  struct Case {
    std::string_view name;
    std::string_view body;
    std::string_view recipient;
    std::string_view status;
    std::string_view id;
  };
  const Case cases[] = {
      {"qmail",
       "Hi. This is the qmail-send program at mx.example.\nI'm afraid I wasn't able to deliver your message to the "
       "following addresses.\nThis is a permanent error; I've "
       "given up. Sorry it didn't work out.\n\n<gone@example.org>:\n192.0.2.1 does not like recipient.\nRemote host "
       "said: 550 5.1.1 unknown user\n\n--- Below this line is a "
       "copy of the message.\n\nReturn-Path: <desk@postroom.example>\nMessage-ID: <t.d.h@desk.example>\nTo: "
       "gone@example.org\n",
       "gone@example.org", "5.1.1", "t.d.h@desk.example"},
      {"exim",
       "This message was created automatically by mail delivery software.\n\nA message that you sent could not be "
       "delivered to one or more of its\nrecipients. This is a "
       "permanent error. The following address(es) failed:\n\n  gone@example.org\n    host mx.example [192.0.2.1]\n    "
       "SMTP error from remote mail server after RCPT TO:\n    "
       "550 No such user\n\n------ This is a copy of the message, including all the headers. ------\n\nMessage-ID: "
       "<m@x>\n",
       "gone@example.org", "", "m@x"},
      {"sendmail",
       "The original message was received at Fri, 20 Nov 2026 10:00:00 GMT\nfrom localhost\n\n   ----- The following "
       "addresses had permanent fatal errors "
       "-----\n<gone@example.org>\n    (reason: 550 5.1.1 <gone@example.org>... User unknown)\n\n   ----- Original message "
       "follows -----\n\nMessage-ID: <m@x>\n",
       "gone@example.org", "5.1.1", "m@x"},
  };
  for (const Case& one : cases) {
    CAPTURE(one.name);
    const auto bounce = parse_bounce(from_daemon(std::string{one.body}));
    REQUIRE(bounce);
    CHECK(bounce->first.recipient == one.recipient);
    CHECK(bounce->first.status == one.status);
    CHECK(bounce->first.action == BounceAction::failed);
    CHECK(bounce->original_message_id == one.id);
    CHECK_FALSE(bounce->first.reason.empty());
  }
}

TEST_CASE("X-Failed-Recipients names the recipient, a warning is a delay") {
  Message message = from_daemon(
      "Message to gone@example.org has not yet been delivered. No action is required on your part; attempts will be "
      "retried.",
      "Warning: message delayed 24 hours");
  message.headers = {{"X-Failed-Recipients", "gone@example.org"}};
  const auto bounce = parse_bounce(message);
  REQUIRE(bounce);
  CHECK(bounce->first.recipient == "gone@example.org");
  CHECK(bounce->first.action == BounceAction::delayed);
}

TEST_CASE("words alone make a report only when they name a mail") {
  const std::string words = "We could not deliver it: delivery failed for gone@example.org.\n";
  CHECK_FALSE(parse_bounce(from_daemon(words)));
  CHECK(parse_bounce(from_daemon(words + "\nMessage-ID: <m@x>\n")));
  Message with_header = from_daemon(words);
  with_header.headers = {{"X-Failed-Recipients", "gone@example.org"}};
  CHECK(parse_bounce(with_header));
  Message broken_report = from_daemon(words);
  broken_report.report_type = "delivery-status";
  CHECK(parse_bounce(broken_report));
}

TEST_CASE("a delay is a report only beside words of mail servers") {
  const std::string id = "\nMessage-ID: <m@x>\n";
  CHECK_FALSE(parse_bounce(from_daemon("Please hurry." + id, "My order is delayed")));
  CHECK_FALSE(parse_bounce(from_daemon("The import will be retried." + id, "Import")));
  const auto delayed = parse_bounce(from_daemon("It could not be delivered for 4 hours." + id, "Mail delayed"));
  REQUIRE(delayed);
  CHECK(delayed->first.action == BounceAction::delayed);
  const auto waiting = parse_bounce(from_daemon("It has not yet been delivered." + id, "Warning"));
  REQUIRE(waiting);
  CHECK(waiting->first.action == BounceAction::delayed);
}

TEST_CASE("people and read receipts do not bounce") {
  Message person;
  person.from = {{"", "ann@example.org"}};
  person.subject = "Undeliverable parcel";
  person.body_text = "My parcel could not be delivered. 550 5.1.1";
  CHECK_FALSE(parse_bounce(person));
  Message receipt = from_daemon("Your message was displayed.", "Read: hello");
  receipt.report_type = "disposition-notification";
  CHECK_FALSE(parse_bounce(receipt));
  CHECK_FALSE(parse_bounce(from_daemon("I am away until Monday.", "Out of office")));
}

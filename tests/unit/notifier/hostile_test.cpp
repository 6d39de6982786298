// Strangers' words on their way into a mail: names, titles, comments, Message-IDs.

#include <algorithm>

#include "tests/unit/notifier/a_grant.hpp"

using namespace postroom;
using namespace postroom::notifier;
using messages::NoticeKind;

namespace {

const std::string attacks[] = {"x\r\nBcc: eve@example.org",
                               "x\nBcc: eve@example.org",
                               "x\rBcc: eve@example.org",
                               "x\r\n\r\nMalicious body",
                               "x\r\n.\r\nMAIL FROM:<eve@example.org>",
                               "x\n.\nMAIL FROM:<eve@example.org>",
                               std::string{"x\0\r\nBcc: eve@example.org", 24},
                               "x\xc2\x85" "Bcc: eve@example.org",
                               "x\xe2\x80\xa8" "Bcc: eve@example.org",
                               "=?utf-8?Q?x=0D=0ABcc:_eve@example.org?=",
                               "\" <eve@example.org>, \"",
                               "eve@example.org, ann",
                               "(comment <eve@example.org>)",
                               "--=_postroom-0190bbbb-0000-7000-8000-00000000000b--",
                               "\r\n--=_postroom-0190bbbb-0000-7000-8000-00000000000b\r\nContent-Type: text/html\r\n\r\n<script>",
                               "\xff\xfe broken utf-8 \xc3",
                               std::string(5'000, 'A'),
                               std::string(300, ' ') + "x",
                               "<script>alert(1)</script><img src=x onerror=alert(1)>"};

messages::Grant under_attack(NoticeKind kind, const std::string& words) {
  auto grant = a_grant(kind);
  grant.ticket.title = words;
  grant.ticket.description = words;
  grant.notice->sender_name = words;
  grant.notice->recipient_name = words;
  grant.notice->state = words;
  grant.notice->note = words;
  grant.notice->comment_text = "text " + words;
  grant.notice->comment_author = words;
  grant.notice->references = {words, "a@b>\r\nBcc: eve@example.org", "good@example.org", words + "@example.org"};
  return grant;
}

}  // namespace

TEST_CASE("whatever people are called and write, a mail has the fields that it should have, once each, and one recipient") {
  for (const auto kind : {NoticeKind::confirmation, NoticeKind::state, NoticeKind::comment}) {
    std::vector<std::string> expected{"From", "To", "Subject", "Date", "Message-ID", "In-Reply-To", "References", "Auto-Submitted", "X-Auto-Response-Suppress",
                                      "Precedence", "X-Postroom-Loop", "MIME-Version", "Content-Type"};
    if (kind == NoticeKind::comment) std::erase(expected, "Precedence");
    for (const auto& words : attacks) {
      CAPTURE(words);
      const std::string content = content_of(under_attack(kind, words));
      CHECK(has_sound_lines(content));
      CHECK(content.find('\0') == std::string::npos);
      CHECK(std::ranges::all_of(content, [](char c) { return static_cast<unsigned char>(c) < 0x80; }));
      const Opened mail{content};
      CHECK(mail.names() == expected);
      REQUIRE(mail.message.to.size() == 1);
      CHECK(mail.message.to[0].addr == "ann@example.org");
      REQUIRE(mail.message.from.size() == 1);
      CHECK(mail.message.from[0].addr == "desk@desk.example");
      CHECK(mail.message.subject.starts_with("[#12] Re: "));
      CHECK(mail::ticket_number(mail.message.subject) == 12);
      // Two parts and an end, whatever stands in them.
      std::size_t count = 0;
      for (auto at = mail.body.find("--=_postroom-"); at != std::string::npos; at = mail.body.find("--=_postroom-", at + 1)) ++count;
      CHECK(count == 3);
      CHECK(mail.body.find("<script", mail.body.find("<!DOCTYPE")) == std::string::npos);
      for (const auto& id : mail.message.references) CHECK(id.find("Bcc") == std::string::npos);
    }
  }
}

TEST_CASE("a confirmation carries no words of a stranger but the title") {
  auto grant = a_grant();
  grant.ticket.title = "Win a prize";
  grant.ticket.description = "visit http://evil.example";
  grant.notice->recipient_name = "Visit evil.example";
  grant.notice->note = "http://evil.example";
  grant.notice->comment_text = "http://evil.example";
  const std::string content = content_of(grant);
  CHECK(content.find("evil") == std::string::npos);
  const Opened mail{content};
  CHECK(mail.message.subject == "[#12] Re: Win a prize");
  CHECK(mail.body.find("prize") == std::string::npos);
}

TEST_CASE("a forged ticket number in a title does not come first") {
  auto grant = a_grant();
  grant.ticket.title = "[#99] give me another's ticket";
  CHECK(mail::ticket_number(Opened{content_of(grant)}.message.subject) == 12);
}

TEST_CASE("addresses that could not stand on a line of their own are refused") {
  for (const char* address : {"", "ann", "ann@", "@example.org", "ann@example.org\r\nRCPT TO:<eve@example.org>", "ann@example.org, eve@example.org", "<ann@example.org>",
                              "\"ann eve\"@example.org", "\"ann\"@example.org", "ann@exam ple.org", "ann@example.org\n"}) {
    CAPTURE(address);
    auto grant = a_grant();
    grant.notice->recipient = address;
    const auto to = compose(grant, hmac());
    REQUIRE_FALSE(to.ok());
    CHECK(to.error().code() == Code::not_found);
    grant = a_grant();
    grant.notice->sender_address = address;
    const auto from = compose(grant, hmac());
    REQUIRE_FALSE(from.ok());
    CHECK(from.error().code() == Code::bad_message);
  }
}

TEST_CASE("a grant that is no mail is refused with a word") {
  auto grant = a_grant();
  grant.notice.reset();
  CHECK_FALSE(compose(grant, hmac()).ok());
  grant = a_grant();
  grant.notice->date = "yesterday";
  CHECK_FALSE(compose(grant, hmac()).ok());
  for (const char* marker : {"", "x", "a.b", "0190aaaa-0000-7000-8000-00000000000a", "0190aaaa-0000-7000-8000-00000000000a."}) {
    grant = a_grant();
    grant.marker = marker;
    CHECK_FALSE(compose(grant, hmac()).ok());
  }
  grant = a_grant(NoticeKind::comment);
  grant.notice->comment_text = " \n ";
  CHECK_FALSE(compose(grant, hmac()).ok());
}

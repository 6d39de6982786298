// The whole mails, and what common/mail makes of them when they come back.

#include <algorithm>

#include "common/mail/decide.hpp"
#include "common/mail/reply_text.hpp"
#include "tests/unit/notifier/a_grant.hpp"
#include "workers/notifier/conversation/letter.hpp"

using namespace postroom;
using namespace postroom::notifier;
using messages::NoticeKind;

namespace {

// Written with LF here, sent with CR LF.
std::string on_the_wire(std::string_view golden) {
  std::string out;
  for (const char c : golden) {
    if (c == '\n') out.push_back('\r');
    out.push_back(c);
  }
  return out;
}

constexpr std::string_view confirmation_mail = R"mail(From: "Acme Support" <desk@desk.example>
To: ann@example.org
Subject: [#12] Re: Printer on fire
Date: Fri, 20 Nov 2026 10:00:00 +0000
Message-ID: <0190cccc-0000-7000-8000-00000000000c.0190bbbb-0000-7000-8000-00000000000b.4f1a6182e7202f823709b3f8663f11f4@0190aaaa-0000-7000-8000-00000000000a.postroom>
Auto-Submitted: auto-replied
X-Auto-Response-Suppress: All
Precedence: bulk
X-Postroom-Loop: 0190aaaa-0000-7000-8000-00000000000a
MIME-Version: 1.0
Content-Type: multipart/alternative;
 boundary="=_postroom-0190bbbb-0000-7000-8000-00000000000b"

--=_postroom-0190bbbb-0000-7000-8000-00000000000b
Content-Type: text/plain; charset=utf-8
Content-Transfer-Encoding: quoted-printable

##- Reply above this line -##

Hello,

thank you for your message. It is ticket #12 now, and we will get back to y=
ou.

Is there something to add? Then simply reply to this mail.

--=20
Acme Support
Ticket #12
--=_postroom-0190bbbb-0000-7000-8000-00000000000b
Content-Type: text/html; charset=utf-8
Content-Transfer-Encoding: quoted-printable

<!DOCTYPE html>
<html>
<body style=3D"font-family: sans-serif; font-size: 14px; color: #222222">
<div style=3D"font-size: 11px; color: #888888">##- Reply above this line -#=
#</div>
<p>Hello,</p>
<p>thank you for your message. It is ticket #12 now, and we will get back t=
o you.</p>
<p>Is there something to add? Then simply reply to this mail.</p>
<div style=3D"font-size: 12px; color: #666666; border-top: 1px solid #ddddd=
d; padding-top: 6px">
Acme Support<br>
Ticket #12<br>
</div>
</body>
</html>
--=_postroom-0190bbbb-0000-7000-8000-00000000000b--
)mail";

constexpr std::string_view state_mail = R"mail(From: "Acme Support" <desk@desk.example>
To: "Ann" <ann@example.org>
Subject: [#12] Re: Drucker brennt: =?utf-8?B?R3LDvMOfZQ==?=
Date: Fri, 20 Nov 2026 10:00:00 +0000
Message-ID: <0190cccc-0000-7000-8000-00000000000c.0190bbbb-0000-7000-8000-00000000000b.4f1a6182e7202f823709b3f8663f11f4@0190aaaa-0000-7000-8000-00000000000a.postroom>
In-Reply-To: <second@example.org>
References: <first@example.org> <second@example.org>
Auto-Submitted: auto-generated
X-Auto-Response-Suppress: All
Precedence: bulk
X-Postroom-Loop: 0190aaaa-0000-7000-8000-00000000000a
MIME-Version: 1.0
Content-Type: multipart/alternative;
 boundary="=_postroom-0190bbbb-0000-7000-8000-00000000000b"

--=_postroom-0190bbbb-0000-7000-8000-00000000000b
Content-Type: text/plain; charset=utf-8
Content-Transfer-Encoding: quoted-printable

##- Reply above this line -##

Hello,

the state of your ticket #12 (Drucker brennt: Gr=C3=BC=C3=9Fe) is now: in p=
rogress.

We are on our way.

To answer, simply reply to this mail.

--=20
Acme Support
Ticket #12: Drucker brennt: Gr=C3=BC=C3=9Fe
--=_postroom-0190bbbb-0000-7000-8000-00000000000b
Content-Type: text/html; charset=utf-8
Content-Transfer-Encoding: quoted-printable

<!DOCTYPE html>
<html>
<body style=3D"font-family: sans-serif; font-size: 14px; color: #222222">
<div style=3D"font-size: 11px; color: #888888">##- Reply above this line -#=
#</div>
<p>Hello,</p>
<p>the state of your ticket #12 (Drucker brennt: Gr=C3=BC=C3=9Fe) is now: i=
n progress.</p>
<p>We are on our way.</p>
<p>To answer, simply reply to this mail.</p>
<div style=3D"font-size: 12px; color: #666666; border-top: 1px solid #ddddd=
d; padding-top: 6px">
Acme Support<br>
Ticket #12: Drucker brennt: Gr=C3=BC=C3=9Fe<br>
</div>
</body>
</html>
--=_postroom-0190bbbb-0000-7000-8000-00000000000b--
)mail";

constexpr std::string_view comment_mail = R"mail(From: "Acme Support" <desk@desk.example>
To: "Ann \"A\" Smith" <ann@example.org>
Subject: [#12] Re: Printer on fire
Date: Fri, 20 Nov 2026 10:00:00 +0000
Message-ID: <0190cccc-0000-7000-8000-00000000000c.0190bbbb-0000-7000-8000-00000000000b.4f1a6182e7202f823709b3f8663f11f4@0190aaaa-0000-7000-8000-00000000000a.postroom>
In-Reply-To: <first@example.org>
References: <first@example.org>
Auto-Submitted: auto-generated
X-Auto-Response-Suppress: All
X-Postroom-Loop: 0190aaaa-0000-7000-8000-00000000000a
MIME-Version: 1.0
Content-Type: multipart/alternative;
 boundary="=_postroom-0190bbbb-0000-7000-8000-00000000000b"

--=_postroom-0190bbbb-0000-7000-8000-00000000000b
Content-Type: text/plain; charset=utf-8
Content-Transfer-Encoding: quoted-printable

##- Reply above this line -##

Please press the red button.

  1 < 2 & 3 > 2
=2E
=46rom here on it is safe.

--=20
J=C3=B6rg =C3=85ngstr=C3=B6m
Acme Support
Ticket #12: Printer on fire
--=_postroom-0190bbbb-0000-7000-8000-00000000000b
Content-Type: text/html; charset=utf-8
Content-Transfer-Encoding: quoted-printable

<!DOCTYPE html>
<html>
<body style=3D"font-family: sans-serif; font-size: 14px; color: #222222">
<div style=3D"font-size: 11px; color: #888888">##- Reply above this line -#=
#</div>
<p>Please press the red button.<br>
<br>
&nbsp;&nbsp;1 &lt; 2 &amp; 3 &gt; 2<br>
=2E<br>
=46rom here on it is safe.</p>
<div style=3D"font-size: 12px; color: #666666; border-top: 1px solid #ddddd=
d; padding-top: 6px">
J=C3=B6rg =C3=85ngstr=C3=B6m<br>
Acme Support<br>
Ticket #12: Printer on fire<br>
</div>
</body>
</html>
--=_postroom-0190bbbb-0000-7000-8000-00000000000b--
)mail";

messages::Grant confirmation_grant() { return a_grant(); }

messages::Grant state_grant() {
  auto grant = a_grant(NoticeKind::state);
  grant.ticket.title = "Re: Drucker brennt: Gr\xc3\xbc\xc3\x9f" "e";
  grant.notice->state = "in progress";
  grant.notice->note = "We are on our way.";
  grant.notice->references = {"first@example.org", "second@example.org"};
  return grant;
}

messages::Grant comment_grant() {
  auto grant = a_grant(NoticeKind::comment);
  grant.notice->recipient_name = "Ann \"A\" Smith";
  grant.notice->comment_text = "Please press the red button.\n\n  1 < 2 & 3 > 2\n.\nFrom here on it is safe.";
  grant.notice->comment_author = "J\xc3\xb6rg \xc3\x85ngstr\xc3\xb6m";
  grant.notice->references = {"first@example.org"};
  return grant;
}

mail::Home home(std::string installation_id = installation) {
  mail::Home one;
  one.own.installation_id = std::move(installation_id);
  one.message_id_host = mail::message_id_host(installation);
  one.hmac = hmac();
  return one;
}

}  // namespace

TEST_CASE("a confirmation, byte for byte") { CHECK(content_of(confirmation_grant()) == on_the_wire(confirmation_mail)); }
TEST_CASE("a mail about a state, byte for byte") { CHECK(content_of(state_grant()) == on_the_wire(state_mail)); }
TEST_CASE("a comment, byte for byte") { CHECK(content_of(comment_grant()) == on_the_wire(comment_mail)); }

TEST_CASE("every attempt sends the same bytes under the same Message-ID") {
  for (auto grant : {confirmation_grant(), state_grant(), comment_grant()}) {
    const auto first = compose(grant, hmac());
    grant.attempt = 7;
    grant.sent_at_us = 42;
    grant.site.base_url = "smtp://another.example.org";
    const auto again = compose(grant, hmac());
    CHECK(first->content == again->content);
    CHECK(first->message_id == again->message_id);
    grant.marker = std::string{installation} + ".0190dddd-0000-7000-8000-00000000000d";
    CHECK(compose(grant, hmac())->message_id != first->message_id);
  }
}

TEST_CASE("what comes back names its ticket and its delivery, and is known as ours and automatic") {
  for (const auto& grant : {confirmation_grant(), state_grant(), comment_grant()}) {
    const Opened mail{content_of(grant)};
    const auto signed_id = mail::verify_message_id(mail.message.message_id, mail::message_id_host(installation), hmac());
    REQUIRE(signed_id.has_value());
    CHECK(signed_id->ticket_id == ticket);
    CHECK(signed_id->delivery_id == delivery);
    CHECK(mail::ticket_number(mail.message.subject) == 12);

    mail::Message answer;
    answer.in_reply_to = {mail.message.message_id};
    CHECK(mail::thread_of(answer, mail::message_id_host(installation), hmac())->ticket_id == ticket);

    const auto ours = mail::detect_auto_mail(mail.message, home().own);
    CHECK(ours.is_own);
    const auto foreign = mail::detect_auto_mail(mail.message, home("0190eeee-0000-7000-8000-00000000000e").own);
    CHECK(foreign.is_auto);  // two desks never answer each other's notices
    CHECK_FALSE(foreign.is_own);
    CHECK_FALSE(foreign.is_list);
  }
}

TEST_CASE("the conversation so far is named, and only its last mail is answered") {
  const Opened mail{content_of(state_grant())};
  CHECK(mail.message.references == std::vector<std::string>{"first@example.org", "second@example.org"});
  CHECK(mail.message.in_reply_to == std::vector<std::string>{"second@example.org"});
  CHECK(Opened{content_of(confirmation_grant())}.value("References").empty());
}

TEST_CASE("of a long conversation its beginning and its end are named") {
  std::vector<std::string> ids;
  for (int i = 0; i < 40; ++i) ids.push_back("mail" + std::to_string(i) + "@example.org");
  const auto shown = shown_references(ids);
  REQUIRE(shown.size() == 10);
  CHECK(shown[3] == "mail3@example.org");
  CHECK(shown[4] == "mail34@example.org");
  CHECK(shown[9] == "mail39@example.org");
  CHECK(shown_references({"a@b", "a@b", "c@d", "", "no id", "<x@y>", "x@y z", std::string(300, 'x') + "@y", "\xc3\xb6@y"}) ==
        std::vector<std::string>{"a@b", "c@d"});
}

TEST_CASE("what a person writes above the mark is the answer, the rest is quoted") {
  for (const auto& grant : {confirmation_grant(), state_grant(), comment_grant()}) {
    const std::string sent = as_plain_text(letter_about(grant.ticket, *grant.notice));
    CHECK(sent.starts_with(reply_mark));
    const auto split = mail::split_reply("It burns again.\n\n" + sent, true);
    CHECK(split.reply == "It burns again.");
    CHECK(split.quoted.find("Acme Support") != std::string::npos);
    std::string marked;
    std::string rest = sent;
    for (auto end = rest.find('\n'); end != std::string::npos; end = rest.find('\n')) {
      marked += "> " + rest.substr(0, end + 1);
      rest.erase(0, end + 1);
    }
    const auto quoted = mail::split_reply("It burns again.\n\nOn Fri, 20 Nov 2026 at 11:00, Acme Support <desk@desk.example> wrote:\n" + marked, true);
    CHECK(quoted.reply == "It burns again.");
  }
}

TEST_CASE("both parts say the same") {
  for (const auto& grant : {confirmation_grant(), state_grant(), comment_grant()}) {
    const Letter letter = letter_about(grant.ticket, *grant.notice);
    const std::string html = as_html(letter);
    CHECK(html.find("\r") == std::string::npos);
    for (const auto& paragraph : letter.paragraphs) {
      CHECK(as_plain_text(letter).find(paragraph) != std::string::npos);
      const auto first_line = paragraph.substr(0, paragraph.find('\n'));
      CHECK(html.find(first_line) != std::string::npos);
    }
  }
}

TEST_CASE("a title without words still has a subject, and answers are not counted up") {
  auto grant = a_grant();
  for (const auto& [title, subject] : {std::pair{"", "[#12] Re: (no subject)"}, {"Re: AW: Fwd:", "[#12] Re: (no subject)"}, {"Re: Re: Hello", "[#12] Re: Hello"}}) {
    grant.ticket.title = title;
    CHECK(Opened{content_of(grant)}.message.subject == subject);
  }
}

TEST_CASE("a comment of any length is a mail, cut where nobody reads on") {
  auto grant = comment_grant();
  std::string text;
  for (int i = 0; i < 60'000; ++i) text += "J\xc3\xb6rg ";
  grant.notice->comment_text = text;
  const std::string content = content_of(grant);
  CHECK(has_sound_lines(content, 78 + 100));
  CHECK(content.size() < 2'000'000);
}

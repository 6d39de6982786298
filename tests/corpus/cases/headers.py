"""Header fields as they should be, as they are, and missing."""
from builder import *

case("plain", "Hello,\n\nplease help.\n", body_text="Hello,\n\nplease help.")
case("subject-folded", "text\n", raw_subject="A long subject that\n goes on\n\tand on", subject="A long subject that goes on and on", body_text="text")
case("subject-two-words-folded", "text\n", raw_subject=q_word("Grüße ") + "\n " + q_word("aus Köln"), subject="Grüße aus Köln", body_text="text")
case("subject-character-cut-in-two", "text\n", raw_subject="=?utf-8?Q?K=C3?=\n =?utf-8?Q?=B6ln?=", subject="Köln", body_text="text")
case("subject-word-with-blank-inside", "text\n", raw_subject="=?utf-8?Q?K=C3=B6ln am Rhein?=", subject="Köln am Rhein", body_text="text")
case("subject-word-inside-quotes", "text\n", raw_subject='"=?utf-8?Q?K=C3=B6ln?="', subject='"Köln"', body_text="text")
case("subject-word-without-end", "text\n", raw_subject="=?utf-8?Q?K=C3=B6ln", subject="=?utf-8?Q?K=C3=B6ln", body_text="text")
case("subject-line-break-inside-word", "text\n", raw_subject="=?utf-8?Q?a=0D=0ABcc:_eve=40example.net?=", subject="a Bcc: eve@example.net", body_text="text")
case("subject-emoji", "text\n", raw_subject=b_word("Printer 🔥"), subject="Printer 🔥", body_text="text", board="Hardware", why=keyword("printer", "Hardware"))
case("subject-empty", "First line.\nSecond.\n", subject="", body_text="First line.\nSecond.")
case("no-subject", "text\n", drop=["Subject"], subject="", body_text="text")
case("no-date", "text\n", drop=["Date"], date=None, body_text="text")
case("no-message-id", "text\n", drop=["Message-ID"], message_id=None, body_text="text")
case("no-to", "text\n", drop=["To"], to=[], body_text="text")
case("no-from", "text\n", drop=["From"], body_text="text", **{"auto_reason": "no sender that could be answered"})
came_from(None)
case("no-from-but-reply-to", "text\n", [("Reply-To", "bob@example.net")], drop=["From"], body_text="text")
came_from("bob@example.net")
case("no-from-but-return-path", "text\n", [("Return-Path", "<bob@example.net>")], drop=["From"], body_text="text")
came_from("bob@example.net")
raw_case("no-header-at-all", b"the printer is broken\r\nplease come\r\n", subject="", sender=None, to=[], date=None, message_id=None,
         body_text="the printer is broken\nplease come", auto_reason="no sender that could be answered")
raw_case("empty-file", b"", subject="", sender=None, to=[], date=None, message_id=None, auto_reason="no sender that could be answered")
raw_case("only-a-header", b"From: ann@example.org\r\nSubject: Question\r\n", to=[], date=None, message_id=None)
raw_case("mbox-line-first", b"From ann@example.org Fri Nov 20 10:00:00 2026\nFrom: ann@example.org\nSubject: Question\n\ntext\n", to=[], date=None, message_id=None, body_text="text")
raw_case("empty-lines-first", b"\r\n\r\nFrom: ann@example.org\r\nSubject: Question\r\n\r\ntext\r\n", to=[], date=None, message_id=None, body_text="text")
raw_case("no-empty-line-before-body", b"From: ann@example.org\nSubject: Question\nHello, this is the text.\nMore of it.\n", to=[], date=None, message_id=None,
         body_text="Hello, this is the text.\nMore of it.")
raw_case("subject-wrapped-without-fold", b"From: ann@example.org\nSubject: Question that\nwent over the line\nTo: support@desk.example\n\ntext\n", date=None, message_id=None,
         subject="Question that went over the line", body_text="text")
raw_case("bare-cr-in-body", b"From: ann@example.org\nSubject: Question\n\none\rtwo\r\nthree\n", to=[], date=None, message_id=None, body_text="one\ntwo\nthree")
case("two-subjects", "text\n", [("Subject", "First"), ("Subject", "Second")], subject="First", body_text="text")
case("two-from-fields", "text\n", [("From", "ann@example.org"), ("From", "boss@corp.example")], body_text="text")
case("two-senders-in-from", "text\n", sender="ann@example.org, boss@corp.example", body_text="text")


def from_case(name, field, expected, **more):
    case(name, "text\n", [("From", field)], body_text="text", **more)
    came_from(expected)


from_case("from-bare", "ann@example.org", "ann@example.org")
from_case("from-quoted-name-with-comma", '"Lee, Ann" <ann@example.org>', "ann@example.org")
from_case("from-encoded-name", f"{q_word('Jürgen Groß', 'iso-8859-1')} <jg@example.org>", "jg@example.org")
from_case("from-comment", "ann@example.org (Ann Lee)", "ann@example.org")
from_case("from-capital-domain", "Ann.Lee@EXAMPLE.Org", "Ann.Lee@example.org")
from_case("from-name-claims-address", '"boss@corp.example" <eve@example.net>', "eve@example.net")
from_case("from-two-brackets", "<boss@corp.example> <eve@example.net>", "eve@example.net")
from_case("from-without-closing-bracket", "Ann <ann@example.org", "ann@example.org")
from_case("from-address-then-name", "ann@example.org Ann Lee", "ann@example.org")
from_case("from-route", "<@a.example,@b.example:ann@example.org>", "ann@example.org")
from_case("from-local-only", "root", None, auto_reason="no sender that could be answered")
from_case("from-encoded-address", "=?utf-8?b?Ym9zc0Bjb3JwLmV4YW1wbGU=?= <eve@example.net>", "eve@example.net")
from_case("from-international", "用户 <用户@例子.example>".encode(), "用户@例子.example")
case("to-group", "text\n", [("To", "Team: ann@example.org, bob@example.net;, support@desk.example")], to=["ann@example.org", "bob@example.net", "support@desk.example"], body_text="text")
case("to-undisclosed", "text\n", [("To", "undisclosed-recipients:;")], to=[], body_text="text")
case("to-twice", "text\n", [("To", "support@desk.example"), ("To", "bob@example.net")], to=["support@desk.example", "bob@example.net"], body_text="text")
for name, value, expected in (("date-zone", "Fri, 20 Nov 2026 05:00:00 -0500", "2026-11-20T10:00:00Z"), ("date-zone-name", "Fri, 20 Nov 2026 05:00:00 EST", "2026-11-20T10:00:00Z"),
                              ("date-two-digit-year", "20 Nov 26 10:00:00 GMT", "2026-11-20T10:00:00Z"), ("date-asctime", "Fri Nov 20 10:00:00 2026", "2026-11-20T10:00:00Z"),
                              ("date-comment", "Fri, 20 Nov 2026 11:00:00 +0100 (CET)", "2026-11-20T10:00:00Z"), ("date-year-9999", "Fri, 20 Nov 9999 10:00:00 +0000", None),
                              ("date-zone-absurd", "Fri, 20 Nov 2026 10:00:00 +9999", None), ("date-words", "last Friday", None)):
    case(name, "text\n", [("Date", value)], date=expected, body_text="text")
case("message-id-folded", "text\n", [("Message-ID", "\n <a.long.id@mail.example.org>")], message_id="a.long.id@mail.example.org", body_text="text")
case("message-id-without-brackets", "text\n", [("Message-ID", "bare@mail.example.org")], message_id="bare@mail.example.org", body_text="text")
case("references-many", "text\n", [("References", "\n ".join(f"<r{i}@x.example>" for i in range(80)))], references=[f"r{i}@x.example" for i in range(30, 80)], body_text="text")
case("in-reply-to-with-words", "text\n", [("In-Reply-To", "Your message of Friday <m1@x.example>")], in_reply_to="m1@x.example", body_text="text")

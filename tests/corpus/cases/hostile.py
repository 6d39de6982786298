"""Mails that want to break the parser, or to deceive. Those beyond a few kilobytes are made by the tests themselves."""
from builder import *


def refused(name, raw, why):
    raw_case(name, raw, subject="", sender=None, to=[], date=None, message_id=None, verdict="unparsable", why=why)


HEAD = b"From: ann@example.org\n"
NAME_LOOP = b"Content-Type: multipart/mixed;\n " + "\u045c".encode() * 30 + b'="' + "\u045c".encode() + b'"\n'
refused("killer-parameter-name", NAME_LOOP + b"\n", "a multipart without boundary whose Content-Type has a parameter name that is not ASCII")
refused("killer-groups", b"From: " + b"a:" * 600 + b"\n\ntext\n", "address groups in From: 600, allowed are 500")
refused("killer-groups-in-attached-message", HEAD + b"Content-Type: message/rfc822\n\nReply-To: " + b"a:" * 501 + b"\n\ntext\n", "address groups in Reply-To: 501, allowed are 500")
refused("killer-comments", b"To: " + b"(" * 51 + b"\n\ntext\n", "nested comments in To: 51, allowed are 50")
refused("killer-addresses", b"Cc: " + b"a@b.c," * 2000 + b"\n\ntext\n", "addresses in Cc: 2001, allowed are 2000")
refused("killer-parameters", HEAD + b"Content-Type: text/plain" + b";a=b" * 101 + b"\n\ntext\n", "parameters of one field: 101, allowed are 100")
refused("killer-fields", b"X: y\n" * 1001 + b"\ntext\n", "header fields: 1001, allowed are 1000")
refused("killer-parts", HEAD + b"Content-Type: multipart/mixed; boundary=b\n\n" + b"--b\n\n" * 1001, "parts: 1001, allowed are 1000")
refused("killer-nesting", HEAD + b"Content-Type: multipart/mixed; boundary=b0\n\n" +
        b"".join(b"--b%d\nContent-Type: multipart/mixed; boundary=b%d\n\n" % (i, i + 1) for i in range(50)), "nesting: 51, allowed are 50")
refused("killer-messages-in-messages", b"Content-Type: message/rfc822\n\n" * 52, "nesting: 51, allowed are 50")
raw_case("nul-in-header", b"From: ann@example.org\0 <eve@example.net>\nSubject: Que\0stion\n\ntext\n", subject="Que stion", sender="eve@example.net", to=[], date=None, message_id=None,
         body_text="text")
raw_case("nul-in-body", b"From: ann@example.org\nSubject: Question\n\nte\0xt\n", to=[], date=None, message_id=None, body_text="text")
case("escape-sequences-in-body", "one \x1b[2J\x1b]0;title\x07 two\n", body_text="one [2J]0;title two")
case("control-bytes-in-subject", "text\n", raw_subject=b"Que\x07\x1b[31mstion", subject="Que [31mstion", body_text="text")
case("hundred-parts", b"--b\n\nx\n" * 100 + b"--b--\n", content_type="multipart/mixed; boundary=b", body_text="\n\n".join(["x"] * 100))
case("forty-levels", "".join(f"--b{i}\nContent-Type: multipart/mixed; boundary=b{i + 1}\n\n" for i in range(40)) + "--b40\n\ndeep text\n", content_type="multipart/mixed; boundary=b0",
     body_text="deep text")
case("forged-authentication-results", "text\n", [("Authentication-Results", "desk.example; dkim=pass")], body_text="text")
case("ten-thousand-dashes", "-" * 10000 + "\ntext\n", body_text="-" * 10000 + "\ntext")
case("continuation-gap", "--b\n\ntext\n--b\nContent-Type: application/pdf\nContent-Disposition: attachment; filename*0=a; filename*9=z.pdf\n\n%PDF\n--b--\n",
     content_type="multipart/mixed; boundary=b", body_text="text", attachments=[("a", 4, "application/pdf")])

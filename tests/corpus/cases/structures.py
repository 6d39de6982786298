"""MIME trees, sound and broken, and names of attachments."""
from builder import *

PDF = b"%PDF-1.4 small"
PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 12


def structured(name, tree, headers=(), **expected):
    ct, body = tree
    case(name, body, headers, ct, **expected)


def attached(data, content_type, disposition="attachment", extra=""):
    return part(b64(data), content_type, "base64", disposition, extra)


structured("alternative", multipart("alternative", [text("plain form\n"), html("<p>HTML <b>form</b></p>")]), body_text="plain form")
structured("alternative-html-first", multipart("alternative", [html("<p>HTML form</p>"), text("plain form\n")]), body_text="plain form")
structured("alternative-empty-plain", multipart("alternative", [text("  \n"), html("<p>HTML <b>form</b></p>")]), body_text="HTML form")
structured("alternative-excuse-plain", multipart("alternative", [text("Your mail program cannot show HTML.\n"), html("<p>The real text</p>")]), body_text="The real text")
structured("alternative-with-amp", multipart("alternative", [text("plain\n"), part("<html amp4email></html>", "text/x-amp-html"), html("<p>x</p>")]), body_text="plain")
structured("related-inline-image", multipart("related", [html('<p>Look: <img src="cid:i1" alt="chart"></p>'), attached(PNG, "image/png", "inline", "Content-ID: <i1@x>\n")]),
           body_text="Look: chart", attachments=[("attachment-1.png", 20, "image/png")])
structured("mixed-alternative-related", multipart("mixed", [
    nested("alternative", [text("plain\n"), nested("related", [html("<p>x</p>"), attached(PNG, "image/png; name=logo.png", "inline; filename=logo.png")], "=_b3")], "=_b2"),
    attached(PDF, 'application/pdf; name="plan.pdf"', 'attachment; filename="plan.pdf"')]),
    body_text="plain", attachments=[("logo.png", 20, "image/png"), ("plan.pdf", 14, "application/pdf")])
structured("mixed-text-pdf", multipart("mixed", [text("see the plan\n"), attached(PDF, "application/pdf", "attachment; filename=plan.pdf")]), body_text="see the plan",
           attachments=[("plan.pdf", 14, "application/pdf")])
structured("mixed-preamble", multipart("mixed", [text("seen\n")], preamble="This is a message in MIME format.\n"), body_text="seen")
structured("text-attachment", multipart("mixed", [text("see the log\n"), part("line 1\nline 2\n", "text/plain; name=app.log", "7bit", "attachment; filename=app.log")]),
           body_text="see the log", attachments=[("app.log", wire("line 1\nline 2\n"), "text/plain")])
structured("html-attachment", multipart("mixed", [text("see the page\n"), part("<p>x</p>", "text/html", "7bit", "attachment; filename=page.html")]), body_text="see the page",
           attachments=[("page.html", 8, "text/html")])
structured("two-texts-and-footer", multipart("mixed", [text("the text\n"), text("___\nlist footer\n")]), body_text="the text\n\n___\nlist footer")
inner = b"From: bob@example.net\nSubject: Inner words\n\ninner text\n"
structured("attached-message", multipart("mixed", [text("see the mail\n"), part(inner, "message/rfc822", None, "attachment")]), body_text="see the mail",
           attachments=[("Inner words.eml", wire(inner), "message/rfc822")])
ct, inner_body = multipart("mixed", [text("inner text\n"), attached(PDF, "application/pdf", "attachment; filename=deep.pdf")], "=_in")
inner = b"From: bob@example.net\nSubject: Deep\nMIME-Version: 1.0\nContent-Type: " + ct.encode() + b"\n\n" + inner_body
structured("attached-message-with-attachment", multipart("mixed", [text("see the mail\n"), part(inner, "message/rfc822", None, "attachment; filename=deep.eml")]),
           body_text="see the mail", attachments=[("deep.eml", wire(inner), "message/rfc822")])
one, two = b"From: a@x.example\nSubject: One\n\n1\n", b"From: b@x.example\nSubject: Two\n\n2\n"
structured("digest", multipart("digest", [b"\n" + one, b"\n" + two]), body_text="", attachments=[("One.eml", wire(one), "message/rfc822"), ("Two.eml", wire(two), "message/rfc822")])
structured("signed-smime", multipart("signed", [text("signed text\n"), attached(b"0123", "application/pkcs7-signature; name=smime.p7s", "attachment; filename=smime.p7s")],
                                     params='; protocol="application/pkcs7-signature"; micalg=sha-256'),
           body_text="signed text", attachments=[("smime.p7s", 4, "application/pkcs7-signature")])
structured("signed-pgp", multipart("signed", [text("signed text\n"), part("-----BEGIN PGP SIGNATURE-----\n", "application/pgp-signature; name=signature.asc")],
                                   params='; protocol="application/pgp-signature"'),
           body_text="signed text", attachments=[("signature.asc", wire("-----BEGIN PGP SIGNATURE-----\n"), "application/pgp-signature")])
structured("encrypted-pgp", multipart("encrypted", [part("Version: 1\n", "application/pgp-encrypted"), part("-----BEGIN PGP MESSAGE-----\n", "application/octet-stream; name=msg.asc")],
                                      params='; protocol="application/pgp-encrypted"'),
           body_text="", attachments=[("attachment-1.bin", wire("Version: 1\n"), "application/pgp-encrypted"), ("msg.asc", wire("-----BEGIN PGP MESSAGE-----\n"), "application/octet-stream")])
calendar = "BEGIN:VCALENDAR\nMETHOD:REQUEST\nEND:VCALENDAR\n"
structured("calendar-invitation", multipart("alternative", [text("You are invited.\n"), html("<p>You are invited.</p>"), part(calendar, "text/calendar; charset=utf-8; method=REQUEST")]),
           body_text="You are invited.", attachments=[("attachment-1.ics", wire(calendar), "text/calendar")])
structured("tnef", multipart("mixed", [text("rich text follows\n"), attached(b"\x78\x9f\x3e\x22\0\0", "application/ms-tnef; name=winmail.dat", "attachment; filename=winmail.dat")]),
           body_text="rich text follows", attachments=[("winmail.dat", 6, "application/ms-tnef")])
case("single-part-pdf", b64(PDF), [("Content-Disposition", "attachment; filename=scan.pdf")], "application/pdf", "base64", body_text="", attachments=[("scan.pdf", 14, "application/pdf")])
case("empty-body", "", body_text="")
case("single-text-with-name", "the text\n", content_type="text/plain; charset=utf-8; name=body.txt", body_text="the text")

# Broken trees.
case("multipart-without-boundary", "--x\n\ntext of a broken mail\n--x--\n", content_type="multipart/mixed", body_text="--x\n\ntext of a broken mail\n--x--")
case("boundary-that-never-comes", "text of a broken mail\n", content_type="multipart/mixed; boundary=never", body_text="text of a broken mail")
case("boundary-never-closed", "--x\nContent-Type: text/plain\n\ncut off here\n", content_type="multipart/mixed; boundary=x", body_text="cut off here")
case("boundary-with-blanks-behind", "--x  \n\ntext\n--x--  \n", content_type="multipart/mixed; boundary=x", body_text="text")
case("boundary-prefix-of-another", "--ab\nContent-Type: multipart/alternative; boundary=abc\n\n--abc\n\ninner\n--abc--\n--ab--\n", content_type="multipart/mixed; boundary=ab",
     body_text="inner")
case("same-boundary-inside", "--x\nContent-Type: multipart/mixed; boundary=x\n\n--x\n\ntext\n--x--\n", content_type="multipart/mixed; boundary=x", body_text="text")
case("two-content-types", "<p>text</p>\n", [("Content-Type", "text/html"), ("Content-Type", "application/octet-stream")], body_text="text")
case("content-type-nonsense", "text\n", content_type="nonsense", body_text="text")
case("content-type-empty", "text\n", content_type=" ", body_text="text")
case("base64-with-garbage", "aGVs !! bG8g\n**\nd29ybGQ=\nfooter\n", content_type="text/plain", encoding="base64", body_text="hello world")  # what follows the padding is no base64
case("qp-broken", "a=ZZb=3Dc=\nd=\n", content_type="text/plain", encoding="quoted-printable", body_text="a=ZZb=cd")
case("encoding-unknown", "text\n", content_type="text/plain", encoding="x-unknown", body_text="text")
case("truncated-base64-attachment", "--x\n\ntext\n--x\nContent-Type: application/pdf; name=a.pdf\nContent-Transfer-Encoding: base64\n\naGVsbG8gd29y", content_type="multipart/mixed; boundary=x",
     body_text="text", attachments=[("a.pdf", 9, "application/pdf")])

# Names.
NAMES = {
    "name-2231": ("attachment; filename*=utf-8''%C3%9Cbersicht%202026.pdf", "Übersicht 2026.pdf"),
    "name-2231-continued": ("attachment; filename*0*=utf-8''%C3%9Cber; filename*1=\"sicht\"; filename*2*=%20x.pdf", "Übersicht x.pdf"),
    "name-2231-latin1": ("attachment; filename*=iso-8859-1'de'%DCbersicht.pdf", "Übersicht.pdf"),
    "name-2047": ('attachment; filename="=?utf-8?B?w5xiZXJzaWNodC5wZGY=?="', "Übersicht.pdf"),
    "name-2047-folded": ('attachment;\n filename="=?utf-8?Q?=C3=9Cber?=\n =?utf-8?Q?sicht.pdf?="', "Übersicht.pdf"),
    "name-raw-utf8": ('attachment; filename="Übersicht.pdf"', "Übersicht.pdf"),
    "name-path": ('attachment; filename="../../etc/passwd"', "passwd"),
    "name-windows-path": ('attachment; filename="C:\\\\Users\\\\ann\\\\x.pdf"', "x.pdf"),
    "name-turned-by-bidi": ("attachment; filename*=utf-8''invoice%E2%80%AEfdp.exe", "invoicefdp.exe"),
    "name-dot-file": ('attachment; filename=".htaccess"', "htaccess"),
    "name-device": ('attachment; filename="CON.pdf"', "_CON.pdf"),
    "name-empty": ('attachment; filename=""', "attachment-1.pdf"),
    "name-absent": ("attachment", "attachment-1.pdf"),
    "name-line-break": ("attachment; filename*=utf-8''a%0D%0Ab.pdf", "a b.pdf"),
}
for name, (disposition, expected) in NAMES.items():
    structured(name, multipart("mixed", [text("text\n"), attached(PDF, "application/pdf", disposition)]), body_text="text", attachments=[(expected, 14, "application/pdf")])


# HTML.
def html_case(name, body, expected, **more):
    case(name, body, content_type="text/html; charset=utf-8", encoding="8bit", body_text=expected, **more)


html_case("html-paragraphs", "<html><body><p>One &amp; two.</p><p>Three&nbsp;four</p></body></html>", "One & two.\n\nThree four")
html_case("html-lists-and-links", '<ul><li>one</li><li><a href="https://example.org/two">two</a></li></ul><ol><li>a</li><li>b</li></ol>', "- one\n- two <https://example.org/two>\n1. a\n2. b")
html_case("html-table", "<table><tr><th>Name</th><td>Ann</td></tr><tr><th>Room</th><td>312</td></tr></table>", "Name Ann\nRoom 312")
html_case("html-script-and-style", "<style>p{color:red}</style><script>alert(1)</script><p onclick=x()>seen</p>", "seen")
html_case("html-hidden-preheader", '<div style="display:none">Preview words</div><p>seen</p>', "seen")
html_case("html-blockquote", "<p>my answer</p><blockquote><p>quoted</p></blockquote>", "my answer\n\n> quoted")
html_case("html-unclosed", "<p>one<p>two<b>bold<table><tr><td>cell", "one\n\ntwobold\ncell")
html_case("html-nested-script", "<scr<script>ipt>x</script>seen", "ipt>xseen")
html_case("html-pre", "<pre>a\n  b\n</pre>", "a\n  b")
html_case("html-entities", "&lt;b&gt; &euro; &#x41; &unknown;", "<b> € A &unknown;")
html_case("html-empty", "<html><body></body></html>", "")
html_case("html-deep", "<div>" * 1500 + "text" + "</div>" * 1500, "", attachments=[("message.html", 1500 * 11 + 4, "text/html")])
case("html-qp", qp("<p>Größe: 3 = drei</p>"), content_type="text/html; charset=utf-8", encoding="quoted-printable", body_text="Größe: 3 = drei")
html_case("html-outlook-conditional", "<!--[if mso]><table><tr><td><![endif]--><p>seen</p><!--[if mso]></td></tr></table><![endif]-->", "seen")

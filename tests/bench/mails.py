"""Mixed mails of about ten kilobytes, as people's programs write them: for a mailbox and for the parser. The same number is the same mail but for its Message-ID."""

import base64
import email.utils
import random
import uuid

CHARSETS = ("utf-8", "iso-8859-1", "windows-1251", "koi8-r", "iso-8859-2", "gb18030", "shift_jis", "us-ascii")
# kind → share of all
KINDS = {"plain": 0.35, "alternative": 0.35, "html": 0.15, "attached": 0.15}
LINES = {"plain": 110, "alternative": 45, "html": 90, "attached": 30}


def kind_of(number):
    at = (number * 37 % 100) / 100
    for kind, share in KINDS.items():
        at -= share
        if at < 0:
            return kind
    return "plain"


def mixed(number, recipient, message_id=None):
    """Bytes with CRLF."""
    kind, charset = kind_of(number), CHARSETS[number % len(CHARSETS)]
    lines = [f"Line {n} of mail {number}: the printer on the third floor says {n * number}, and everybody waits for it." for n in range(LINES[kind])]
    plain = part("plain", charset, "\r\n".join(lines))
    html = part("html", charset, "<html><body>" + "\r\n".join(f'<p class="x"><b>{n}</b> <a href="https://example.org/{n}">{line}</a></p>' for n, line in enumerate(lines)) + "</body></html>")
    if kind == "plain":
        body = plain
    elif kind == "html":
        body = html
    elif kind == "alternative":
        body = multipart("alternative", plain, html)
    else:
        data = base64.encodebytes(random.Random(number).randbytes(5000)).decode().replace("\n", "\r\n")
        file = f'Content-Type: application/pdf; name="report {number}.pdf"\r\nContent-Disposition: attachment; filename="report {number}.pdf"\r\nContent-Transfer-Encoding: base64\r\n\r\n{data}'
        body = multipart("mixed", multipart("alternative", plain, html), file)
    head = (f"From: =?utf-8?Q?Ann_L=C3=A9e_{number}?= <ann{number}@people.example.test>\r\nTo: The desk <{recipient}>\r\nSubject: =?utf-8?Q?Printer_n=C2=BA_{number}?=\r\n"
            f"Date: {email.utils.formatdate(localtime=True)}\r\nMessage-ID: {message_id or f'<{uuid.uuid4()}@people.example.test>'}\r\nMIME-Version: 1.0\r\n")
    return (head + body + "\r\n").encode("ascii")


def part(subtype, charset, text):
    return f"Content-Type: text/{subtype}; charset={charset}\r\nContent-Transfer-Encoding: 7bit\r\n\r\n{text}\r\n"


def multipart(subtype, *parts):
    boundary = uuid.uuid4().hex
    return f'Content-Type: multipart/{subtype}; boundary="{boundary}"\r\n\r\n' + "".join(f"--{boundary}\r\n{one}\r\n" for one in parts) + f"--{boundary}--\r\n"

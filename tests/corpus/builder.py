"""How a corpus mail is written down: its bytes, and what Postroom must make of it.

The setting in which the mails are explained is tests/component/mail_sandbox/corpus_setting.hpp: an inbox `support` that is shared, boards
Hardware (printer, laptop, drucker, imprimante, принтер, プリンタ, 打印机), People (hr, holiday, urlaub), Old (fax; archived) and General (the
default).
"""
import base64
import hashlib
import hmac

CASES = []
DATE = "Fri, 20 Nov 2026 10:00:00 +0000"
DEFAULT_WHY = "no keyword matches the subject; General is the default board"
UNSET = object()


def keyword(word, board):
    return f'the subject holds keyword "{word}" of board {board}'


def to_bytes(text):
    return text if isinstance(text, bytes) else text.encode()


def crlf(raw):
    return to_bytes(raw).replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")


def wire(data):
    """Bytes of unencoded content in a mail: its lines end with CRLF."""
    return len(crlf(data))


def qp(data):
    """Quoted-printable as clients write it, lines below 76."""
    out, line = b"", b""
    for byte in to_bytes(data):
        piece = b"\n" if byte == 10 else (bytes([byte]) if 32 < byte < 127 and byte != 61 or byte == 32 else b"=%02X" % byte)
        if piece == b"\n":
            if line.endswith(b" "):
                line = line[:-1] + b"=20"
            out, line = out + line + b"\n", b""
            continue
        if len(line) + len(piece) > 72:
            out, line = out + line + b"=\n", b""
        line += piece
    return out + line


def b64(data):
    text = base64.b64encode(to_bytes(data))
    return b"\n".join(text[i:i + 76] for i in range(0, len(text), 76))


def b_word(text, charset="utf-8"):
    data = text if isinstance(text, bytes) else text.encode(charset)
    return f"=?{charset}?B?{base64.b64encode(data).decode()}?="


def q_word(text, charset="utf-8"):
    data = text if isinstance(text, bytes) else text.encode(charset)
    body = "".join(chr(b) if chr(b).isalnum() and b < 128 else "_" if b == 32 else f"={b:02X}" for b in data)
    return f"=?{charset}?Q?{body}?="


def part(body, content_type=None, encoding=None, disposition=None, extra=""):
    head = ""
    if content_type:
        head += f"Content-Type: {content_type}\n"
    if encoding:
        head += f"Content-Transfer-Encoding: {encoding}\n"
    if disposition:
        head += f"Content-Disposition: {disposition}\n"
    return (head + extra + "\n").encode() + to_bytes(body)


def multipart(subtype, parts, boundary="=_b1", params="", preamble=""):
    """(content type, body)"""
    body = preamble.encode()
    for one in parts:
        body += b"\n--" + boundary.encode() + b"\n" + one
    body += b"\n--" + boundary.encode() + b"--\n"
    return f'multipart/{subtype}; boundary="{boundary}"{params}', body


def nested(subtype, parts, boundary, params=""):
    content_type, body = multipart(subtype, parts, boundary, params)
    return part(body, content_type)


def text(body, charset="utf-8"):
    return part(body, f"text/plain; charset={charset}", "8bit")


def html(body, charset="utf-8"):
    return part(body, f"text/html; charset={charset}", "8bit")


def signed_id(ticket, delivery, host="desk.example", key=b"corpus key"):
    digest = hmac.new(key, f"postroom message id\n{ticket}\n{delivery}\n{host}".encode(), hashlib.sha256).hexdigest()[:32]
    return f"{ticket}.{delivery}.{digest}@{host}"


def raw_case(name, raw, **expected):
    """`raw` is the whole mail. Expected members have the defaults of a plain mail from Ann."""
    body = expected.get("body_text", "")
    result = {
        "subject": expected.get("subject", "Question"),
        "from": expected.get("sender", "ann@example.org"),
        "to": expected.get("to", ["support@desk.example"]),
        "date": expected.get("date", "2026-11-20T10:00:00Z"),
        "message_id": expected.get("message_id", f"{name}@mail.example.org"),
        "in_reply_to": expected.get("in_reply_to"),
        "references": expected.get("references", []),
        "body_text": body,
        "reply_text": expected.get("reply_text", body),
        "attachments": [{"name": n, "size": s, "content_type": t} for n, s, t in expected.get("attachments", [])],
        "auto": expected.get("auto_reason") is not None,
        "auto_reason": expected.get("auto_reason"),
        "bounce": expected.get("bounce"),
        "list": expected.get("is_list", False),
        "verdict": expected.get("verdict", "ticket"),
        "board": expected.get("board", "General" if expected.get("verdict", "ticket") == "ticket" else None),
        "why": expected.get("why", DEFAULT_WHY),
    }
    if result["auto"] and result["verdict"] == "ticket":
        result["why"] += f"; automatic ({result['auto_reason']}), so nobody is answered"
    known = {"subject", "sender", "to", "date", "message_id", "in_reply_to", "references", "body_text", "reply_text", "attachments",
             "auto_reason", "bounce", "is_list", "verdict", "board", "why"}
    assert not set(expected) - known, (name, set(expected) - known)
    assert name not in [case[0] for case in CASES], name
    CASES.append((name, to_bytes(raw), result))


def case(name, body=b"", headers=(), content_type=None, encoding=None, subject="Question", sender="Ann Lee <ann@example.org>", drop=(), raw_subject=None,
         **expected):
    """A mail with the usual header; `headers` are added, those named in `drop` are left out. `expected` as in raw_case."""
    fields = [("From", sender), ("To", "support@desk.example"), ("Subject", raw_subject if raw_subject is not None else subject), ("Date", DATE),
              ("Message-ID", f"<{name}@mail.example.org>"), ("MIME-Version", "1.0")]
    named = {one[0].lower() for one in headers} | {one.lower() for one in drop}
    fields = [one for one in fields if one[0].lower() not in named] + list(headers)
    if content_type:
        fields.append(("Content-Type", content_type))
    if encoding:
        fields.append(("Content-Transfer-Encoding", encoding))
    raw = b"".join(field.encode() + b": " + to_bytes(value) + b"\n" for field, value in fields) + b"\n" + to_bytes(body)
    expected.setdefault("subject", subject)
    if expected.get("verdict") == "unparsable":
        for member, value in (("subject", ""), ("sender", None), ("to", []), ("date", None), ("message_id", None)):
            expected[member] = value
    raw_case(name, crlf(raw), **expected)


def came_from(addr):
    """The bare address that the last case must be found to come from."""
    CASES[-1][2]["from"] = addr

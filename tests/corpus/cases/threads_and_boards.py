"""Which ticket, which board."""
from builder import *

TICKET, DELIVERY = "01934c00-0000-7000-8000-000000000001", "01934c00-0000-7000-8000-000000000002"
OURS = signed_id(TICKET, DELIVERY)
WHY = f"a reply to ticket {TICKET}: it answers a mail that we signed"


def answer(name, in_reply_to, references=(), **expected):
    headers = ([("In-Reply-To", f"<{in_reply_to}>")] if in_reply_to else []) + ([("References", " ".join(f"<{r}>" for r in references))] if references else [])
    case(name, "Thanks.\n", headers + expected.pop("headers", []), subject="Re: Question", body_text="Thanks.", in_reply_to=in_reply_to, references=list(references), **expected)


answer("thread-signed-in-reply-to", OURS, verdict="reply", why=WHY)
answer("thread-signed-in-references", "unknown@x.example", ["first@x.example", OURS], verdict="reply", why=WHY)
answer("thread-forged-hmac", OURS[:-len("@desk.example") - 1] + ("0" if OURS[-len("@desk.example") - 1] != "0" else "1") + "@desk.example")
answer("thread-other-ticket-same-hmac", OURS.replace(TICKET, DELIVERY, 1))
answer("thread-other-host", OURS.replace("@desk.example", "@other.example"))
answer("thread-other-key", signed_id(TICKET, DELIVERY, key=b"another key"))
answer("thread-unknown", "unknown@x.example")
answer("thread-signed-automatic", OURS, headers=[("Auto-Submitted", "auto-replied")], verdict="reply", auto_reason="Auto-Submitted: auto-replied",
       why=WHY + "; automatic (Auto-Submitted: auto-replied), so it reopens nothing")
case("thread-subject-number-only", "Thanks.\n", subject="Re: [#4711] Question", body_text="Thanks.")


def routed(name, subject, board, why):
    case(name, "text\n", subject=subject, raw_subject=b_word(subject), body_text="text", board=board, why=why)


routed("route-keyword", "The PRINTER is jammed", "Hardware", keyword("printer", "Hardware"))
routed("route-keyword-inside-word", "Netzwerkdrucker kaputt", "Hardware", keyword("drucker", "Hardware"))
routed("route-short-keyword", "HR: a question", "People", keyword("hr", "People"))
routed("route-short-keyword-inside-word", "Three chairs", "General", DEFAULT_WHY)
routed("route-archived-board", "Fax does not work", "General", DEFAULT_WHY)
routed("route-longest-keyword", "Holiday printer", "Hardware", keyword("printer", "Hardware"))
routed("route-longer-keyword-of-later-board", "Laptop for the holiday", "People", keyword("holiday", "People"))
routed("route-cyrillic", "Сломался ПРИНТЕР", "Hardware", keyword("принтер", "Hardware"))
routed("route-japanese", "プリンタの故障", "Hardware", keyword("プリンタ", "Hardware"))
routed("route-chinese", "三楼打印机坏了", "Hardware", keyword("打印机", "Hardware"))
routed("route-default", "Something else", "General", DEFAULT_WHY)

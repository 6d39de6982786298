"""The assorted mails of the kill test: what each is, what may become of it, and its number in the recipient's address (desk+k0017@…), where every server keeps it."""

import dataclasses
import pathlib
import random
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
from letters import KILLER, attached, bounce, letter, new_id  # noqa: E402

CORPUS = pathlib.Path(__file__).resolve().parents[2] / "corpus" / "mails"
ANY = ("ticket", "reply", "duplicate", "bounce", "own", "standby")
# What is sent how often. reply: an answer to a confirmation that came; follow_up: another mail of the sender in answer to the first, which may overtake it;
# bounce: a report about a confirmation that came; report: one about a mail of somebody else.
SHARES = {"plain": 0.28, "attached": 0.08, "corpus": 0.30, "twin": 0.06, "reply": 0.08, "follow_up": 0.04, "bounce": 0.03, "report": 0.02, "absence": 0.04, "own": 0.03, "killer": 0.04}
EXPECTED = {"plain": ("ticket",), "attached": ("ticket",), "corpus": ANY, "twin": ("ticket",), "reply": ("reply",), "follow_up": ("reply", "ticket"), "bounce": ("bounce",),
            "report": ("ticket",), "absence": ("ticket", "reply"), "own": ("ticket",), "killer": ("standby",)}
IS_CONFIRMED = {"plain": True, "attached": True, "twin": True, "corpus": None, "reply": False, "follow_up": None, "bounce": False, "report": False, "absence": False, "own": False, "killer": False}


@dataclasses.dataclass
class Mail:
    n: int
    kind: str
    inbox: str                     # its address
    sender: str                    # of the envelope; "" for bounces
    content: bytes
    message_id: str | None = None  # none: the corpus decides
    answers: int | None = None     # the number of the mail that it answers; of a bounce: whose confirmation it is about
    copies: int = 1                # how often it is sent

    @property
    def recipient(self):
        name, _, domain = self.inbox.partition("@")
        return f"{name}+k{self.n:04d}@{domain}"

    def facts(self):
        """For the judge."""
        return {"n": self.n, "kind": self.kind, "inbox": self.inbox, "sender": self.sender, "message_id": self.message_id, "answers": self.answers, "copies": self.copies,
                "expected": EXPECTED[self.kind], "is_confirmed": IS_CONFIRMED[self.kind]}


class Assortment:
    """`total` mails to the inboxes; the kinds come in an order that the seed decides. Replies are written when they are due, by `reply`."""

    def __init__(self, total, inboxes, seed):
        self.chance, self.inboxes = random.Random(seed), inboxes
        self.kinds = [kind for kind, share in SHARES.items() for _ in range(max(1, round(total * share)))]
        self.chance.shuffle(self.kinds)
        # Answers come when there is something to answer.
        late = [kind for kind in self.kinds if kind in ("reply", "follow_up", "bounce")]
        early = [kind for kind in self.kinds if kind not in late]
        rest = early[len(early) // 3:] + late
        self.chance.shuffle(rest)
        self.kinds = early[:len(early) // 3] + rest
        self.corpus = sorted(CORPUS.glob("*.eml"))
        self.chance.shuffle(self.corpus)

    def __len__(self):
        return len(self.kinds)

    def make(self, n, confirmations, sent):
        """Mail number n. `confirmations`: number → (Message-ID, subject) of those confirmed so far; `sent`: number → Mail. None: nobody was answered yet."""
        kind, inbox, person = self.kinds[n], self.inboxes[n % len(self.inboxes)], f"person{n % 60:02d}@people.example.test"
        own_id, subject = new_id(), f"kill {n:04d} {kind}"
        if kind == "corpus":
            on_the_wire = self.corpus[n % len(self.corpus)].read_bytes().replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
            return Mail(n, kind, inbox, person, on_the_wire)
        if kind == "attached":
            content = attached(person, inbox, subject, f"Number {n}.", {f"file {n}.bin": self.chance.randbytes(self.chance.randrange(1, 200_000))})
            return Mail(n, kind, inbox, person, content, id_of(content))
        if kind == "report":
            content = bounce(inbox, f"gone{n}@example.test", new_id())
            return Mail(n, kind, inbox, "", content, id_of(content))
        if kind == "killer":
            return Mail(n, kind, inbox, person, KILLER)
        if kind in ("reply", "bounce"):
            if not confirmations:
                return None
            first = self.chance.choice(sorted(confirmations))
            (told_id, told_subject), mail = confirmations[first], sent[first]
            if kind == "bounce":
                content = bounce(mail.inbox, mail.sender, told_id)
                return Mail(n, kind, mail.inbox, "", content, id_of(content), answers=first)
            content = letter(mail.sender, mail.inbox, f"Re: {told_subject}", f"Answer {n}.\n\n> {subject}", message_id=own_id, answer_to=told_id)
            return Mail(n, kind, mail.inbox, mail.sender, content, own_id, answers=first)
        if kind == "follow_up":
            first = self.chance.choice(sorted(number for number, mail in sent.items() if mail.kind in ("plain", "attached")))
            mail = sent[first]
            content = letter(mail.sender, mail.inbox, f"Re: {subject}", f"More of it, {n}.", message_id=own_id, answer_to=mail.message_id)
            return Mail(n, kind, mail.inbox, mail.sender, content, own_id, answers=first)
        headers = {"Auto-Submitted": "auto-replied"} if kind == "absence" else None
        sender = inbox if kind == "own" else person
        return Mail(n, kind, inbox, sender, letter(sender, inbox, subject, f"Number {n}.", message_id=own_id, headers=headers), own_id, copies=2 if kind == "twin" else 1)


def id_of(content):
    """The Message-ID of a mail that was just made."""
    return content.split(b"Message-ID: ", 1)[1].split(b"\r\n", 1)[0].decode().strip()

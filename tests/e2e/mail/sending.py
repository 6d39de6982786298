"""Who writes mails in the kill test, who reads the answers, and who else looks into a mailbox meanwhile."""

import random
import re
import smtplib
import threading
import time

from letters import read
from mailservers import NO_MAIL_SERVER

NEWEST = 200  # mails that readers look at, so that a large mailbox does not slow them
TAG = re.compile(rb"^Delivered-To: [^\r\n]*\+k(\d+)@", re.MULTILINE | re.IGNORECASE)


def number_of(head):
    """The number that a mail's recipient address carries, from its header as the IMAP server shows it; None when there is none."""
    found = TAG.search(head)
    return int(found[1]) if found else None


def listing(mail_servers, user, folder="INBOX"):
    """(UIDVALIDITY, UID → number) as the IMAP server tells it."""
    with mail_servers.mailbox(user, folder, is_readonly=True) as box:
        return box.uid_validity, {uid: number_of(head) for uid, head in box.mails("BODY.PEEK[HEADER]").items()}


class Writers:
    """Send the assortment, each mail until a server has taken it, and write down what was taken."""

    COUNT, PATIENCE_SECONDS = 4, 120

    def __init__(self, servers, assortment, gate, driver, confirmations):
        self.servers, self.assortment, self.gate, self.driver, self.confirmations = servers, assortment, gate, driver, confirmations
        self.sent, self.lock = {}, threading.Lock()
        self.threads = [threading.Thread(target=self._run, daemon=True) for _ in range(self.COUNT)]
        for thread in self.threads:
            thread.start()

    def join(self, limit):
        deadline = time.monotonic() + limit
        for thread in self.threads:
            thread.join(max(0, deadline - time.monotonic()))
        if any(thread.is_alive() for thread in self.threads):
            self.driver.write("trouble", text="a writer did not come to an end")

    def _run(self):
        while (n := self.gate.next()) is not None:
            try:
                self._write(n)
            except Exception as wrong:  # told to the judge
                self.driver.write("trouble", text=f"mail {n}: {type(wrong).__name__}: {wrong}")

    def _write(self, n):
        deadline = time.monotonic() + self.PATIENCE_SECONDS
        while True:
            with self.lock:
                mail = self.assortment.make(n, dict(self.confirmations), dict(self.sent))
            if mail is not None:
                break
            if time.monotonic() > deadline:
                raise AssertionError("nobody was answered, so there is nothing to reply to")
            time.sleep(0.2)
        self.driver.write("mail", **mail.facts())
        for _ in range(mail.copies):
            while True:
                try:
                    self.servers.send(mail.content, mail.sender, mail.recipient)
                    break
                except smtplib.SMTPResponseException as wrong:
                    if wrong.smtp_code >= 500:
                        self.driver.write("not taken", n=n, code=wrong.smtp_code)
                        return
                except NO_MAIL_SERVER:
                    pass
                if time.monotonic() > deadline:
                    raise AssertionError("no server takes it")
                time.sleep(0.3)
            self.driver.write("taken", n=n)
        with self.lock:
            self.sent[n] = mail


class Readers(threading.Thread):
    """The senders read their mail: `confirmations` gets what answers a mail of theirs, so that they can reply to it."""

    def __init__(self, servers, confirmations):
        super().__init__(daemon=True)
        self.servers, self.confirmations, self.writers, self.is_over = servers, confirmations, None, False
        self.chance = random.Random(1)

    def run(self):
        while not self.is_over:
            time.sleep(0.1)
            with self.writers.lock:
                waiting = {mail.message_id: (n, mail.sender) for n, mail in self.writers.sent.items() if mail.kind in ("plain", "attached") and n not in self.confirmations}
            if not waiting:
                continue
            person = self.chance.choice(sorted({sender for _, sender in waiting.values()}))
            try:
                with self.servers.mailbox(person, is_readonly=True, timeout=20) as box:
                    for raw in box.mails("BODY.PEEK[HEADER]", NEWEST).values():
                        mail = read(raw)
                        n, sender = waiting.get(mail["In-Reply-To"], (None, None))
                        if sender == person:
                            self.confirmations[n] = (str(mail["Message-ID"]), str(mail["Subject"]))
            except NO_MAIL_SERVER:
                continue

    def end(self):
        self.is_over = True
        self.join()


class OtherClient(threading.Thread):
    """A person's mail program on an inbox: reads, flags, moves mail away and back. `seen`: (UIDVALIDITY, UID) → number of all that it ever saw."""

    AWAY = "Read"

    def __init__(self, servers, user, seed):
        super().__init__(daemon=True)
        self.servers, self.user, self.chance = servers, user, random.Random(seed)
        self.seen, self.is_over, self.moves, self.flags = {}, False, 0, 0

    def run(self):
        while not self.is_over:
            time.sleep(self.chance.uniform(0.2, 0.6))
            try:
                self._look()
            except NO_MAIL_SERVER:
                continue

    def _look(self):
        with self.servers.mailbox(self.user, timeout=20) as box:
            box.far.create(self.AWAY)
            mails = box.mails("BODY.PEEK[HEADER]", NEWEST)
            self.seen |= {(box.uid_validity, uid): number_of(head) for uid, head in mails.items()}
            if not mails:
                return
            uid, what = self.chance.choice(sorted(mails)), self.chance.random()
            if what < 0.5:
                box.flag(uid, self.chance.choice(["\\Seen", "\\Flagged", "\\Answered"]))
                self.flags += 1
                return
            box.move(uid, self.AWAY)
            self.moves += 1
            time.sleep(self.chance.uniform(0, 0.3))
        self.bring_back()

    def bring_back(self):
        with self.servers.mailbox(self.user, self.AWAY, timeout=20) as box:
            for uid in box.uids():
                box.move(uid, "INBOX")

    def end(self):
        self.is_over = True
        self.join()
        self.bring_back()

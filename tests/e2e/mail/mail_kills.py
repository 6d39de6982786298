"""Who is killed in the kill test of mails: every kind of process, the parser's child, the broker, and Dovecot as a whole."""

import os
import pathlib
import random
import signal
import time

from kills import Killer

SHARES = {"imap_poller": 0.16, "mail_router": 0.12, "notifier": 0.18, "ledger": 0.14, "dovecot": 0.12, "broker": 0.08, "api": 0.06, "jira": 0.05, "trello": 0.05, "sandbox": 0.04}


def plan(count, seed):
    """The kinds of the victims in order: everybody at least once."""
    kinds = [kind for kind, share in SHARES.items() for _ in range(max(1, round(count * share)))]
    random.Random(seed).shuffle(kinds)
    return kinds


def children(pid, name):
    """Pids of the children with that program name."""
    found = []
    for task in pathlib.Path(f"/proc/{pid}/task").glob("*/children"):
        for child in task.read_text().split():
            try:
                if os.readlink(f"/proc/{child}/exe").endswith(name):
                    found.append(int(child))
            except OSError:
                continue
    return found


class MailKiller(Killer):
    def __init__(self, room, driver, clients, mail_gate, seed):
        super().__init__(room, driver, clients, seed)
        self.mail_gate = mail_gate

    def _strike(self, kind):
        if kind in ("broker", "api", "ledger"):
            return super()._strike(kind)
        if kind == "dovecot":
            pid, held = self.room.mail.dovecot.process.pid, self._states()
            self.room.mail.dovecot.kill()
            return kind, pid, held
        return self._kill_sandbox() if kind == "sandbox" else self._kill_worker(kind)

    def _bring_back(self, kind):
        if kind == "dovecot":
            time.sleep(self.chance.uniform(0, 1.5))
            self.room.mail.dovecot.start()
        else:
            super()._bring_back(kind)

    def _kill_sandbox(self):
        deadline = time.monotonic() + 5
        while time.monotonic() < deadline:
            for router in self.room.pids("mail_router"):
                for child in children(router, "postroom-mail-sandbox"):
                    held = self._states()
                    os.kill(child, signal.SIGKILL)
                    return "sandbox", child, held
            time.sleep(0.02)
        return "sandbox", None, {}

    def _kill_worker(self, kind):
        """While it has work in hand; whatever it does after three seconds."""
        has_work = {"imap_poller": "SELECT 1 FROM inboxes WHERE lease = 'held'", "mail_router": "SELECT 1 FROM mails WHERE stage = 'parsing'"}.get(kind, f"SELECT 1 FROM deliveries WHERE worker = '{kind}' AND state = 'claimed'")
        deadline, more_at = time.monotonic() + 3, time.monotonic() + 0.3
        while not self.room.rows(has_work) and time.monotonic() < deadline:
            if time.monotonic() > more_at:
                self.mail_gate.open_more(1)
                self.clients.gate.open_more(1)
                more_at += 0.3
            time.sleep(0.003)
        time.sleep(self.chance.uniform(0, 0.03))
        while not (pids := self.room.pids(kind)):
            time.sleep(0.02)
        return self._kill_one_of(pids, self._states())

    def _states(self):
        return {f"mails {row['stage']}": row["n"] for row in self.room.rows("SELECT stage, count(*) AS n FROM mails WHERE stage <> 'decided' GROUP BY stage")} | {
            f"notices {row['state']}": row["n"] for row in self.room.rows("SELECT state, count(*) AS n FROM deliveries WHERE worker = 'notifier' AND state <> 'done' GROUP BY state")}

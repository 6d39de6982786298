"""Who is killed in a chaos run: every kind of process, the parser's child, the broker, Dovecot; each while it holds something, if that can be had in time."""

import random
import time

from mail_kills import MailKiller
from sims import connections_to

SHARES = {"ledger": 0.16, "jira": 0.13, "trello": 0.12, "notifier": 0.13, "imap_poller": 0.12, "api": 0.10, "mail_router": 0.08, "broker": 0.07, "dovecot": 0.06, "sandbox": 0.03}
LEAST_SHARE_HOLDING = 0.8
WAIT_SECONDS = 5
FRESH_MS = 1000  # an older promise is in the books already


def plan(count, seed):
    """Exactly `count` kinds in order, by their shares; everybody at least once where there are enough."""
    chance = random.Random(seed)
    kinds = [kind for kind, share in SHARES.items() for _ in range(max(1, int(count * share)))]
    kinds += chance.choices(list(SHARES), list(SHARES.values()), k=max(0, count - len(kinds)))
    chance.shuffle(kinds)
    return kinds[:count]


class ChaosKiller(MailKiller):
    connector_limit = 10

    def _strike(self, kind):
        if kind in ("broker", "dovecot"):
            self._until(lambda: self._queues() if kind == "broker" else self._dovecot())
            name, pid, held = super()._strike(kind)
            return name, pid, held if kind == "broker" else self.last_held
        return self._kill_connector(kind) if kind in ("jira", "trello") else super()._strike(kind)

    def _kill_ledger(self):
        victim, pid, held = super()._kill_ledger()
        since = held.pop("a promise of so many ms ago")
        return victim, pid, ({"a promise of so many ms ago": since} if since < FRESH_MS else {}) | held

    def _kill_sandbox(self):
        self._until(lambda: self._parsing())
        name, pid, _ = super()._kill_sandbox()
        return name, pid, self.last_held

    def _kill_worker(self, kind):
        """One that holds something now."""
        look = {"imap_poller": self._leases, "mail_router": lambda pid: self._parsing(), "notifier": self._letters}[kind]

        def holders():
            return {pid: held for pid in self.room.pids(kind) if any((held := look(pid)).values())}

        found = self._until(holders)
        while not (pids := self.room.pids(kind)):
            time.sleep(0.02)
        alive = {pid: pids[pid] for pid in found if pid in pids} or pids
        victim, pid, _ = self._kill_one_of(alive, {})
        return victim, pid, found.get(pid, {})

    def _until(self, look):
        """What look() says once it says something, at most so long; load is let in meanwhile."""
        deadline, more_at = time.monotonic() + WAIT_SECONDS, time.monotonic() + 0.2
        while not any((found := look()).values()) and time.monotonic() < deadline:
            if time.monotonic() > more_at:
                self.mail_gate.open_more(2)
                self.clients.gate.open_more(2)
                more_at += 0.3
            time.sleep(0.003)
        self.last_held = found
        return found

    def _leases(self, pid):
        """By the ledger's rows: an instance is named by its pid first."""
        rows = self.room.rows("SELECT address, uid_validity, last_uid FROM inboxes WHERE lease = 'held' AND worker LIKE ?", f"imap_poller-{pid}-%")
        return {row["address"]: f"up to {row['uid_validity']}/{row['last_uid']}" for row in rows}

    def _parsing(self):
        return {"mails being parsed": self.room.rows("SELECT count(*) AS n FROM mails WHERE stage = 'parsing'")[0]["n"]}

    def _letters(self, pid):
        return {"SMTP conversations": connections_to(self.room.mail.port("smtps"), pid)}

    def _dovecot(self):
        held = {"mailboxes watched": self.room.rows("SELECT count(*) AS n FROM inboxes WHERE lease = 'held'")[0]["n"], "mails on their way": self.room.mail.on_their_way()}
        return {name: number for name, number in held.items() if number}

    def report(self):
        """A line for people; whether enough of the killed held something."""
        killed, holding = sum(self.kills.values()), sum(self.holders.values())
        share = holding / max(1, killed)
        kinds = ", ".join(f"{kind} {self.holders[kind]}/{count}" for kind, count in sorted(self.kills.items()))
        return f"{killed} kills, {share:.0%} of the victims held something ({kinds})", share >= LEAST_SHARE_HOLDING

"""Who is killed when, and what the victim held at that moment."""

import collections
import random
import time

from sims import pid_of_local_port

SHARES = {"jira": 0.28, "trello": 0.28, "ledger": 0.18, "api": 0.14, "broker": 0.12}
LEAST = 2


def plan(count, seed):
    """The kinds of the victims in order: everybody at least twice, connectors most."""
    chance = random.Random(seed)
    kinds = [kind for kind in SHARES for _ in range(max(LEAST, round(count * SHARES[kind])))]
    chance.shuffle(kinds)
    return kinds


class Killer:
    """`kills`: kind → how many were killed; `holders`: how many of these held something."""

    connector_limit = 30  # seconds to wait for a worker with an open request

    def __init__(self, room, driver, clients, seed):
        self.room, self.driver, self.clients = room, driver, clients
        self.chance = random.Random(seed + 1)
        self.kills, self.holders = collections.Counter(), collections.Counter()
        self.connector_kills, self.connectors_that_held = 0, 0

    def kill(self, number, kind):
        """Kills one process of the kind; prints and records what it held."""
        victim, pid, held = self._strike(kind)
        print(f"kill {number + 1:2d} {victim} pid {pid} held {held}", flush=True)
        self.driver.write("kill", name=victim, pid=pid, held=held)
        if pid is not None:
            self.kills[kind] += 1
            self.holders[kind] += any(held.values())
        self._bring_back(kind)

    def _strike(self, kind):
        """(name, pid, what it held) of who was killed."""
        if kind == "broker":
            pid, held = self.room.rabbit.server.pid, self._queues()
            self.room.rabbit.kill()
            return "broker", pid, held
        if kind in ("jira", "trello"):
            return self._kill_connector(kind)
        return self._kill_api() if kind == "api" else self._kill_ledger()

    def _bring_back(self, kind):
        """Whom the supervisor does not."""
        if kind == "broker":
            self.room.rabbit.start()

    def _kill_api(self):
        """While it answers posts; whatever it does after two seconds."""
        deadline = time.monotonic() + 2
        while True:
            pids, answering = self.room.pids("api"), self.clients.open_posts
            if pids and (answering or time.monotonic() > deadline):
                return self._kill_one_of(pids, {"posts being answered": answering})
            self.clients.gate.open_more(1)
            time.sleep(0.01)

    def _kill_ledger(self):
        """Right after a promise was made, while the ledger has the post in hand and nothing else knows of it."""
        self.clients.just_promised.clear()
        for _ in range(20):
            self.clients.gate.open_more(1)
            if self.clients.just_promised.wait(0.1):
                break
        time.sleep(self.chance.uniform(0, 0.015))
        while not (pids := self.room.pids("ledger")):
            time.sleep(0.02)
        since = round((time.monotonic() - self.clients.promised_at) * 1000)
        victim, pid, _ = self._kill_one_of(pids, {})
        return victim, pid, {"a promise of so many ms ago": since} | self._ledger_rows()

    def _kill_one_of(self, pids, held):
        pid = self.chance.choice(sorted(pids))
        self.room.processes.kill(pids[pid])
        return pids[pid], pid, held

    def _kill_connector(self, kind):
        """Waits for a worker with an open create at the far side, and kills it right there, between claim and outcome."""
        sim, deadline, more_at = getattr(self.room, kind), time.monotonic() + self.connector_limit, time.monotonic() + 1
        # Now and then a moment later: the answer is read by then, perhaps not reported.
        delay = self.chance.uniform(0, 0.02) if self.chance.random() < 0.2 else 0
        while True:
            pids = self.room.pids(kind)
            seen = [request for request in sim.open_requests() if request["state"] != "late"]
            owners = [(pid_of_local_port(request["peer"], pids), request) for request in seen]
            holding = sorted({pid for pid, _ in owners if pid in pids})
            if holding or time.monotonic() > deadline:
                break
            if time.monotonic() > more_at:
                self.clients.gate.open_more(3)
                more_at += 0.5
            time.sleep(0.005)
        time.sleep(delay)
        pid = self.chance.choice(holding) if holding else next(iter(pids), None)
        if pid is None:
            return kind, None, {}
        self.room.processes.kill(pids[pid])
        held = {"requests": [f"{r['method']} {r['path']} {(r['marker'] or '')[-12:]} {r['state']}" for owner, r in owners if owner == pid],
                "claimed": [row["id"][-12:] for row in self.room.rows("SELECT id FROM deliveries WHERE state = 'claimed' AND worker = ?", kind)]}
        self.connector_kills += 1
        self.connectors_that_held += bool(held["requests"])
        return pids[pid], pid, held

    def _ledger_rows(self):
        return {f"{row['state']}": row["n"] for row in self.room.rows("SELECT state, count(*) AS n FROM deliveries WHERE state IN ('waiting', 'dispatched', 'claimed') GROUP BY state")} | {
            "outgoing": self.room.rows("SELECT count(*) AS n FROM outgoing")[0]["n"]}

    def _queues(self):
        return {name: f"{ready}+{unacknowledged}" for name, (ready, unacknowledged) in self.room.queues().items() if ready or unacknowledged}

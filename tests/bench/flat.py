"""flat: the same work in a store with many tickets and in one with few; both sets are up at the same time and take turns."""

import http.client
import json
import subprocess
import time

import figures
import prefill
from figures import Goal
from line import flood
from room import Room

GOALS = [Goal("line_of_few", 0.8, True), Goal("list_p99_ms", 5, False, "ms"), Goal("search_newest_p99_ms", 20, False, "ms"), Goal("search_ranked_ms", 50, False, "ms")]
LEAST_REFERENCE = 300  # rows a second in the small store


class Store(Room):
    """A set with a store of a size."""

    def filled(self, count):
        self.connection_id = self.connection("trello")
        self.desk, self.cards = self.board("Desk"), self.trello_board("Cards", self.connection_id)
        before = {row["name"]: row["value"] for row in self.rows("SELECT name, value FROM counters")}
        ticket_id = self.post_ticket(self.desk, "The one that is copied", description="The printer on the third floor says that it is out of paper. " * 10).data["ticket_id"]
        self.quiet(1)
        self._stop("api-1", "ledger-1")
        self.per_ticket = prefill.fill(self.home / "data" / "postroom.sqlite", ticket_id, count - 1, before)
        self._start_again("ledger-1", "api-1")
        balance = self.http("GET", "/v1/balance").data
        if (balance["accepted"], balance["opened"]) != (count, count):
            raise AssertionError(f"a store of {count} tickets that does not balance: {balance}")
        return self

    def _service(self, name):
        return self.home / "run" / "scan" / name

    def _stop(self, *names):
        for name in names:
            subprocess.run(["s6-svc", "-wD", "-T", "30000", "-d", self._service(name)], check=True)

    def _start_again(self, *names):
        for name in names:
            subprocess.run(["s6-svc", "-wu", "-T", "30000", "-u", self._service(name)], check=True)
            self.processes.members[name].pid = self._pid(name)
        self.until(self.is_ready, "readiness with the filled store")

    def list_times(self, count):
        """Seconds of looks at lists over one connection: the newest, of one board, of one state, and pages further down."""
        link, times, cursor = http.client.HTTPConnection("127.0.0.1", self.api_port, timeout=30), [], None
        paths = ["/v1/tickets?limit=50", f"/v1/tickets?limit=50&board={self.desk}", "/v1/tickets?limit=50&state=new", "page"]
        for number in range(count):
            path = paths[number % len(paths)]
            path = f"/v1/tickets?limit=50&cursor={cursor}" if path == "page" else path
            began = time.monotonic()
            link.request("GET", path, headers={"Authorization": f"Bearer {self.token}"})
            answer = link.getresponse()
            body = answer.read()
            times.append(time.monotonic() - began)
            if answer.status != 200:
                raise AssertionError(f"{path}: {answer.status} {body[:300]}")
            if number % len(paths) in (0, 3):
                cursor = json.loads(body)["page"]["next"] or cursor
        link.close()
        return times

    def claim_times(self, count, tag):
        """Seconds from a delivery's dispatch to its claim, as the ledger recorded both."""
        above = self.last_number()
        self.load(self.cards, tag, count=count, rate=50, seconds=600, connections=4)
        self.until(lambda: self.rows("SELECT count(*) AS n FROM deliveries d JOIN tickets t ON t.id = d.ticket_id WHERE t.number > ? AND d.state = 'done'", above)[0]["n"] >= count,
                   f"{count} deliveries", 120)
        rows = self.rows("SELECT h.delivery_id, h.action, h.at FROM history h JOIN tickets t ON t.id = h.ticket_id WHERE t.number > ? AND h.action IN ('dispatched', 'claimed')", above)
        at = {(row["delivery_id"], row["action"]): row["at"] for row in rows}
        return [(when - at[delivery, "dispatched"]) / 1e6 for (delivery, action), when in at.items() if action == "claimed"]


def measure(programs, tools, sizes):
    rows, lists, claims = {"few": [], "many": []}, {"few": [], "many": []}, {"few": [], "many": []}
    with Store(programs, tools, simulators=True) as few, Store(programs, tools, simulators=True) as many:
        stores = {"few": few.filled(sizes.few), "many": many.filled(sizes.many)}
        for store in stores.values():
            flood(store, store.desk, "warm", sizes, seconds=1)
        for number in range(sizes.rounds):
            for name in ("few", "many") if number % 2 == 0 else ("many", "few"):
                store = stores[name]
                rate, _ = flood(store, store.desk, f"flat{number}", sizes, seconds=sizes.flat_seconds)
                rows[name].append(rate)
                lists[name] += store.list_times(sizes.looks)
                claims[name] += store.claim_times(sizes.claims, f"claim{number}")
    times = {name: {"list": figures.spread(lists[name]), "claim": figures.spread(claims[name])} for name in rows}
    values = {"tickets": {"few": sizes.few, "many": sizes.many}, "rows_a_ticket": many.per_ticket, "line_of_few": round(figures.ratio(rows["many"], rows["few"]), 3),
              "rows_per_second": round(figures.statistics.median(rows["many"])),
              **{f"list_{key}": value for key, value in times["many"]["list"].items()}, **{f"claim_{key}": value for key, value in times["many"]["claim"].items()},
              "list_p99_ms_few": times["few"]["list"]["p99_ms"], "claim_p99_ms_few": times["few"]["claim"]["p99_ms"], "search_newest_p99_ms": None, "search_ranked_ms": None}
    return {"figures": values, "reference": {f"the same with {sizes.few} tickets, rows a second": [round(one) for one in rows["few"]]}, "rounds": [round(one) for one in rows["many"]],
            "goals": GOALS, "doubts": figures.reference_doubts(f"a store of {sizes.few} tickets", rows["few"], LEAST_REFERENCE)}

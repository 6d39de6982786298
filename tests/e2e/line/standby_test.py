"""Jira answers 503, then 401: items defer, go to standby with the reason, the operator rotates the token through Postroom, one bulk retry delivers all,
once. Meanwhile Trello's p99 does not move: judged against a quiet time just before, in the best of three outages, less the time that the disk stood still,
because a machine's noise comes and goes and a delay that Jira's outage causes would be there each time."""

import pathlib
import sys
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
from sims import JIRA_ACCOUNT  # noqa: E402
from suite import RoomTest, Stalls, arrival_times, first_kept, percentile, post_paced, run_suite  # noqa: E402

TICKETS, TRELLO_TICKETS, TRELLO_RATE = 40, 80, 8


class Standby(RoomTest):
    room_arguments = {"settings": {("delivery", "max_attempts"): 3, ("ledger", "standby_retry_rate"): 50}}

    def test_an_outage_a_rotated_token_and_one_bulk_retry(self):
        room = self.room
        jira_connection = room.connection("jira")
        jira, trello = room.jira_board("Jira", jira_connection), room.trello_board("Trello")
        post_paced(room, trello, [f"warm {n}" for n in range(10)], TRELLO_RATE)
        quiet = self.trello_times(trello, "quiet")

        room.jira.rules({"action": "status", "status": 503})
        busy = {}
        traffic = threading.Thread(target=lambda: busy.update(times=self.trello_times(trello, "busy")))
        stalls = Stalls(room.home)
        stalls.start()
        traffic.start()
        tickets = {title: ticket_id for title, (_, ticket_id) in post_paced(room, jira, [f"outage {n}" for n in range(TICKETS)], 20).items()}
        room.until(lambda: room.rows("SELECT id FROM history WHERE action = 'deferred'") or room.rows("SELECT id FROM deliveries WHERE maybe_sent = 1"), "the first item that waits")
        time.sleep(3)
        self.assertEqual(self.states(), {"not done": TICKETS})

        room.jira.rules()
        room.jira.control("tokens", {"account": JIRA_ACCOUNT, "secret": "rotated"})
        shelved = room.until(lambda: self.shelved(jira_connection), "items on the shelf because of the credentials")
        self.assertEqual({item["worker"] for item in shelved}, {"jira"})
        self.assertTrue(all(item["reason"] for item in shelved))
        connection = room.http("GET", f"/v1/connections/{jira_connection}").data
        self.assertEqual((connection["state"], connection["reason_class"]), ("failing", "credentials"))
        traffic.join()
        stalls.is_over = True

        # The operator: a new token, one look whether it is good, one bulk retry.
        self.assertEqual(room.change("PATCH", f"/v1/connections/{jira_connection}", {"secret": "rotated"}).status, 200)
        self.assertTrue(room.change("POST", f"/v1/connections/{jira_connection}/test", {"board_id": jira}).data["passed"])
        answer = room.promised("POST", "/v1/standby/retry", {"filter": {"connection_id": jira_connection}})
        self.assertEqual(answer.status, 202, answer)
        for title, ticket_id in tickets.items():
            room.delivered(ticket_id, 90)
        made = [line["title"] for line in room.jira.creates() if line["committed"]]
        self.assertEqual(sorted(made), sorted(tickets))
        room.until(lambda: not self.shelved(jira_connection, None), "an empty shelf")
        self.assertEqual(room.http("GET", f"/v1/connections/{jira_connection}").data["state"], "ok")

        def judge(number):
            before, during, stood_still = (quiet, busy["times"], stalls.worst) if number == 1 else self.another_outage(number, jira, trello)
            print(f"\nTrello, post to card: quiet p50 {percentile(before, 50):.3f} p99 {percentile(before, 99):.3f} s, "
                  f"during the outage p50 {percentile(during, 50):.3f} p99 {percentile(during, 99):.3f} s; the disk stood still for {stood_still:.3f} s")
            limit = max(2 * percentile(before, 99), percentile(before, 99) + 0.25) + 2 * stood_still
            return f"p99 {percentile(during, 99):.3f} s, at most {limit:.3f} s" if percentile(during, 99) > limit else None

        first_kept(judge)

    def trello_times(self, board, name):
        return arrival_times(self.room.trello, post_paced(self.room, board, [f"{name} {n}" for n in range(TRELLO_TICKETS)], TRELLO_RATE), self.room)

    def another_outage(self, number, jira, trello):
        """(Trello's times before and during it, the longest stall of the disk)"""
        room = self.room
        before = self.trello_times(trello, f"quiet {number}")
        room.jira.rules({"action": "status", "status": 503})
        with Stalls(room.home) as stalls:
            tickets = threading.Thread(target=post_paced, args=(room, jira, [f"outage {number} {n}" for n in range(TICKETS)], 20))
            tickets.start()
            during = self.trello_times(trello, f"busy {number}")
            tickets.join()
        room.jira.rules()
        return before, during, stalls.worst

    def states(self):
        rows = self.room.rows("SELECT CASE state WHEN 'done' THEN 'done' ELSE 'not done' END AS s, count(*) AS n FROM deliveries WHERE worker = 'jira' GROUP BY s")
        return {row["s"]: row["n"] for row in rows}

    def shelved(self, connection_id, reason_class="credentials"):
        query = f"connection={connection_id}&limit=100" + (f"&reason_class={reason_class}" if reason_class else "")
        return self.room.http("GET", f"/v1/standby?{query}").data


if __name__ == "__main__":
    run_suite()

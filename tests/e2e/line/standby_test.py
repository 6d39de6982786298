"""Jira answers 503, then 401: items defer, go to standby with the reason, the operator rotates the token through Postroom, one bulk retry delivers all,
once. Meanwhile Trello's p99 does not move."""

import pathlib
import sys
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
from sims import JIRA_ACCOUNT  # noqa: E402
from suite import RoomTest, arrival_times, percentile, post_paced, run_suite  # noqa: E402

TICKETS, TRELLO_TICKETS, TRELLO_RATE = 40, 80, 8


class Standby(RoomTest):
    room_arguments = {"settings": {("delivery", "max_attempts"): 3, ("ledger", "standby_retry_rate"): 50}}

    def test_an_outage_a_rotated_token_and_one_bulk_retry(self):
        room = self.room
        jira_connection = room.connection("jira")
        jira, trello = room.jira_board("Jira", jira_connection), room.trello_board("Trello")
        post_paced(room, trello, [f"warm {n}" for n in range(10)], TRELLO_RATE)
        quiet = arrival_times(room.trello, post_paced(room, trello, [f"quiet {n}" for n in range(TRELLO_TICKETS)], TRELLO_RATE), room, 30)

        room.jira.rules({"action": "status", "status": 503})
        busy = {}
        traffic = threading.Thread(target=lambda: busy.update(post_paced(room, trello, [f"busy {n}" for n in range(TRELLO_TICKETS)], TRELLO_RATE)))
        traffic.start()
        tickets = {title: ticket_id for title, (_, ticket_id) in post_paced(room, jira, [f"outage {n}" for n in range(TICKETS)], 20).items()}
        room.until(lambda: room.rows("SELECT id FROM history WHERE action = 'deferred'") or room.rows("SELECT id FROM deliveries WHERE maybe_sent = 1"), 20, "the first item that waits")
        time.sleep(3)
        self.assertEqual(self.states(), {"not done": TICKETS})

        room.jira.rules()
        room.jira.control("tokens", {"account": JIRA_ACCOUNT, "secret": "rotated"})
        shelved = room.until(lambda: self.shelved(jira_connection), 60, "items on the shelf because of the credentials")
        self.assertEqual({item["worker"] for item in shelved}, {"jira"})
        self.assertTrue(all(item["reason"] for item in shelved))
        connection = room.http("GET", f"/v1/connections/{jira_connection}").data
        self.assertEqual((connection["state"], connection["reason_class"]), ("failing", "credentials"))
        traffic.join()
        during = arrival_times(room.trello, busy, room, 30)

        # The operator: a new token, one look whether it is good, one bulk retry.
        self.assertEqual(room.http("PATCH", f"/v1/connections/{jira_connection}", {"secret": "rotated"}).status, 200)
        self.assertTrue(room.http("POST", f"/v1/connections/{jira_connection}/test", {"board_id": jira}).data["passed"])
        answer = room.http("POST", "/v1/standby/retry", {"filter": {"connection_id": jira_connection}})
        self.assertEqual(answer.status, 202, answer)
        for title, ticket_id in tickets.items():
            room.delivered(ticket_id, 90)
        made = [line["title"] for line in room.jira.creates() if line["committed"]]
        self.assertEqual(sorted(made), sorted(tickets))
        room.until(lambda: not self.shelved(jira_connection, None), 10, "an empty shelf")
        self.assertEqual(room.http("GET", f"/v1/connections/{jira_connection}").data["state"], "ok")

        print(f"\nTrello, post to card: quiet p50 {percentile(quiet, 50):.3f} p99 {percentile(quiet, 99):.3f} s, "
              f"during the outage p50 {percentile(during, 50):.3f} p99 {percentile(during, 99):.3f} s")
        self.assertLess(percentile(during, 99), max(2 * percentile(quiet, 99), percentile(quiet, 99) + 0.25))

    def states(self):
        rows = self.room.rows("SELECT CASE state WHEN 'done' THEN 'done' ELSE 'not done' END AS s, count(*) AS n FROM deliveries WHERE worker = 'jira' GROUP BY s")
        return {row["s"]: row["n"] for row in rows}

    def shelved(self, connection_id, reason_class="credentials"):
        query = f"connection={connection_id}&limit=100" + (f"&reason_class={reason_class}" if reason_class else "")
        return self.room.http("GET", f"/v1/standby?{query}").data


if __name__ == "__main__":
    run_suite()

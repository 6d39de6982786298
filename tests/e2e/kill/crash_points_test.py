"""Every named crash point of the sources, in every process that can pass it: it dies there once, and still each post has exactly one effect.

The points are read from the sources, so a new one is tried without being listed. Points of different process kinds strike in the same round. Those of the doors
are `../mail/mail_crash_points_test.py`'s."""

import pathlib
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
from client import NO_ANSWER, PATIENCE_SECONDS  # noqa: E402
from suite import CrashTest, crash_points, run_suite  # noqa: E402

PLACES = {"api": ("api",), "workers/ledger": ("ledger",), "workers/runtime": ("jira", "trello"), "workers/jira": ("jira",), "workers/trello": ("trello",),
          "common/broker": ("api", "ledger", "jira", "trello")}
NOT_PASSED = {("api", "consumer_before_ack"), ("api", "consumer_after_ack")}  # its queues are consumed without acknowledgement
NOT_PASSED |= {(kind, f"worker_{point}") for kind in ("jira", "trello") for point in ("held", "before_dot", "after_dot")}  # only mails have a final dot


class CrashPoints(CrashTest):
    def accepted(self, board, title):
        """The ticket's id; the same key until there is a 202."""
        def attempt():
            try:
                answer = self.room.post_ticket_once(board, title, title.replace(" ", "-"), timeout=3)
            except NO_ANSWER:
                return None
            return answer.data["ticket_id"] if answer.status == 202 else None

        return self.room.until(attempt, f"a 202 for {title}")

    def test_each_point_kills_once_and_nothing_is_lost_or_doubled(self):
        room, points, failures = self.room, crash_points(PLACES, NOT_PASSED), []
        boards = {"jira": room.jira_board("Jira"), "trello": room.trello_board("Trello"), "desk": room.board("Desk")}
        self.assertTrue(all(points.values()), points)
        for number in range(max(map(len, points.values()))):
            armed = {kind: names[number] for kind, names in points.items() if number < len(names)}
            before = {kind: self.died(kind) for kind in armed}
            for kind, point in armed.items():
                self.arm(kind, point)
            room.until(room.is_ready, f"readiness with {armed}")
            # Again and again, since an earlier post may be handled by the process before it was armed.
            titles, deadline = {}, time.monotonic() + PATIENCE_SECONDS
            while True:
                for target, board in boards.items():
                    title = f"round {number} {target} {len(titles)}"
                    titles[title] = self.accepted(board, title)
                room.board(f"Board {number} {len(titles)}")  # somebody waits for the ledger's reply, too
                waiting = [kind for kind in armed if self.died(kind) == before[kind]]
                if not waiting or time.monotonic() > deadline:
                    break
                time.sleep(0.5)
            failures += [f"{kind} never came to {armed[kind]}" for kind in waiting]
            for title, ticket_id in titles.items():
                try:
                    if "desk" in title:
                        room.until(lambda wanted=ticket_id: room.ticket(wanted), title)
                    else:
                        room.delivered(ticket_id)
                except AssertionError as wrong:
                    failures.append(f"{title} with {armed}: {wrong}")
            made = [line["title"] for sim in (room.jira, room.trello) for line in sim.creates() if line["committed"]]
            rows = [row["title"] for row in room.rows("SELECT title FROM tickets")]
            failures += [f"{title} with {armed}: {made.count(title)} objects" for title in titles if "desk" not in title and made.count(title) != 1]
            failures += [f"{title} with {armed}: {rows.count(title)} tickets" for title in titles if rows.count(title) != 1]
        self.forgive_deaths()
        print(f"\n{sum(map(len, points.values()))} points: {points}")
        self.assertEqual(failures, [])


if __name__ == "__main__":
    run_suite()

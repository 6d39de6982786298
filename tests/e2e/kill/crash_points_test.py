"""Every named crash point of the sources, in every process that can pass it: it dies there once, and still each post has exactly one effect.

The points are read from the sources, so a new one is tried without being listed. Points of different process kinds strike in the same round."""

import pathlib
import re
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
from client import NO_ANSWER, PATIENCE_SECONDS  # noqa: E402
from suite import RoomTest, run_suite  # noqa: E402

SOURCE = pathlib.Path(__file__).resolve().parents[3]
PLACES = {"api": ("api",), "workers/ledger": ("ledger",), "workers/runtime": ("jira", "trello"), "workers/jira": ("jira",), "workers/trello": ("trello",),
          "common/broker": ("api", "ledger", "jira", "trello")}
NOT_PASSED = {("api", "consumer_before_ack")}  # its queues are consumed without acknowledgement
DIED_AT_POINT = 137


def crash_points():
    """Process kind → names of the points that it can pass."""
    found = {kind: [] for kind in ("api", "ledger", "jira", "trello")}
    for folder, kinds in PLACES.items():
        for path in sorted((SOURCE / folder).rglob("*.cpp")):
            for name in re.findall(r'crash_point\("(\w+)"\)', path.read_text()):
                for kind in kinds:
                    if name not in found[kind] and (kind, name) not in NOT_PASSED:
                        found[kind].append(name)
    return found


class CrashPoints(RoomTest):
    def arm(self, kind, point):
        """The process is replaced by one that dies at the point."""
        member = self.room.processes.members[f"{kind}-0"]
        member.next_environment = {"POSTROOM_CRASH_AT": point}
        starts = member.starts
        self.room.processes.kill(member.name)
        self.room.until(lambda: member.starts > starts and member.pid, f"the new {member.name}")

    def died(self, kind):
        return sum(1 for name, _, code, _ in self.room.processes.deaths if name == f"{kind}-0" and code == DIED_AT_POINT)

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
        room, points, failures = self.room, crash_points(), []
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
        room.processes.deaths[:] = [death for death in room.processes.deaths if death[2] != DIED_AT_POINT]
        print(f"\n{sum(map(len, points.values()))} points: {points}")
        self.assertEqual(failures, [])


if __name__ == "__main__":
    run_suite()

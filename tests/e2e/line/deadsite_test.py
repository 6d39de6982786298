"""A dead site with 1,000 waiting tickets does not delay another site's ticket: p99 within 2x of quiet, measured in the same run."""

import pathlib
import sys
import threading

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
from suite import RoomTest, arrival_times, percentile, post_paced, run_suite  # noqa: E402

WAITING, SAMPLES, RATE, NOISE_SECONDS = 1000, 100, 10, 0.05


class DeadSite(RoomTest):
    room_arguments = {"sites": 2, "trello": 0, "settings": {("delivery", "http_timeout_ms"): 5000}}

    def measure(self, board, name):
        return arrival_times(self.room.jira, post_paced(self.room, board, [f"{name} {n}" for n in range(SAMPLES)], RATE), self.room, 60)

    def test_the_living_site_does_not_notice(self):
        room = self.room
        dead = room.jira_board("Dead", room.connection("jira", port=room.jira.ports[1]))
        living = room.jira_board("Living", room.connection("jira", port=room.jira.ports[0]))
        room.jira.rules({"match": {"site": 1}, "action": "hang"}, {"match": {"site": 0}, "action": "latency", "before_ms": 20})
        self.measure(living, "warm")
        quiet = self.measure(living, "quiet")
        flood = threading.Thread(target=post_paced, args=(room, dead, [f"dead {n}" for n in range(WAITING)], 10_000, 8))
        flood.start()
        flood.join()
        room.until(lambda: room.rows("SELECT count(*) AS n FROM tickets WHERE title LIKE 'dead %'")[0]["n"] == WAITING, 30, "1,000 waiting tickets")
        during = self.measure(living, "during")
        waiting = room.rows("SELECT count(*) AS n FROM deliveries WHERE state NOT IN ('done', 'cancelled')")[0]["n"]
        print(f"\nliving site, post to issue: quiet p50 {percentile(quiet, 50):.3f} p99 {percentile(quiet, 99):.3f} s, "
              f"beside {waiting} waiting p50 {percentile(during, 50):.3f} p99 {percentile(during, 99):.3f} s")
        self.assertEqual(waiting, WAITING)
        self.assertLess(percentile(during, 99), 2 * percentile(quiet, 99) + NOISE_SECONDS)


if __name__ == "__main__":
    run_suite()

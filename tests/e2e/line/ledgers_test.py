"""Two ledgers: after ten broker restarts and a SIGSTOP of the active one, work flows again within 10 s each time.

Each time, because what sometimes takes longer is what this looks for; only the time that the machine's disk itself stood still is taken out."""

import os
import pathlib
import signal
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
from client import NO_ANSWER  # noqa: E402
from processes import lock_holder  # noqa: E402
from suite import RoomTest, Stalls, run_suite  # noqa: E402

LIMIT_SECONDS, RESTARTS, ORDERLY = 10, 10, 2


class Ledgers(RoomTest):
    room_arguments = {"ledger": 2}

    def flows_again(self, since, what):
        """Seconds until a post was accepted and its issue existed, without those that the disk stood still; the same key all the way."""
        room, key = self.room, f"flow-{what}".replace(" ", "-")

        def accepted():
            try:
                answer = room.post_ticket_once(self.board, what, key, timeout=2)
            except NO_ANSWER:
                return None
            return answer.data["ticket_id"] if answer.status == 202 else None

        with Stalls(room.home) as stalls:
            room.delivered(room.until(accepted, f"a 202 after {what}"))
        taken = time.monotonic() - since
        print(f"\n{what}: {taken:.1f} s, the disk stood still for {stalls.total:.1f} s", end="", flush=True)
        return taken - stalls.total

    def test_restarts_of_the_broker_and_a_stopped_ledger(self):
        room = self.room
        type(self).board = room.jira_board("Jira")
        seconds = {"the start": self.flows_again(time.monotonic(), "the start")}
        for number in range(RESTARTS):
            is_orderly = number % (RESTARTS // ORDERLY) == RESTARTS // ORDERLY - 1
            what = f"restart {number + 1}, {'orderly' if is_orderly else 'SIGKILL'}"
            room.rabbit.stop() if is_orderly else room.rabbit.kill()
            room.rabbit.start()
            seconds[what] = self.flows_again(time.monotonic(), what)
        for number in (1, 2):
            what, holder = f"SIGSTOP {number} of the active ledger", lock_holder(room.home / "run" / "ledger.lock")
            self.assertIn(holder, room.pids("ledger"))
            os.kill(holder, signal.SIGSTOP)
            seconds[what] = self.flows_again(time.monotonic(), what)
            self.assertNotEqual(lock_holder(room.home / "run" / "ledger.lock"), holder)
            self.assertNotIn(holder, room.pids("ledger"))
        room.processes.deaths[:] = [death for death in room.processes.deaths if not (death[0].startswith("ledger") and death[2] == -signal.SIGKILL)]
        slow = {what: round(taken, 1) for what, taken in seconds.items() if taken > LIMIT_SECONDS}
        self.assertEqual(slow, {}, f"took longer than {LIMIT_SECONDS} s")
        titles = [line["title"] for line in room.jira.creates() if line["committed"]]
        self.assertEqual(sorted(titles), sorted(seconds))


if __name__ == "__main__":
    run_suite()

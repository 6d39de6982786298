"""Shared by the end-to-end suites: one Postroom for a class of tests, the command line, percentiles, paced posting."""

import argparse
import math
import os
import pathlib
import re
import sys
import threading
import time
import unittest

from postroom import Postroom

OPTIONS = argparse.Namespace(bin="build/dev/bin", keep=False)


class RoomTest(unittest.TestCase):
    """Tests over one running Postroom; `room_arguments` say how it is made. A crash, or a process that does not end on SIGTERM, fails the class."""

    room_arguments = {}

    @classmethod
    def setUpClass(cls):
        cls.room = Postroom(OPTIONS.bin, keep=OPTIONS.keep, **cls.room_arguments)
        cls.addClassCleanup(cls._end)
        cls.room.start()

    @classmethod
    def _end(cls):
        deaths = cls.room.processes.unexpected_deaths() if cls.room.processes else []
        cls.room.close(failed=cls.has_failed or bool(deaths))
        unclean = {name: code for name, code in getattr(cls.room, "exit_codes", {}).items() if code != 0}
        if deaths or unclean:
            raise AssertionError(f"unexpected deaths: {deaths}; not ended by SIGTERM with 0: {unclean}")

    has_failed = False

    def tearDown(self):
        outcome = self._outcome.result
        if outcome.failures or outcome.errors:
            type(self).has_failed = True


SOURCE = pathlib.Path(__file__).resolve().parents[3]
DIED_AT_POINT = 137


def crash_points(places, not_passed=()):
    """Process kind → names of the points that it can pass, read from the sources, so that a new one is tried without being listed. `places`: folder → kinds."""
    found = {kind: [] for kinds in places.values() for kind in kinds}
    for folder, kinds in places.items():
        for path in sorted((SOURCE / folder).rglob("*.cpp")):
            for name in re.findall(r'crash_point\("(\w+)"\)', path.read_text()):
                for kind in kinds:
                    if name not in found[kind] and (kind, name) not in not_passed:
                        found[kind].append(name)
    return found


class CrashTest(RoomTest):
    """Tests that let processes die at the named crash points of the sources."""

    def arm(self, kind, point):
        """The process is replaced by one that dies at the point."""
        member = self.room.processes.members[f"{kind}-0"]
        member.next_environment = {"POSTROOM_CRASH_AT": point}
        starts = member.starts
        self.room.processes.kill(member.name)
        self.room.until(lambda: member.starts > starts and member.pid, f"the new {member.name}")

    def died(self, kind):
        return sum(1 for name, _, code, _ in self.room.processes.deaths if name == f"{kind}-0" and code == DIED_AT_POINT)

    def forgive_deaths(self):
        """Those at a point were meant."""
        self.room.processes.deaths[:] = [death for death in self.room.processes.deaths if death[2] != DIED_AT_POINT]


def percentile(values, share):
    """The smallest value that at least that share of the values do not exceed."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(len(ordered) * share / 100) - 1)]


def post_paced(room, board_id, titles, per_second, threads=4, **more):
    """Posts at a steady pace; title → (when it was first posted, monotonic seconds; ticket id). Everything must be accepted in the end."""
    posted, lock, started = {}, threading.Lock(), time.monotonic()
    queue = list(enumerate(titles))[::-1]
    failures = []

    def client():
        while True:
            with lock:
                if not queue or failures:
                    return
                number, title = queue.pop()
            time.sleep(max(0, started + number / per_second - time.monotonic()))
            at = time.monotonic()
            try:
                ticket_id = room.post_ticket(board_id, title, **more).data["ticket_id"]
            except Exception as wrong:  # told to the test below
                failures.append(wrong)
                return
            with lock:
                posted[title] = (at, ticket_id)

    clients = [threading.Thread(target=client) for _ in range(threads)]
    for thread in clients:
        thread.start()
    for thread in clients:
        thread.join()
    if failures:
        raise failures[0]
    return posted


class Stalls(threading.Thread):
    """How long the machine itself stands still meanwhile: twenty times a second a small write with fsync, on the disk that the room uses.

    A promise about time is judged by what the machine leaves of it: `worst` (one stall, seconds) for one request, `total` for a longer stretch. On a machine
    at rest both are next to nothing, so the promise is then held to its letter.
    """

    PAUSE, USUAL = 0.05, 0.02

    def __init__(self, folder):
        super().__init__(daemon=True)
        self.path, self.worst, self.total, self.is_over = folder / f"stalls-{id(self)}", 0.0, 0.0, False

    def run(self):
        file = os.open(self.path, os.O_WRONLY | os.O_CREAT, 0o600)
        while not self.is_over:
            started = time.monotonic()
            time.sleep(self.PAUSE)
            os.pwrite(file, b"x", 0)
            os.fsync(file)
            stall = max(0.0, time.monotonic() - started - self.PAUSE - self.USUAL)
            self.worst, self.total = max(self.worst, stall), self.total + stall
        os.close(file)

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *unused):
        self.is_over = True
        self.join()


def first_kept(judge, rounds=3):
    """Calls judge(round number) until it says None; else the test fails with everything that it said.

    For promises about time: a busy machine or a slow disk adds to a time and never takes from it, so one round in which the promise is kept shows that the
    program keeps it, and a program that does not keep it fails in every round.
    """
    said = []
    for number in range(1, rounds + 1):
        if (wrong := judge(number)) is None:
            return
        said.append(f"round {number}: {wrong}")
        print(f"\n{said[-1]}", flush=True)
    raise AssertionError("; ".join(said))


def arrival_times(sim, posted, room):
    """Seconds from each post to its object at the simulator, by the simulator's log; waits until all are there."""
    def look():
        made = {line["title"]: line["logged"] for line in sim.creates() if line["committed"] and line["title"] in posted}
        return made if len(made) == len(posted) else None

    made = room.until(look, f"{len(posted)} objects")
    return [made[title] - posted[title][0] for title in posted]


def run_suite():
    """The main program of a suite: --bin DIR, --keep, then unittest's own arguments."""
    parser = argparse.ArgumentParser(add_help=False)
    parser.add_argument("--bin", default=OPTIONS.bin)
    parser.add_argument("--keep", action="store_true")
    known, rest = parser.parse_known_args()
    OPTIONS.bin, OPTIONS.keep = known.bin, known.keep
    unittest.main(module="__main__", argv=[sys.argv[0], *rest], verbosity=2)

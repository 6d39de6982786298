"""footprint: memory at rest and under load, from start to ready, sizes of programs, wake-ups."""

import pathlib
import subprocess
import time

import figures
from figures import Goal
from room import KINDS, Room
from suites import line_measure as line
from suites import mail_measure as mail

GOALS = [Goal("most_private_mb", 8, False, "MB"), Goal("pss_sum_idle_mb", 80, False, "MB"), Goal("pss_sum_load_mb", 150, False, "MB"), Goal("ready_after_broker_s", 1, False, "s")]


def program_sizes(programs):
    """Program → KB of code and data, without what is for debuggers only."""
    found = {}
    for name in (*KINDS, "mail-sandbox"):
        told = subprocess.run(["size", pathlib.Path(programs) / f"postroom-{name}"], capture_output=True, text=True, check=True).stdout.splitlines()[1].split()
        found[name] = round((int(told[0]) + int(told[1])) / 1024)
    return found


def measure(programs, tools, sizes):
    with Room(programs, tools, counts_syncs=False) as room:
        board = room.board("Footprint")
        ready = max(0.0, room.ready_at - room.broker_up)
        watch = mail.Memory(room)
        room.load(board, "first", count=100, seconds=60)
        room.quiet(100)
        time.sleep(min(5, sizes.idle_seconds))
        before = {name: line.switches(member.pid) for name, member in room.processes.members.items()}
        time.sleep(sizes.idle_seconds)
        wakeups = {name: round((line.switches(member.pid) - before[name]) / sizes.idle_seconds, 1) for name, member in room.processes.members.items()}
        private = {name: round(line.memory(member.pid)[0], 1) for name, member in room.processes.members.items()}
        idle = watch.now()
        with watch:
            sums = watch.most
            posts = figures.read_posts(room.load(board, "load", rate=sizes.load_rate, seconds=sizes.load_seconds, connections=sizes.connections))
            room.quiet(100 + len(figures.accepted(posts)))
    values = {"private_mb": private, "most_private_mb": max(private.values()), "pss_idle_mb": {name: round(value, 1) for name, value in idle.items()}, "pss_sum_idle_mb": round(sum(idle.values()), 1),
              "pss_load_mb": {name: round(value, 1) for name, value in sums.items()}, "pss_sum_load_mb": round(sum(sums.values()), 1), "wakeups_per_second": wakeups,
              "ready_after_broker_s": round(ready, 2), "program_kb": program_sizes(programs), "load_per_second": sizes.load_rate}
    return {"figures": values, "goals": GOALS, "doubts": []}

#!/usr/bin/env python3
"""The kill test: posts with keys flow to Jira, Trello and the desk while every process kind and the broker are killed with SIGKILL, again and again.

    kill_test.py --bin build/dev/bin [--seed N] [--tickets 400] [--kills 30] [--ledger PROGRAM --sabotage NAME] [--keep] [--expect-red]

--ledger puts another program in the ledger's place, such as the one with planted bugs, of which --sabotage chooses one.
The verdict is judge.py's, from the driver's file, the ledger's rows, the simulators' logs and the broker's counters. --expect-red turns the exit code
round: it is 0 only when the judge found something lost or duplicated, in one of three rounds, since kills hit a window of milliseconds by luck.
"""

import argparse
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "support"))
from kills import Killer, plan  # noqa: E402
from posting import Clients, DriverFile  # noqa: E402
from postroom import SHORT_TIMES, Postroom  # noqa: E402

QUIET_LIMIT_SECONDS = 180
ROUNDS_TO_CATCH = 3
# The far sides are not well either: some creates go wrong, each in its own way.
CREATE_PATHS = {"jira": "/rest/api/3/issue", "trello": "/1/cards"}
FAR_SIDE_TROUBLE = ({"action": "commit_then_drop", "how": "rst"}, {"action": "late_commit", "how": "fin", "after_ms": 800}, {"action": "drop_before_commit"},
                    {"action": "status", "status": 503}, {"action": "status", "status": 429, "retry_after_s": 1})
SETTLE_MS = SHORT_TIMES["delivery", "jira_settle_ms"]


def parse():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bin", required=True)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--tickets", type=int, default=400)
    parser.add_argument("--kills", type=int, default=30)
    parser.add_argument("--ledger")
    parser.add_argument("--sabotage", default="")
    parser.add_argument("--keep", action="store_true")
    parser.add_argument("--expect-red", action="store_true")
    return parser.parse_args()


def count(room, sql):
    return room.rows(f"SELECT count(*) AS n FROM {sql}")[0]["n"]


def is_quiet(room):
    """Nothing under way anywhere; every accepted post may still be missing, which is for the judge to say."""
    return (not room.jira.open_requests() and not room.trello.open_requests()
            and count(room, "deliveries WHERE state IN ('waiting', 'dispatched', 'claimed')") == 0 and count(room, "outgoing") == 0)


def wait_for_quiet(room):
    """At most QUIET_LIMIT_SECONDS; quiet must hold for 3 s, since what the broker still has shows nowhere else."""
    deadline, quiet_since = time.monotonic() + QUIET_LIMIT_SECONDS, None
    while time.monotonic() < deadline:
        if not is_quiet(room) or any(ready or unacknowledged for ready, unacknowledged in room.queues().values()):
            quiet_since = None
        elif quiet_since is None:
            quiet_since = time.monotonic()
        elif time.monotonic() - quiet_since > 3:
            return
        time.sleep(0.3)


def run(room, options, driver_path):
    driver = DriverFile(driver_path)
    boards = {"jira": room.jira_board("Jira"), "trello": room.trello_board("Trello"), "desk": room.board("Desk")}
    for kind, path in CREATE_PATHS.items():
        trouble = [{"match": {"method": "POST", "path": path}, "probability": 0.02, **one} for one in FAR_SIDE_TROUBLE]
        getattr(room, kind).rules({"action": "latency", "ms": 150, "jitter_ms": 150}, *trouble)
    room.jira.control("settings", {"index_lag_ms": [0, 5000], "key_gap": 0.1})
    victims = plan(options.kills, options.seed)
    clients = Clients(room, boards, driver, options.seed, options.tickets)
    killer = Killer(room, driver, clients, options.seed)
    for number, kind in enumerate(victims):
        clients.gate.open_to((number + 1) / len(victims))
        time.sleep(killer.chance.uniform(0.05, 0.6))
        killer.kill(number, kind)
    clients.gate.open_to(1)
    clients.join(limit=180)
    room.until(room.is_ready, "readiness after the last kill")
    wait_for_quiet(room)
    for death in room.processes.unexpected_deaths():
        driver.write("trouble", text=death)
    evidence = {"queues": {name: depth for name, depth in room.queues().items() if not name.startswith(("reply.", "event."))},
                "balance": room.http("GET", "/v1/balance").data}
    (room.home / "broker.json").write_text(json.dumps(evidence))
    share = killer.connectors_that_held / max(1, killer.connector_kills)
    print(f"{len(victims)} kills, {killer.connector_kills} of connectors, {share:.0%} of these with an open request")
    if killer.connector_kills and share < 0.8:
        driver.write("trouble", text=f"only {share:.0%} of the connector kills hit between claim and outcome")


def judge(room, driver_path):
    """The judge's output and exit code."""
    done = subprocess.run([sys.executable, "-B", HERE / "judge.py", "--driver", driver_path, "--database", room.home / "data" / "postroom.sqlite", "--jira-log", room.jira.log_path,
                           "--trello-log", room.trello.log_path, "--broker", room.home / "broker.json", "--settle-ms", str(SETTLE_MS)], stdout=subprocess.PIPE, text=True)
    print(done.stdout, end="", flush=True)
    return done.stdout, done.returncode


def one_round(options, seed):
    """The judge's output and exit code of one whole kill test."""
    options.seed = seed
    started = time.monotonic()
    print(f"seed {seed}", flush=True)
    with tempfile.TemporaryDirectory(prefix="postroom-kill-") as folder:
        driver_path = pathlib.Path(folder) / "driver.jsonl"
        with Postroom(options.bin, jira=2, trello=2, ledger_program=options.ledger, keep=options.keep) as room:
            run(room, options, driver_path)
            said, code = judge(room, driver_path)
            if options.keep:
                (room.home / "driver.jsonl").write_bytes(driver_path.read_bytes())
    if not options.expect_red and any(code != 0 for code in room.exit_codes.values()):
        print(f"VIOLATION did not end cleanly on SIGTERM: {room.exit_codes}")
        code = 1
    print(f"took {time.monotonic() - started:.0f} s", flush=True)
    return said, code


def main():
    options = parse()
    os.environ["POSTROOM_SABOTAGE"] = options.sabotage
    if not options.expect_red:
        sys.exit(one_round(options, options.seed)[1])
    for seed in range(options.seed, options.seed + ROUNDS_TO_CATCH):
        said, _ = one_round(options, seed)
        if any(line.startswith(("VIOLATION lost", "VIOLATION duplicated")) for line in said.splitlines()):
            print("the planted bug was caught")
            sys.exit(0)
    print("the planted bug was NOT caught")
    sys.exit(1)


if __name__ == "__main__":
    main()

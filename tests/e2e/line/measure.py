#!/usr/bin/env python3
"""Measures a running set: 202 to readable row at 100 posts a second, memory of idle processes, how often they wake up. A table, and JSON with --json.

    measure.py --bin build/release/bin [--rate 100] [--seconds 10] [--idle-seconds 10] [--json] [--check]

readable: from the 202 in hand until GET of the ticket answers 200, asked every 2 ms. private: memory that only this process has (smaps_rollup,
Private_Clean + Private_Dirty). PSS: shared pages divided among those who share them; the sum is what the set costs the machine, without the broker.
wake-ups: voluntary context switches of all threads per second while nothing is asked of anybody.
--check ends with 1 when a generous limit is exceeded: private 8 MB each, PSS sum 80 MB, readable p99 1 s, 10 wake-ups a second. It measures up to three
times, since a busy machine adds to times and wake-ups but takes nothing away, and takes out how long the disk stood still.
"""

import argparse
import json
import pathlib
import sys
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
from client import PATIENCE_SECONDS  # noqa: E402
from postroom import Postroom  # noqa: E402
from suite import Stalls, percentile  # noqa: E402

LIMITS = {"private_mb": 8.0, "pss_sum_mb": 80.0, "readable_p99_s": 1.0, "wakeups_per_second": 10.0}


def readable_times(room, rate, seconds):
    """(seconds from asking to 202, seconds from 202 to readable) for every post."""
    board, total, lock = room.board("Measured"), rate * seconds, threading.Lock()
    started, numbers, accepted, readable, failures = time.monotonic(), iter(range(total)), [], [], []

    def client():
        while not failures:
            with lock:
                number = next(numbers, None)
            if number is None:
                return
            time.sleep(max(0, started + number / rate - time.monotonic()))
            try:
                asked = time.monotonic()
                answer = room.post_ticket(board, f"measured {number}")
                promised = time.monotonic()
                ticket_id = answer.data["ticket_id"]
                while room.ticket(ticket_id) is None:
                    if time.monotonic() - promised > PATIENCE_SECONDS:
                        raise AssertionError(f"{ticket_id} is not readable after {PATIENCE_SECONDS} s")
                    time.sleep(0.002)
                shown = time.monotonic()
            except Exception as wrong:  # told below
                failures.append(wrong)
                return
            with lock:
                accepted.append(promised - asked)
                readable.append(shown - promised)

    threads = [threading.Thread(target=client) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise failures[0]
    return accepted, readable


def memory(pid):
    """(private, PSS) in MB."""
    sums = {}
    with open(f"/proc/{pid}/smaps_rollup", encoding="ascii") as rollup:
        for line in rollup.readlines()[1:]:
            name, kilobytes, *_ = line.split()
            sums[name] = int(kilobytes)
    return (sums["Private_Clean:"] + sums["Private_Dirty:"]) / 1024, sums["Pss:"] / 1024


def switches(pid):
    total = 0
    for task in pathlib.Path(f"/proc/{pid}/task").iterdir():
        for line in (task / "status").read_text().splitlines():
            if line.startswith("voluntary_ctxt_switches"):
                total += int(line.split()[1])
    return total


def measure(room, options):
    with Stalls(room.home) as stalls:
        accepted, readable = readable_times(room, options.rate, options.seconds)
    time.sleep(3)  # until the last acknowledgement is through and everybody rests
    pids = {name: member.pid for name, member in room.processes.members.items()}
    before = {name: switches(pid) for name, pid in pids.items()}
    time.sleep(options.idle_seconds)
    result = {"posts": len(readable), "rate": options.rate, "accepted_p50_s": percentile(accepted, 50), "accepted_p99_s": percentile(accepted, 99),
              "readable_p50_s": percentile(readable, 50), "readable_p99_s": percentile(readable, 99), "worst_stall_s": stalls.worst, "processes": {}}
    for name, pid in pids.items():
        wakeups = (switches(pid) - before[name]) / options.idle_seconds
        private, pss = memory(pid)
        result["processes"][name] = {"private_mb": round(private, 2), "pss_mb": round(pss, 2), "wakeups_per_second": round(wakeups, 1)}
    result["pss_sum_mb"] = round(sum(process["pss_mb"] for process in result["processes"].values()), 1)
    return result


def excesses(result):
    """What exceeds a limit, in words."""
    found = [f"{name}: {key} {process[key]} > {LIMITS[key]}" for name, process in result["processes"].items() for key in ("private_mb", "wakeups_per_second") if process[key] > LIMITS[key]]
    at_most = {"pss_sum_mb": LIMITS["pss_sum_mb"], "readable_p99_s": LIMITS["readable_p99_s"] + 2 * result["worst_stall_s"]}
    return found + [f"{key} {result[key]} > {limit}" for key, limit in at_most.items() if result[key] > limit]


def show(result):
    print(f"{result['posts']} posts at {result['rate']} a second")
    print(f"  202 after            p50 {result['accepted_p50_s'] * 1000:6.1f} ms   p99 {result['accepted_p99_s'] * 1000:6.1f} ms")
    print(f"  202 to readable row  p50 {result['readable_p50_s'] * 1000:6.1f} ms   p99 {result['readable_p99_s'] * 1000:6.1f} ms")
    print(f"  {'idle process':14} {'private MB':>10} {'PSS MB':>8} {'wake-ups/s':>11}")
    for name, process in result["processes"].items():
        print(f"  {name:14} {process['private_mb']:10.1f} {process['pss_mb']:8.1f} {process['wakeups_per_second']:11.1f}")
    print(f"  sum of PSS {result['pss_sum_mb']} MB")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bin", required=True)
    parser.add_argument("--rate", type=int, default=100)
    parser.add_argument("--seconds", type=int, default=10)
    parser.add_argument("--idle-seconds", type=int, default=10)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--check", action="store_true")
    options = parser.parse_args()
    with Postroom(options.bin) as room:
        for _ in range(3 if options.check else 1):
            result = measure(room, options)
            print(json.dumps(result, indent=1)) if options.json else show(result)
            found = excesses(result) if options.check else []
            for text in found:
                print(f"EXCESS {text}")
            if not found:
                break
    sys.exit(1 if found else 0)


if __name__ == "__main__":
    main()

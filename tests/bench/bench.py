#!/usr/bin/env python3
"""Measures Postroom in the configuration of scripts/run against references in the same run; see scripts/bench.

    bench.py --programs DIR --tools DIR [--json FILE] [--smoke] BENCH…

Exit status: 0 every goal is reached; 1 a goal is missed, or what it is about does not exist yet; 2 a figure cannot be believed. With --smoke the sizes are tiny,
the figures mean nothing and are not judged: 0 says that every bench named (intake, parse and line if none is) still runs and balances.
"""

import argparse
import importlib
import json
import os
import pathlib
import signal
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import figures  # noqa: E402
import machine  # noqa: E402
from sizes import SMOKE, Sizes  # noqa: E402

BENCHES = ("intake", "line", "mailbox", "parse", "dispatch", "flat", "footprint")
SMOKED = ("intake", "line", "parse")
LEAST_SYNCS = 300  # small writes kept a second


def run_one(name, options, sizes):
    began = time.monotonic()
    syncs = machine.syncs_per_second(options.folder)
    with machine.Others() as others:
        result = importlib.import_module(name).measure(options.programs, options.tools, sizes)
    doubts = result["doubts"] + ([] if options.smoke else machine.machine_doubts(others.share, syncs, LEAST_SYNCS))
    judged = figures.judge(result["goals"], result["figures"])
    result |= {"bench": name, "doubts": doubts, "seconds": round(time.monotonic() - began, 1), "others_used": round(others.share, 3), "disk_syncs_per_second": round(syncs),
               "goals": [{"figure": goal.figure, "goal": goal.words(), "value": value, "verdict": verdict} for goal, value, verdict in judged],
               "is_valid": not doubts, "has_passed": figures.has_passed(judged, doubts)}
    return result


def show(result, smoke):
    print(f"\n{result['bench']}  ({result['seconds']:.0f} s; others used {result['others_used']:.0%} of the machine; the disk keeps {result['disk_syncs_per_second']} small writes a second)")
    for name, rounds in result.get("reference", {}).items():
        print(f"  reference: {name:54} {', '.join(str(one) for one in rounds)}")
    if "rounds" in result:
        print(f"  Postroom, the same:{'':46} {', '.join(str(one) for one in result['rounds'])}")
    judged = {goal["figure"]: goal for goal in result["goals"]}
    for name, value in result["figures"].items():
        goal = judged.get(name)
        said = f"   {goal['goal']:20} {'' if smoke else goal['verdict']}" if goal else ""
        print(f"  {name:42} {'not built' if value is None else value!s:>12}{said}")
    for name, value in result.get("counts", {}).items():
        print(f"  {name:42} {value}")
    for doubt in result["doubts"]:
        print(f"  {'(smoke) ' if smoke else 'INVALID: '}{doubt}")
    sys.stdout.flush()


def source():
    """Which sources the programs were built from, as far as the tree knows."""
    root = pathlib.Path(__file__).resolve().parents[2]
    told = subprocess.run(["git", "-C", root, "describe", "--always", "--dirty"], capture_output=True, text=True, check=False)
    return told.stdout.strip() or "unknown"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("benches", nargs="*", metavar="BENCH", help=f"{', '.join(BENCHES)} or all")
    parser.add_argument("--programs", required=True)
    parser.add_argument("--tools", required=True)
    parser.add_argument("--folder", default="/tmp", help="whose disk is judged; the sets have their homes where Python makes temporary folders")
    parser.add_argument("--json", metavar="FILE")
    parser.add_argument("--smoke", action="store_true")
    options = parser.parse_args()
    names = BENCHES if "all" in options.benches else options.benches or (SMOKED if options.smoke else ())
    if not names or (unknown := [name for name in names if name not in BENCHES]):
        parser.error(f"which bench? {', '.join(BENCHES)} or all" if not names else f"there is no bench {unknown[0]}")
    signal.signal(signal.SIGTERM, lambda *unused: sys.exit(143))
    os.environ["POSTROOM_ALLOW_ROOT"] = "1"
    told = {"source": source(), "versions": machine.versions(), "machine": machine.description(options.folder), "at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()), "smoke": options.smoke}
    print("\n".join(f"{name}: {', '.join(f'{key} {word}' for key, word in value.items()) if isinstance(value, dict) else value}" for name, value in told.items()), flush=True)
    results = []
    for name in names:
        results.append(run_one(name, options, SMOKE if options.smoke else Sizes()))
        show(results[-1], options.smoke)
        if options.json:  # after each: what was measured is kept whatever comes
            pathlib.Path(options.json).write_text(json.dumps(told | {"benches": results}, indent=1) + "\n")
    return verdict(results, options.smoke)


def verdict(results, smoke):
    print()
    if smoke:
        broken = [f"{result['bench']}: {doubt}" for result in results for doubt in result["doubts"] if "promised" in doubt]
        print("smoke: " + ("; ".join(broken) or "all ran; the figures mean nothing"))
        return 1 if broken else 0
    for result in results:
        missed = [f"{goal['figure']} {goal['verdict']}" for goal in result["goals"] if goal["verdict"] != "reached"]
        print(f"{result['bench']:10} {'INVALID' if not result['is_valid'] else 'reached' if result['has_passed'] else ', '.join(missed)}")
    if not all(result["is_valid"] for result in results):
        return 2
    return 0 if all(result["has_passed"] for result in results) else 1


if __name__ == "__main__":
    sys.exit(main())

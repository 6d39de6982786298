#!/usr/bin/env python3
"""Removes each guard in turn and demands that the check turns red that is there to see it: a check that cannot fail is no check.

    mutate.py --bin build/sabotage/bin [--jobs N] [--only NAME]    runs every row of ./table; the programs are those of the preset `sabotage`
    mutate.py --lint                                               only compares the table with the sources

Each check runs twice: without a planted bug it must be green, else its red would prove nothing. Exit status 0 only when every saboteur was caught.
"""
import argparse
import concurrent.futures
import os
import pathlib
import re
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
TABLE = pathlib.Path(__file__).with_name("table")
TIMEOUT_SECONDS = 300
SABOTEUR = re.compile(r'saboteur\("(\w+)"\)')


def rows():
    """[saboteur, where, check…] of each line."""
    lines = [line.strip() for line in TABLE.read_text().splitlines()]
    return [[part.strip() for part in line.split(" | ")] for line in lines if line and not line.startswith("#")]


def sources(*folders):
    return {path: path.read_text() for folder in folders for path in sorted((ROOT / folder).rglob("*.cpp"))}


def lint():
    """What is wrong between the table and the sources."""
    wrong = []
    planted = {name for text in sources("api", "common", "workers").values() for name in SABOTEUR.findall(text)}
    listed = {row[0] for row in rows() if len(row) == 3}
    wrong += [f"{name} is planted, but no row of the table says who catches it" for name in sorted(planted - listed)]
    wrong += [f"{name} stands in the table, but nobody planted it" for name in sorted(listed - planted)]
    cases = "".join(sources("tests").values())
    for row in rows():
        if len(row) == 3 and re.search(rf'TEST_CASE\(\s*"{re.escape(row[2])}"\)', cases) is None:
            wrong.append(f"{row[0]}: there is no test case called: {row[2]}")
        if len(row) == 5 and (ROOT / row[2]).read_text().count(row[3]) != 1:
            wrong.append(f"{row[0]}: not once in {row[2]}: {row[3]}")
        if len(row) not in (3, 5):
            wrong.append(f"not a row: {' | '.join(row)}")
    return wrong


def run_case(bin_dir, program, case, saboteur):
    """(is red, what happened); red is only a check that ran and said no, or broke down."""
    # Commas part the filters of doctest; a question mark stands for any one character.
    environment = {**os.environ, "POSTROOM_SABOTAGE": saboteur, "POSTROOM_ALLOW_ROOT": "1"}
    try:
        done = subprocess.run([bin_dir / program, f"-tc={case.replace(',', '?')}"], env=environment, capture_output=True, text=True, errors="replace", timeout=TIMEOUT_SECONDS)
    except subprocess.TimeoutExpired:
        return None, f"said nothing within {TIMEOUT_SECONDS} s"
    if done.returncode < 0:
        return True, f"broke down with signal {-done.returncode}"
    counted = re.search(r"test cases:\s*(\d+) \|\s*(\d+) passed \|\s*(\d+) failed", done.stdout)
    if counted is None:
        return True, f"broke down with exit status {done.returncode}"
    ran, passed, failed = map(int, counted.groups())
    if ran != 1:
        return None, f"{ran} test cases have that name"
    first = re.search(r"ERROR: (.*?) is NOT correct|FATAL ERROR: (.*)|ERROR: (.*)", done.stdout)
    return failed > 0, "green" if failed == 0 else (first and next(part for part in first.groups() if part)) or "red"


def run_edit(rule, path, before, after, is_planted):
    """The same for a lint: the edited file alone in a tree of its own."""
    with tempfile.TemporaryDirectory() as folder:
        file = pathlib.Path(folder) / path
        file.parent.mkdir(parents=True)
        text = (ROOT / path).read_text()
        file.write_text(text.replace(before, after) if is_planted else text)
        done = subprocess.run([sys.executable, "-B", ROOT / "scripts/check_style", folder], capture_output=True, text=True, timeout=TIMEOUT_SECONDS)
    found = [line for line in done.stdout.splitlines() if f": {rule}: " in line]
    return bool(found), found[0] if found else "green"


def judge(bin_dir, row, is_planted):
    if len(row) == 5:
        return run_edit(row[1].split()[1], row[2], row[3], row[4], is_planted)
    return run_case(bin_dir, row[1], row[2], row[0] if is_planted else "")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bin", type=pathlib.Path)
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    parser.add_argument("--only")
    parser.add_argument("--lint", action="store_true")
    options = parser.parse_args()
    if wrong := lint():
        print("\n".join(wrong))
        return 1
    if options.lint or options.bin is None:
        print(f"{len({row[0] for row in rows()})} saboteurs, {len(rows())} rows")
        return 0
    chosen = [row for row in rows() if options.only in (None, row[0])]
    checks = list({tuple(row[1:]): row for row in chosen}.values())
    survivors = 0
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        for row, (is_red, said) in zip(checks, pool.map(lambda row: judge(options.bin, row, False), checks)):
            if is_red is not False:
                survivors += 1
                print(f"NOT GREEN WITHOUT A BUG  {row[1]}: {row[2]}: {said}", flush=True)
        for row, (is_red, said) in zip(chosen, pool.map(lambda row: judge(options.bin, row, True), chosen)):
            survivors += is_red is not True
            print(f"{'caught  ' if is_red else 'SURVIVED'}  {row[0]:<32} {row[1].split()[0]:<17} {row[2][:60]:<60}  {said[:90]}", flush=True)
    print(f"{len({row[0] for row in chosen})} saboteurs, {len(chosen)} checks, {survivors} not caught")
    return 1 if survivors else 0


if __name__ == "__main__":
    sys.exit(main())

#!/usr/bin/env python3
"""Holds tests/FAULTS.md to the tree: F01 to F90 each once; every test, chaos fault and guard that it names exists; what is tested has a test and a guard.

usage: check_faults.py [--self-test]
"""

import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
ROW = re.compile(r"^\| (F\d\d) \| (.*?) \| (.*) \| (.*?) \| (.*?) \|$", re.MULTILINE)
CASE = re.compile(r'`([\w/.]+)`(?: "([^"]+)")?')
GUARD = re.compile(r"`([\w/.]+):(\w+)`")
CHAOS = re.compile(r"\[([\w\-, ]+)\]")
LAST = 90
CHAOS_FOLDER = "e2e/chaos"


def read(path):
    return (ROOT / path).read_text() if (ROOT / path).is_file() else None


def judge(page):
    rows = ROW.findall(page)
    numbers = [row[0] for row in rows]
    wanted = [f"F{n:02d}" for n in range(1, LAST + 1)]
    yield from (f"{number} is there {numbers.count(number)} times" for number in wanted if numbers.count(number) != 1)
    chaos_faults = set(re.findall(r'^@fault\("([\w-]+)"', read(f"tests/{CHAOS_FOLDER}/chaos_faults.py"), re.MULTILINE))
    for number, _, tests, guards, state in rows:
        for path, name in CASE.findall(tests):
            text = "" if path == CHAOS_FOLDER else read(f"tests/{path}")
            if text is None:
                yield f"{number}: there is no tests/{path}"
            elif name and f'"{name}"' not in text and f"def {name}(" not in text:
                yield f"{number}: tests/{path} has no case {name!r}"
        for names in CHAOS.findall(tests):
            yield from (f"{number}: there is no fault {name!r}" for name in names.split(", ") if name not in chaos_faults)
        for path, name in GUARD.findall(guards):
            if (text := read(path)) is None or not re.search(rf"\b{name}\(", text):
                yield f"{number}: {path} has no {name}"
        if state.startswith("tested") and (not tests.strip("– ") or not GUARD.search(guards)):
            yield f"{number}: tested, and no test or no guard is named"
        if not re.match(r"tested|partly: |missing|not yet: ", state):
            yield f"{number}: the state {state!r} is none"


def self_test(page):
    first, path = "a death around the promise", "component/api/promises_test.cpp"
    planted = {"a row twice": (page + page[page.index("| F01 |"):page.index("| F02 |")], "F01 is there 2 times"), "a row less": (page.replace("| F90 |", "| F9x |"), "F90 is there 0 times"),
               "a case that is none": (page.replace(first, "a birth around the promise", 1), "F01: tests/" + path), "a file that is none": (page.replace(path, "component/api/x.cpp", 1), "F01: there is no"),
               "a guard that is none": (page.replace(":command_id`", ":no_such_guard`", 1), "F01: api/command_ids.cpp has no"), "a fault that is none": (page.replace("[broker-disk]", "[broker-dusk]"), "F20: there is no fault"),
               "a state that is none": (page.replace("missing: unsynced", "perhaps: unsynced"), "F41: the state")}
    for what, (bent, wanted) in planted.items():
        if not any(said.startswith(wanted) for said in judge(bent)):
            sys.exit(f"check_faults does not see {what}")
    print(f"check_faults sees {len(planted)} planted mistakes")


def main():
    page = read("tests/FAULTS.md")
    if "--self-test" in sys.argv[1:]:
        return self_test(page)
    found = list(judge(page))
    print(*found, f"check_faults: {len(found)} mistakes", sep="\n")
    sys.exit(1 if found else 0)


if __name__ == "__main__":
    main()

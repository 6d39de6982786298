#!/usr/bin/env python3
"""Prints the names of the tests that did not pass, by ctest's reports, each with the last lines of what it said.

usage: failures.py [--lines N] REPORT…
"""

import argparse
import pathlib
import sys
import xml.etree.ElementTree as xml


def failed_tests(report):
    """(name and how it ended, what it said) of every test that did not run to a good end."""
    for case in xml.parse(report).getroot().iter("testcase"):
        if case.get("status") != "run":
            yield f"{case.get('name')} ({report.parent.name}, {case.get('status')}, {float(case.get('time') or 0):.0f} s)", case.findtext("system-out") or ""


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--lines", type=int, default=40)
    parser.add_argument("reports", nargs="*", type=pathlib.Path)
    given = parser.parse_args()
    found = []
    for report in given.reports:
        try:
            found += failed_tests(report)
        except (OSError, xml.ParseError) as wrong:
            print(f"{report}: no report to read: {wrong}")
    for name, said in found:
        print(f"\n--- {name}, its last lines")
        print(*(line[:300] for line in said.rstrip().splitlines()[-given.lines:]), sep="\n")
    if found:
        print("\ntests that failed:")
        print(*(f"  {name}" for name, _ in found), sep="\n")


if __name__ == "__main__":
    sys.exit(main())

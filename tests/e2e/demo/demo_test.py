#!/usr/bin/env python3
"""Runs scripts/run --demo --once in a home of its own and judges the judge: all stories ok, or with --break exactly that story among the failed.

usage: demo_test.py --programs DIR --break none|jira|trello|broker|imap|smtp
"""

import argparse
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[3]
# The rotation story needs both trackers, so it falls with either.
MAIL_STORIES = {"mail to card", "mail on standby", "mail reply"}
FALLEN = {"none": set(), "jira": {"jira", "rotation"}, "trello": {"trello", "rotation", "mail to card"}, "broker": {"broker"}, "imap": MAIL_STORIES, "smtp": MAIL_STORIES}
STORIES = {"jira", "trello", "desk", "rotation", "closed board", "broker"} | MAIL_STORIES


def processes_of(home):
    """Command lines of living processes that name the home."""
    found = []
    for entry in pathlib.Path("/proc").glob("[0-9]*/cmdline"):
        try:
            line = entry.read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            continue
        if str(home) in line and entry.parent.name != str(os.getpid()):
            found.append(line)
    return found


def tell_why(home, said):
    """What a reader of the last lines needs: the processes' complaints first, then what the demo itself found wrong."""
    for log in sorted(home.glob("log/*/current")):
        complaints = [line for line in log.read_text(errors="replace").splitlines() if re.search('"level":"(warning|error)"|\\[error\\]|Traceback|Error:', line)]
        if complaints:
            print(f"--- {log.parent.name}, {len(complaints)} complaints, the last", *(line[:240] for line in complaints[-4:]), sep="\n")
    lines = said.splitlines()
    print("--- where the demo broke off, and its verdict")
    for number, line in enumerate(lines):
        if "broke off" in line:
            print(*lines[max(0, number - 3):number + 1], sep="\n")
    print(*(line for line in lines if re.match("  (ok|FAILED): ", line)), sep="\n")
    print(*lines[-8:], sep="\n")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--programs", required=True)
    parser.add_argument("--break", dest="broken", choices=sorted(FALLEN), required=True)
    given = parser.parse_args()
    home = pathlib.Path(tempfile.mkdtemp(prefix="postroom-demo-")) / "home"
    command = [ROOT / "scripts" / "run", "--demo", "--once", "--home", home, "--programs", given.programs]
    command += ["--break", given.broken] if given.broken != "none" else []
    run = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    # A test that is given up must not leave a set behind: ctest sends SIGTERM or SIGINT first.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *unused: run.terminate())
    said = ""
    for line in run.stdout:
        print(line, end="", flush=True)
        said += line
    code = run.wait()

    verdicts = dict((name, word) for word, name in re.findall(r"^  (ok|FAILED): ([a-z ]+) – ", said, re.MULTILINE))
    fallen = {name for name, word in verdicts.items() if word == "FAILED"}
    wrong = []
    if set(verdicts) != STORIES:
        wrong.append(f"verdicts on {sorted(verdicts)}")
    if fallen != FALLEN[given.broken]:
        wrong.append(f"failed stories {sorted(fallen)}, expected {sorted(FALLEN[given.broken])}")
    if (code != 0) != bool(FALLEN[given.broken]):
        wrong.append(f"exit status {code}")
    mail_folder = pathlib.Path((home / "run" / "mail-folder").read_text().strip())
    if left := processes_of(home) + processes_of(mail_folder) + [folder for folder in (mail_folder,) if folder.exists()]:
        wrong.append(f"left behind: {left}")
    if wrong:
        tell_why(home, said)
    shutil.rmtree(home.parent, ignore_errors=True)
    print("; ".join(wrong) or "as expected")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())

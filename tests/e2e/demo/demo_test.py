#!/usr/bin/env python3
"""Runs scripts/run --demo --once in a home of its own and judges the judge: all stories ok, or with --break exactly that story among the failed.

After the good end the same home is started to be played with, twice: once its mail servers' folder is gone and once it is still there. Each time the data is
found, and the lines that the demo prints for a person are run as they stand: a mail goes in, its sender reads the confirmation.

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
import threading
import time
import tomllib

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
from client import PATIENCE_SECONDS, call, patiently  # noqa: E402

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


def until(look, what, limit=PATIENCE_SECONDS):
    deadline = time.monotonic() + limit
    while not (seen := look()):
        if time.monotonic() > deadline:
            raise AssertionError(f"waited {limit} s for {what}")
        time.sleep(0.2)
    return seen


class Played:
    """A demo that stays up, started on a home whose stories were told."""

    def __init__(self, command, home):
        self.home, self.lines = home, []
        self.run = subprocess.Popen([word for word in command if word != "--once"], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        self.reader = threading.Thread(target=self.read, daemon=True)
        self.reader.start()

    def read(self):
        for line in self.run.stdout:
            print(line, end="", flush=True)
            self.lines.append(line)

    def said(self):
        return "".join(self.lines)

    def titles(self):
        port = tomllib.loads((self.home / "etc" / "postroom.toml").read_text())["api"]["listen_port"]
        token = (self.home / "secrets" / "admin-token").read_text().strip()
        answer = patiently(lambda: call(port, "GET", "/v1/tickets?limit=200", headers={"Authorization": f"Bearer {token}"}))
        return [ticket["title"] for ticket in answer.data]

    def shell(self, beginning):
        """What one of the printed lines says when a person runs it."""
        (line,) = [line for line in self.lines if line.strip().startswith(beginning)]
        return subprocess.run(["sh", "-c", line], capture_output=True, text=True, timeout=120).stdout

    def play(self, told_before):
        """Returns the titles that are there in the end."""
        until(lambda: "the set stays up" in self.said() or self.run.poll() is not None, "a set that stays up", 240)
        for words in ("found its data", "were told before", "the set stays up"):
            if words not in self.said():
                raise AssertionError(f"it did not say \"{words}\"")
        titles = self.titles()
        if missing := set(told_before) - set(titles):
            raise AssertionError(f"not found again: {missing}")
        self.shell("printf")
        until(lambda: len(self.titles()) == len(titles) + 1, "the mail's ticket")
        until(lambda: f"[#{len(titles) + 1}] Re: One more lamp" in self.shell("curl -sS --cacert"), "its confirmation in the sender's mailbox")
        self.run.send_signal(signal.SIGINT)
        if (code := self.run.wait(150)) != 130:
            raise AssertionError(f"Ctrl-C ended it with {code}")
        self.reader.join(10)
        return titles + ["One more lamp"]


def play_twice(command, home, mail_folder):
    """What is wrong, or nothing. `mail_folder`: of the stories, gone by now."""
    titles = ["A riddle", "The lamp above my desk"]  # among those of the stories
    folders = [mail_folder]
    for number in (1, 2):
        played = Played(command, home)
        try:
            titles = played.play(titles)
        except (AssertionError, ValueError, subprocess.SubprocessError) as why:
            played.run.terminate()
            played.run.wait()
            return f"start {number} to be played with: {why}"
        folders.append(pathlib.Path((home / "run" / "mail-folder").read_text().strip()))
    if len(set(folders)) != 2 or not folders[-1].exists():
        return f"the mail folders were {folders}"
    return None


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
    if not wrong and given.broken == "none" and (why := play_twice(command, home, mail_folder)):
        wrong.append(why)
    if wrong:
        tell_why(home, said)
    shutil.rmtree(pathlib.Path((home / "run" / "mail-folder").read_text().strip()), ignore_errors=True)
    shutil.rmtree(home.parent, ignore_errors=True)
    print("; ".join(wrong) or "as expected")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())

#!/usr/bin/env python3
"""The life of a set under scripts/run: first start, a start beside it, scaling, a killed process, the end, the second start, a killed supervisor.

usage: run_test.py --programs DIR [unittest arguments]
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
import unittest
import uuid

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
from client import NO_ANSWER, PATIENCE_SECONDS, call, patiently  # noqa: E402

RUN = pathlib.Path(__file__).resolve().parents[3] / "scripts" / "run"
OPTIONS = argparse.Namespace(programs=None)


class Set:
    """One scripts/run in its own home; its lines are read as they come."""

    def __init__(self, home, *options):
        self.home, self.lines = home, []
        self.process = subprocess.Popen([RUN, "--home", home, "--programs", OPTIONS.programs, *options], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                        stderr=subprocess.STDOUT, text=True, start_new_session=True)
        self.reader = threading.Thread(target=lambda: self.lines.extend(self.process.stdout), daemon=True)
        self.reader.start()

    def said(self):
        return "".join(self.lines)

    def ready(self):
        # scripts/run has patience of its own, and says what is missing when that ends.
        until(lambda: "Postroom is ready" in self.said() or self.process.poll() is not None, "a set that is ready", 150)
        until(lambda: "stop  " in self.said() or self.process.poll() is not None, "the whole greeting")
        if "stop  " not in self.said():
            raise AssertionError(f"it did not become ready; it said:\n{self.said()}")
        self.port = int(re.search(r"http://127\.0\.0\.1:(\d+)   ", self.said())[1])
        return self

    def end(self, number):
        self.process.send_signal(number)
        code = self.process.wait(150)
        self.reader.join(5)
        if not self.reader.is_alive():
            self.process.stdout.close()
        return code


def until(look, what, limit=PATIENCE_SECONDS):
    deadline = time.monotonic() + limit
    while not (seen := look()):
        if time.monotonic() > deadline:
            raise AssertionError(f"waited {limit} s for {what}")
        time.sleep(0.1)
    return seen


def run(*arguments):
    done = subprocess.run([RUN, *arguments], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=180)
    return done.returncode, done.stdout


def processes_of(home):
    """pid → command line of living processes that name the home."""
    found = {}
    for entry in pathlib.Path("/proc").glob("[0-9]*/cmdline"):
        try:
            line = entry.read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            continue
        if str(home) in line and int(entry.parent.name) != os.getpid():
            found[int(entry.parent.name)] = line
    return found


class Life(unittest.TestCase):
    def setUp(self):
        self.home = pathlib.Path(tempfile.mkdtemp(prefix="postroom-run-")) / "home"
        self.sets = []

    def tearDown(self):
        for one in self.sets:
            if one.process.poll() is None:
                one.end(signal.SIGTERM)
        for pid in processes_of(self.home):
            os.kill(pid, signal.SIGKILL)
        shutil.rmtree(self.home.parent)

    def start(self, *options):
        self.sets.append(Set(self.home, *options))
        return self.sets[-1].ready()

    def pids(self, kind):
        """Of the daemons themselves, not of their supervisors."""
        return [pid for pid, line in processes_of(self.home).items() if f"/postroom-{kind} --config" in line]

    def http(self, one, method, path, body=None):
        token = (self.home / "secrets" / "admin-token").read_text().strip()
        headers = {"Authorization": f"Bearer {token}", "Idempotency-Key": str(uuid.uuid4())}
        return patiently(lambda: call(one.port, method, path, body, headers))

    def is_ready(self, one):
        try:
            return call(one.port, "GET", "/readyz", timeout=5).status == 200
        except NO_ANSWER:
            return False

    def test_the_life_of_a_set(self):
        first = self.start("--workers", "jira=2")
        token = (self.home / "secrets" / "admin-token").read_text().strip()
        self.assertIn(token, first.said(), "the first start shows the token")
        self.assertEqual(len(self.pids("jira")), 2)
        self.assertNotIn("not everybody is well", first.said())
        for kind in ("ledger", "api", "trello", "imap_poller", "mail_router", "notifier"):
            self.assertEqual(len(self.pids(kind)), 1, kind)

        with self.subTest("a start beside a running set says so and leaves it alone"):
            code, said = run("--home", str(self.home), "--programs", OPTIONS.programs)
            self.assertEqual(code, 1)
            self.assertIn("it is running already", said)
            self.assertTrue(self.is_ready(first))

        with self.subTest("a running set is scaled up and down"):
            self.assertEqual(run("scale", "jira=3,trello=2", "--home", str(self.home))[0], 0)
            until(lambda: len(self.pids("jira")) == 3 and len(self.pids("trello")) == 2, "three jira and two trello workers")
            self.assertEqual(run("scale", "jira=1", "--home", str(self.home))[0], 0)
            until(lambda: len(self.pids("jira")) == 1, "one jira worker")
            self.assertEqual(run("scale", "imap_poller=2,mail_router=3,notifier=2", "--home", str(self.home))[0], 0)
            until(lambda: [len(self.pids(kind)) for kind in ("imap_poller", "mail_router", "notifier")] == [2, 3, 2], "more workers for mail")
            self.assertEqual(run("scale", "mail_router=1", "--home", str(self.home))[0], 0)
            until(lambda: len(self.pids("mail_router")) == 1, "one mail_router")
            code, said = run("scale", "api=2", "--home", str(self.home))
            self.assertEqual((code, "cannot scale api" in said), (1, True))
            status = run("status", "--home", str(self.home))[1]
            for name in ("ledger-1", "imap_poller-2", "mail_router-1", "notifier-2"):
                self.assertIn(name, status)

        with self.subTest("a killed process comes back"):
            victim = self.pids("trello")[0]
            os.kill(victim, signal.SIGKILL)
            until(lambda: len(self.pids("trello")) == 2 and victim not in self.pids("trello"), "another trello worker")

        board = self.http(first, "POST", "/v1/boards", {"name": "Desk", "is_public": True, "target": {"kind": "desk"}})
        self.assertIn(board.status, (201, 202), board)
        until(lambda: any(b["name"] == "Desk" for b in self.http(first, "GET", "/v1/boards").data), "the board")

        self.assertEqual(first.end(signal.SIGINT), 130)
        self.assertIn("stopped\n", first.said())
        self.assertNotIn("left behind", first.said())
        self.assertNotIn("was killed", first.said())
        self.assertEqual(processes_of(self.home), {})

        second = self.start()
        self.assertIn("found its data", second.said())
        self.assertNotIn(token, second.said(), "only the first start shows the token")
        self.assertEqual(second.port, first.port)
        self.assertIn("Desk", [b["name"] for b in self.http(second, "GET", "/v1/boards").data])

        # scripts/run itself dies: the set goes on, a start says so, stop ends it.
        second.end(signal.SIGKILL)
        self.assertTrue(self.is_ready(second))
        self.assertEqual(run("--home", str(self.home), "--programs", OPTIONS.programs)[0], 1)
        code, said = run("stop", "--home", str(self.home))
        self.assertEqual((code, said.strip().splitlines()[-1]), (0, "stopped"))
        until(lambda: not processes_of(self.home), "nobody left")

    def test_words_that_make_no_sense_are_refused_before_anything_is_made(self):
        for words in (["--wrokers", "jira=3"], ["--break", "mail", "--demo"], ["--once"], ["--anew"], ["start"], ["logs"], ["scale", "jira=3"], ["status"], ["stop"]):
            code, said = run(*words, "--home", str(self.home), "--programs", OPTIONS.programs)
            self.assertEqual(code, 1, (words, said))
            self.assertTrue(said.startswith("scripts/run: "), said)
            self.assertFalse(self.home.exists(), words)

    def test_a_folder_without_all_programs_is_refused(self):
        with tempfile.TemporaryDirectory() as folder:
            for program in pathlib.Path(OPTIONS.programs).glob("postroom*"):
                if program.name != "postroom-mail-sandbox":
                    pathlib.Path(folder, program.name).symlink_to(program)
            code, said = run("--home", str(self.home), "--programs", folder)
        self.assertEqual((code, "there is no postroom-mail-sandbox" in said), (1, True), said)

    def test_a_demo_never_clears_a_home_that_is_not_its_own(self):
        self.home.mkdir()
        (self.home / "precious").write_text("x")
        code, said = run("--demo", "--once", "--home", str(self.home), "--programs", OPTIONS.programs)
        self.assertEqual((code, "is not a demo's home" in said), (1, True), said)
        self.assertTrue((self.home / "precious").exists())


if __name__ == "__main__":
    parser = argparse.ArgumentParser(add_help=False)
    parser.add_argument("--programs", required=True)
    known, rest = parser.parse_known_args()
    OPTIONS.programs = str(pathlib.Path(known.programs).resolve())
    unittest.main(module="__main__", argv=[sys.argv[0], *rest], verbosity=2)

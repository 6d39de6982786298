"""Processes of a test: started, watched, brought back 0.2 s after their death, killed on purpose, and gone with the test whatever happens."""

import contextlib
import os
import pathlib
import signal
import subprocess
import sys
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "support"))
from rabbit import Guard  # noqa: E402

RESPAWN_SECONDS = 0.2


def lock_holder(path):
    """Pid of the process that holds the flock, by the kernel's own list."""
    status = os.stat(path)
    wanted = f"{os.major(status.st_dev):02x}:{os.minor(status.st_dev):02x}:{status.st_ino}"
    with open("/proc/locks", encoding="ascii") as locks:
        for line in locks:
            parts = line.split()
            if "->" not in parts and parts[1] == "FLOCK" and parts[5] == wanted:
                return int(parts[4])
    return None


def has_open(pid, path):
    """Whether the process has that file open."""
    with contextlib.suppress(OSError):
        for number in os.listdir(f"/proc/{pid}/fd"):
            with contextlib.suppress(OSError):  # closed meanwhile
                if os.readlink(f"/proc/{pid}/fd/{number}") == str(path):
                    return True
    return False


class Member:
    """One supervised process: its name stays, its pid changes."""

    def __init__(self, name, argv, environment, log_path):
        self.name, self.argv, self.environment, self.log_path = name, argv, environment, log_path
        self.process, self.is_wanted, self.starts, self.killed_by_us = None, False, 0, set()
        self.next_environment = {}  # for the next start only

    @property
    def pid(self):
        return self.process.pid if self.process is not None and self.process.poll() is None else None

    def log_text(self):
        try:
            return self.log_path.read_text(errors="replace")
        except FileNotFoundError:
            return ""


class Supervisor:
    """Keeps its members alive. `deaths` lists (name, pid, exit code, on purpose) of everything that ended."""

    def __init__(self):
        self.members, self.deaths = {}, []
        self.guard, self.lock, self.is_running = Guard(), threading.RLock(), True
        self.thread = threading.Thread(target=self._watch, daemon=True)
        self.thread.start()

    def add(self, name, argv, environment, log_path):
        """Starts it; returns the member."""
        with self.lock:
            member = self.members[name] = Member(name, [str(part) for part in argv], environment, log_path)
            member.is_wanted = True
            self._start(member)
            return member

    def _start(self, member):
        with open(member.log_path, "ab") as log:
            member.process = subprocess.Popen(member.argv, env={**os.environ, **member.environment, **member.next_environment}, stdin=subprocess.DEVNULL, stdout=log,
                                              stderr=log, start_new_session=True)
        member.next_environment = {}
        member.starts += 1
        self.guard.say("watch", member.process.pid)

    def _watch(self):
        due = {}
        while self.is_running:
            with self.lock:
                for member in self.members.values():
                    if member.process is None or (code := member.process.poll()) is None:
                        continue
                    pid = member.process.pid
                    self.guard.say("forget", pid)
                    self.deaths.append((member.name, pid, code, pid in member.killed_by_us or not member.is_wanted))
                    member.process = None
                    due[member.name] = time.monotonic() + RESPAWN_SECONDS
                for name in [name for name, at in due.items() if at <= time.monotonic()]:
                    del due[name]
                    if name in self.members and self.members[name].is_wanted:
                        self._start(self.members[name])
            time.sleep(0.02)

    def signal(self, name, number):
        """Sends a signal; the pid that got it, or None when there was nobody. SIGKILL counts as meant."""
        with self.lock:
            member = self.members[name]
            if (pid := member.pid) is None:
                return None
            if number in (signal.SIGKILL, signal.SIGTERM):
                member.killed_by_us.add(pid)
            os.kill(pid, number)
            return pid

    def kill(self, name):
        return self.signal(name, signal.SIGKILL)

    def retire(self, name, limit=12):
        """SIGTERM and no return; the exit code, or None when it did not end in time and was killed."""
        with self.lock:
            member = self.members[name]
            member.is_wanted = False
            process = member.process
        if process is None:
            return 0
        self.signal(name, signal.SIGTERM)
        try:
            code = process.wait(limit)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            code = None
        with self.lock:
            self.guard.say("forget", process.pid)
        return code

    def unexpected_deaths(self):
        """Who died without being asked to: a crash, a sanitizer's verdict, a refusal to start."""
        with self.lock:
            return [f"{name} (pid {pid}) ended with {code}" for name, pid, code, is_meant in self.deaths if not is_meant]

    def close(self):
        """Everybody ends: first asked, all at once, then killed. Exit codes by name (None: had to be killed)."""
        codes = {}
        with self.lock:
            for member in self.members.values():
                member.is_wanted = False
                if member.pid:
                    self.signal(member.name, signal.SIGCONT)
                    self.signal(member.name, signal.SIGTERM)
            running = {name: member.process for name, member in self.members.items() if member.process is not None}
        until = time.monotonic() + 30  # they promise 10 s; this is not the place that holds them to it
        for name, process in running.items():
            try:
                codes[name] = process.wait(max(0.1, until - time.monotonic()))
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
                codes[name] = None
        self.is_running = False
        self.thread.join()
        self.guard.close()
        return codes

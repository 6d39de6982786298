"""A Postroom in the very configuration of scripts/run, for measuring: its own home, its processes by name, what they use, what the broker and the disk do.

    with Room(programs, tools, workers="trello=2") as room:
        with room.counting() as counts: …
        counts.broker, counts.syncs, counts.cpu
"""

import contextlib
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import types

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tests" / "e2e" / folder) for folder in ("support", "kill", "line", "mail")]
from client import NO_ANSWER, call  # noqa: E402
from mail_kills import children  # noqa: E402
from mailservers import SECRET, MailServers  # noqa: E402
from postroom import Postroom, set_in_toml  # noqa: E402
from processes import Guard  # noqa: E402
from rabbit import Rabbit  # noqa: E402
from sims import Sim  # noqa: E402

RUN = ROOT / "scripts" / "run"
KINDS = ("api", "ledger", "jira", "trello", "imap_poller", "mail_router", "notifier")
# Ends the set and its folder when the pipe to the bench ends, however the bench ended.
KEEPER = 'cat >/dev/null; "$0" stop --home "$1" >/dev/null 2>&1; rm -rf "$1"'


class Node(Rabbit):
    """The set's own broker, to be asked only."""

    def __init__(self, folder, dist_port):
        self.dir, self.dist_port, self.environment = str(folder), dist_port, dict(os.environ)

    def counters(self):
        """(messages published, messages confirmed) since it started."""
        said = self.evaluate("All = maps:get([{protocol, amqp091}], rabbit_global_counters:overview()), "
                             "{maps:get(messages_received_total, All), maps:get(messages_confirmed_total, All)}")
        return tuple(int(number) for number in re.findall(r"\d+", said))

    def add_bench_user(self, password):
        """A user and a virtual host of that name, for the bare publisher."""
        self.evaluate('rabbit_vhost:add(<<"bench">>, <<"bench">>), '
                      f'rabbit_auth_backend_internal:add_user(<<"bench">>, <<"{password}">>, <<"bench">>), '
                      'rabbit_auth_backend_internal:set_permissions(<<"bench">>, <<"bench">>, <<".*">>, <<".*">>, <<".*">>, <<"bench">>), ok')


class Counts:
    """What happened in the stretches that were counted, added up."""

    def __init__(self):
        self.broker, self.syncs, self.cpu = (0, 0), {}, {}

    def add(self, broker, syncs, cpu):
        self.broker = tuple(sum(pair) for pair in zip(self.broker, broker))
        self.syncs, self.cpu = ({name: old.get(name, 0) + new[name] for name in new} for old, new in ((self.syncs, syncs), (self.cpu, cpu)))

    def told(self):
        return {"broker_publishes": self.broker[0], "broker_confirms": self.broker[1], "syncs": {name: number for name, number in self.syncs.items() if number},
                "cpu_seconds": {name: round(value, 3) for name, value in self.cpu.items()}}


class Room(Postroom):
    def __init__(self, programs, tools, *, workers="", mail=False, simulators=False, settings=None, counts_syncs=True):
        super().__init__(programs, simulators=simulators)
        self.tools, self.workers, self.has_mail, self.counts_syncs = pathlib.Path(tools).resolve(), workers, mail, counts_syncs
        self.settings = {("outbound", "allow"): ["127.0.0.0/8"], **(settings or {})}
        self.guard = self.keeper = self.runner = None
        self.sync_folder = self.home / "run" / "syncs"

    # --- life ---

    def start(self):
        self.guard = Guard()
        self.keeper = subprocess.Popen(["sh", "-c", KEEPER, RUN, self.home], stdin=subprocess.PIPE, start_new_session=True)
        self.command("init", "--home", str(self.home))
        if self.has_mail:
            self.mail = MailServers(guard=self.guard).start()
            self.settings |= {("outbound", "ca_file"): str(self.mail.folder / "ca.pem")}
        config = self.home / "etc" / "postroom.toml"
        text = config.read_text()
        for (section, key), value in self.settings.items():
            text = set_in_toml(text, section, key, value)
        config.write_text(text)
        ports = {name: int(re.search(rf"^{name} = (\d+)", text, re.MULTILINE)[1]) for name in ("listen_port", "dist_port")}
        self.broker_port = int(re.search(r"^\[broker\]\n(?:(?!^\[).*\n)*?^port = (\d+)", text, re.MULTILINE)[1])
        self.api_port, self.token = ports["listen_port"], (self.home / "secrets" / "admin-token").read_text().strip()
        self.rabbit = Node(self.home / "data" / "rabbitmq", ports["dist_port"])
        if self.simulators:
            self.trello = Sim("trello", self.home, self.guard)
        self._run()
        return self

    def _run(self):
        environment = dict(os.environ)
        shim = self.tools / "bench_count_syncs.so"
        if self.counts_syncs and shim.exists():
            self.sync_folder.mkdir(parents=True, exist_ok=True)
            environment |= {"LD_PRELOAD": str(shim), "POSTROOM_BENCH_SYNCS": str(self.sync_folder)}
        self.said = self.home / "said"
        with open(self.said, "w", encoding="utf-8") as said:
            self.runner = subprocess.Popen([RUN, "--home", self.home, "--programs", self.bin_dir, "--no-install", *(["--workers", self.workers] if self.workers else [])],
                                           stdin=subprocess.DEVNULL, stdout=said, stderr=said, env=environment, start_new_session=True)
        self.broker_up = self.ready_at = None
        self.until(self._is_up, lambda: f"a set that is ready; it says:\n{self.said.read_text()}", 180)
        pids = {name: self._pid(name) for name in sorted(path.name for path in (self.home / "run" / "scan").glob("[a-z]*"))}
        self.processes = types.SimpleNamespace(members={name: types.SimpleNamespace(pid=pid) for name, pid in pids.items() if name.rsplit("-", 1)[0] in KINDS})
        self.broker_pid = pids["rabbitmq"]

    def _is_up(self):
        """Whether scripts/run has greeted. On the way, when the broker spoke first and when the front door was ready."""
        if self.runner.poll() is not None:
            raise AssertionError(f"scripts/run ended:\n{self.said.read_text()}")
        deadline = time.monotonic() + 0.5  # the caller's own pace is too slow for a time
        while self.ready_at is None and time.monotonic() < deadline:
            time.sleep(0.005)
            if self.broker_up is None:
                with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.broker_port), timeout=1) as probe:
                    probe.sendall(b"AMQP\0\0\x09\x01")
                    if probe.recv(1):
                        self.broker_up = time.monotonic()
            else:
                with contextlib.suppress(*NO_ANSWER):
                    if call(self.api_port, "GET", "/readyz", timeout=1).status == 200:
                        self.ready_at = time.monotonic()
        return self.ready_at is not None and "stop  " in self.said.read_text()

    def _pid(self, name):
        told = subprocess.run(["s6-svstat", "-o", "pid", self.home / "run" / "scan" / name], capture_output=True, text=True, check=True)
        return int(told.stdout)

    def close(self, failed=False):
        if failed:
            for name in ("ledger-1", "api-1"):
                with contextlib.suppress(OSError):
                    print(f"--- {name}, last lines\n" + "\n".join((self.home / "log" / name / "current").read_text().splitlines()[-12:]))
        for part in (self.trello, self.mail):
            if part:
                part.close()
        if self.keeper:
            self.keeper.stdin.close()
            self.keeper.wait()
        if self.runner:
            self.runner.wait()
        if self.guard:
            self.guard.close()
        shutil.rmtree(self.home, ignore_errors=True)

    # --- what they use ---

    def pid(self, name):
        return self.processes.members[name].pid

    def paused(self, *names):
        """These processes stand still meanwhile."""
        @contextlib.contextmanager
        def standing():
            for name in names:
                os.kill(self.pid(name), signal.SIGSTOP)
            try:
                yield
            finally:
                for name in names:
                    os.kill(self.pid(name), signal.SIGCONT)
        return standing()

    def cpu(self):
        """Process → seconds of processor time, the broker and the parser's child too."""
        pids = {name: [member.pid] for name, member in self.processes.members.items()} | {"broker": [self.broker_pid, *descendants(self.broker_pid)]}
        for name in list(pids):
            if name.startswith("mail_router"):
                pids[name] += children(self.pid(name), "postroom-mail-sandbox")
        return {name: sum(cpu_of(pid) for pid in those) for name, those in pids.items()}

    def syncs(self):
        """Program → calls of fsync, fdatasync and syncfs since the start."""
        found = {}
        for path in self.sync_folder.glob("[0-9]*"):
            with contextlib.suppress(OSError):
                name = pathlib.Path(f"/proc/{path.name}/comm").read_text().strip()
                found[name] = found.get(name, 0) + int.from_bytes(path.read_bytes()[:8], sys.byteorder)
        return found

    @contextlib.contextmanager
    def counting(self, counts=None):
        counts, broker, syncs, cpu = counts or Counts(), self.rabbit.counters(), self.syncs(), self.cpu()
        yield counts
        counts.add([after - before for after, before in zip(self.rabbit.counters(), broker)], {name: number - syncs.get(name, 0) for name, number in self.syncs().items()},
                   {name: seconds - cpu.get(name, 0) for name, seconds in self.cpu().items()})

    # --- load ---

    def load(self, board, tag, **options):
        """Posts through bench_load; its text. A number is an option's value, True a flag."""
        with tempfile.NamedTemporaryFile(dir=self.home, prefix="times-") as times:
            words = [word for name, value in options.items() if value not in (False, None)
                     for word in ([f"--{name}"] if value is True else [f"--{name}", str(value)])]
            subprocess.run([self.tools / "bench_load", "--port", str(self.api_port), "--path", f"/v1/boards/{board}/tickets", "--tag", tag, "--times", times.name, *words],
                           check=True, stdin=subprocess.DEVNULL)
            return pathlib.Path(times.name).read_text()

    def last_number(self):
        return self.rows("SELECT COALESCE(max(number), 0) AS n FROM tickets")[0]["n"]

    def quiet(self, count, above=0, limit=600):
        """Waits until `count` tickets have a number above `above`, and nothing is on its way."""
        self.until(lambda: self.rows("SELECT count(*) AS n FROM tickets WHERE number > ?", above)[0]["n"] >= count, f"{count} tickets", limit)
        self.until(lambda: self.queues().get("ledger.intake") == (0, 0), "an empty intake", limit)

    def numbers(self, tag, above=0):
        """Number of the post → number of its ticket."""
        return {int(row["title"].rsplit(" ", 1)[1]): row["number"]
                for row in self.rows("SELECT number, title FROM tickets WHERE number > ? AND title LIKE ? || ' %'", above, tag)}


def cpu_of(pid):
    """Seconds, of all its threads; 0 when it is gone."""
    total = 0
    with contextlib.suppress(OSError):
        for task in pathlib.Path(f"/proc/{pid}/task").iterdir():
            with contextlib.suppress(OSError):
                total += int((task / "schedstat").read_text().split()[0])
    return total / 1e9


def parents():
    """pid → its parent."""
    found = {}
    for entry in pathlib.Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            found[int(entry.parent.name)] = int(entry.read_text().rpartition(")")[2].split()[1])
    return found


def descendants(pid):
    of, found, layer = parents(), [], [pid]
    while layer:
        layer = [child for child, parent in of.items() if parent in layer]
        found += layer
    return found

"""A running simulator: started, told what to do, asked what it saw."""

import contextlib
import json
import os
import pathlib
import subprocess
import sys

from client import call

SIMS = pathlib.Path(__file__).resolve().parents[2] / "sims"
sys.path.insert(0, str(SIMS))
import trello as trello_facts  # noqa: E402

JIRA_ACCOUNT, JIRA_SECRET = "bot@example.test", "jira-secret"
TRELLO_ACCOUNT, TRELLO_SECRET = trello_facts.KEY, trello_facts.TOKEN
TRELLO_BOARD, TRELLO_LIST = trello_facts.BOARD, trello_facts.LIST


class Sim:
    def __init__(self, program, folder, guard, *options):
        """`folder` gets the log; `guard` ends the process when the test dies."""
        self.log_path = pathlib.Path(folder) / f"{program}-requests.jsonl"
        self.process = subprocess.Popen([sys.executable, "-B", str(SIMS / f"{program}.py"), "--log", str(self.log_path), *options], stdout=subprocess.PIPE, text=True,
                                        stdin=subprocess.DEVNULL, start_new_session=True)
        guard.say("watch", self.process.pid)
        self.ports = [int(port) for port in self.process.stdout.readline().split()[2:]]
        self.port = self.ports[0]

    def control(self, name, value):
        answer = call(self.port, "POST", f"/_sim/{name}", value)
        assert answer.status == 200, answer

    def rules(self, *rules):
        self.control("rules", list(rules))

    def objects(self):
        return call(self.port, "GET", "/_sim/objects").value["objects"]

    def open_requests(self):
        return call(self.port, "GET", "/_sim/open").value["open"]

    def log(self):
        """Whole lines only: the simulator may be writing."""
        if not self.log_path.exists():
            return []
        return [json.loads(line) for line in self.log_path.read_text().splitlines(keepends=True) if line.endswith("\n")]

    def creates(self):
        """The log's lines about creates that were begun."""
        return [line for line in self.log() if line["method"] == "POST" and line["path"] in ("/rest/api/3/issue", "/1/cards", "/1/cards/")]

    def close(self):
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()


ESTABLISHED = "01"


def tcp_connections():
    """(local port, remote port, inode) of every established TCP connection of this machine."""
    with open("/proc/net/tcp", encoding="ascii") as table:
        for line in table.readlines()[1:]:
            parts = line.split()
            if parts[3] == ESTABLISHED:
                yield int(parts[1].split(":")[1], 16), int(parts[2].split(":")[1], 16), parts[9]


def sockets_of(pid):
    """Inodes of its sockets; none when it is gone."""
    found = set()
    with contextlib.suppress(OSError):
        for number in os.listdir(f"/proc/{pid}/fd"):
            with contextlib.suppress(OSError):  # closed meanwhile
                found.add(os.readlink(f"/proc/{pid}/fd/{number}"))
    return {link[len("socket:["):-1] for link in found if link.startswith("socket:[")}


def pid_of_local_port(port, pids):
    """Which of the processes owns the TCP connection from that port of this machine; None when it is gone."""
    inode = next((inode for local, _, inode in tcp_connections() if local == port), None)
    return next((pid for pid in pids if inode in sockets_of(pid)), None) if inode else None


def connections_to(port, pid):
    """How many connections the process has to that port."""
    owned = sockets_of(pid)
    return sum(1 for _, remote, inode in tcp_connections() if remote == port and inode in owned)

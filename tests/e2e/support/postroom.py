"""A whole Postroom of a test's own: home, broker, ledger, api, workers and simulators, on free ports, with short times.

    with Postroom(bin_dir, jira=2) as room:
        room.post_ticket(room.public_board("Desk"), title="Hello")
        room.processes.kill("jira-1")

With mail=True there are mail servers too (room.mail), and the workers that speak with them:

    inbox = room.inbox("desk@example.test", board_id)
    room.mail.send(b"Subject: Hello\\r\\n\\r\\n", "ann@example.test", "desk@example.test")
"""

import base64
import contextlib
import os
import pathlib
import re
import shutil
import sqlite3
import subprocess
import tempfile
import time
import uuid

from client import NO_ANSWER, PATIENCE_SECONDS, Answer, call, patiently
from mailservers import SECRET, SENDER_ACCOUNT, SENDER_SECRET, MailServers
from processes import Supervisor  # first: it makes rabbit.py findable
from rabbit import Rabbit
from sims import JIRA_ACCOUNT, JIRA_SECRET, TRELLO_ACCOUNT, TRELLO_BOARD, TRELLO_LIST, TRELLO_SECRET, Sim

# Short enough for a test, long enough for two loaded cores. (section, key): value
SHORT_TIMES = {("delivery", "http_timeout_ms"): 2000, ("delivery", "jira_settle_ms"): 3000, ("delivery", "trello_settle_ms"): 3000,
               ("delivery", "claim_answer_ms"): 1000, ("delivery", "first_byte_ms"): 3000, ("delivery", "dispatch_timeout_ms"): 4000,
               ("delivery", "backoff_base_ms"): 200, ("delivery", "backoff_cap_ms"): 2000, ("delivery", "circuit_probe_ms"): 500,
               ("ledger", "relay_retry_ms"): 200, ("broker", "heartbeat_ms"): 5000,
               ("mail", "lease_ms"): 60_000, ("mail", "lease_word_ms"): 1000, ("mail", "lease_silence_ms"): 6000, ("mail", "poll_failure_base_ms"): 500,
               ("mail", "poll_failure_cap_ms"): 4000, ("mail", "parse_timeout_ms"): 10_000, ("notify", "smtp_timeout_ms"): 15_000, ("notify", "smtp_settle_ms"): 3000,
               ("notify", "backoff_cap_ms"): 2000, ("notify", "hourly_limit"): 1000}


class Postroom:
    def __init__(self, bin_dir, *, settings=None, keep=False, ledger=1, api=1, jira=1, trello=1, ledger_program=None, simulators=True, sites=1,
                 mail=False, imap_poller=1, mail_router=1, notifier=1):
        self.bin_dir, self.keep = pathlib.Path(bin_dir).resolve(), keep
        self.home = pathlib.Path(tempfile.mkdtemp(prefix="postroom-e2e-"))
        self.counts = {"ledger": ledger, "api": api, "jira": jira, "trello": trello}
        if mail:
            self.counts |= {"imap_poller": imap_poller, "mail_router": mail_router, "notifier": notifier}
        self.programs = {kind: self.bin_dir / f"postroom-{kind}" for kind in self.counts} | ({"ledger": pathlib.Path(ledger_program).resolve()} if ledger_program else {})
        self.settings = {**SHORT_TIMES, ("outbound", "allow"): ["127.0.0.0/8"], **(settings or {})}
        self.simulators, self.sites, self.has_mail = simulators, sites, mail
        self.processes = self.rabbit = self.jira = self.trello = self.mail = None
        self.environment = {"POSTROOM_ALLOW_ROOT": "1", "POSTROOM_HOME": str(self.home)}

    # --- life ---

    def __enter__(self):
        try:
            return self.start()
        except BaseException:
            self.close()
            raise

    def __exit__(self, kind, *unused):
        self.close(failed=kind is not None)

    def start(self):
        self.processes = Supervisor()
        if not self.keep:
            self.processes.guard.say("folder", str(self.home))
        self.command("init", "--home", str(self.home))
        self.rabbit = Rabbit(str(self.home / "data" / "rabbit"), str(self.home / "etc" / "rabbitmq" / "definitions.json"), management=True).start()
        self.settings |= {("broker", "port"): self.rabbit.port, ("broker", "management_port"): self.rabbit.management_port}
        if self.has_mail:
            self.mail = MailServers()
            self.mail.start()
            self.settings |= {("outbound", "ca_file"): str(self.mail.folder / "ca.pem")}
        config = self.home / "etc" / "postroom.toml"
        text = config.read_text()
        for (section, key), value in self.settings.items():
            text = set_in_toml(text, section, key, value)
        config.write_text(text)
        self.api_port = int(re.search(r"^listen_port = (\d+)", text, re.MULTILINE)[1])
        self.token = (self.home / "secrets" / "admin-token").read_text().strip()
        if self.simulators:
            self.jira = Sim("jira", self.home, self.processes.guard, "--sites", str(self.sites))
            self.trello = Sim("trello", self.home, self.processes.guard)
        for kind, count in self.counts.items():
            for number in range(count):
                self.add_process(kind, number, number and kind == "api")
        self.until(self.is_ready, "the api to be ready")
        return self

    def add_process(self, kind, number, is_further_api=False):
        """`kind`-`number`; a second api listens on a port of its own."""
        environment = dict(self.environment, **({"POSTROOM_API_LISTEN_PORT": str(self.api_port + number)} if is_further_api else {}))
        return self.processes.add(f"{kind}-{number}", [self.programs[kind], "--config", self.home], environment, self.home / "log" / f"{kind}-{number}.log")

    def close(self, failed=False):
        if failed and not self.keep and self.processes:  # before the end, with which the folder goes
            for name, member in sorted(self.processes.members.items()):
                print(f"--- {name}, last lines\n" + "\n".join(member.log_text().splitlines()[-12:]))
        if self.processes:
            self.exit_codes = self.processes.close()
        for part in (self.jira, self.trello, self.mail, self.rabbit):
            if part:
                part.close()
        if self.keep:
            print(f"kept: {self.home}")
        else:
            shutil.rmtree(self.home, ignore_errors=True)

    def command(self, *arguments):
        """The `postroom` command line; its output. Raises when it fails."""
        done = subprocess.run([self.bin_dir / "postroom", *arguments], env={**os.environ, **self.environment}, capture_output=True, text=True, timeout=60)
        if done.returncode != 0:
            raise AssertionError(f"postroom {' '.join(arguments)} ended with {done.returncode}: {done.stdout}{done.stderr}")
        return done.stdout

    def names(self, kind):
        return [name for name in self.processes.members if name.rsplit("-", 1)[0] == kind]

    def pids(self, kind):
        return {pid: name for name in self.names(kind) if (pid := self.processes.members[name].pid)}

    # --- talking ---

    def http(self, method, path, body=None, headers=None, timeout=30, port=None, token=True):
        """One request and its answer, whatever it is; a GET is repeated while it is answered 503."""
        headers = dict({"Authorization": f"Bearer {self.token}"} if token else {}, **(headers or {}))

        def once():
            return call(port or self.api_port, method, path, body, headers, timeout)

        return patiently(once) if method == "GET" else once()

    def promised(self, method, path, body=None, headers=None, **how):
        """The answer to a change that is repeated with one key while it is refused with 503, as a slow disk under the broker makes it."""
        headers = {"Idempotency-Key": str(uuid.uuid4()), **(headers or {})}
        return patiently(lambda: self.http(method, path, body, headers, **how))

    def change(self, method, path, body=None, headers=None):
        """Like `promised`, but what the command came to: also when the ledger was slow, or its reply got lost, and the answer was 202 with a status resource."""
        answer = self.promised(method, path, body, headers)
        if answer.status != 202 or not (place := answer.headers.get("Location") or "").startswith("/v1/commands/"):
            return answer

        def look():
            command = self.http("GET", place)
            return command.data if command.status == 200 and command.data["state"] != "running" else None

        command = self.until(look, f"the end of the command behind {answer}")
        return Answer(command["status"], {}, command["result"])

    def is_ready(self):
        try:
            return call(self.api_port, "GET", "/readyz", timeout=5).status == 200
        except NO_ANSWER:
            return False

    def until(self, condition, what, limit=PATIENCE_SECONDS):
        """Waits until condition() is true and returns its value; fails naming what was awaited (a text, or a function that makes it)."""
        deadline = time.monotonic() + limit
        while not (value := condition()):
            if time.monotonic() > deadline:
                raise AssertionError(f"waited {limit} s in vain for {what() if callable(what) else what}")
            time.sleep(0.05)
        return value

    def connection(self, kind, port=None, **changes):
        """Id of a new connection to a simulator."""
        sim = {"jira": self.jira, "trello": self.trello}[kind]
        account, secret = {"jira": (JIRA_ACCOUNT, JIRA_SECRET), "trello": (TRELLO_ACCOUNT, TRELLO_SECRET)}[kind]
        body = {"name": f"{kind} {time.monotonic_ns()}", "kind": kind, "base_url": f"http://127.0.0.1:{port or sim.port}", "account": account, "secret": secret, **changes}
        return self.change("POST", "/v1/connections", body).data["id"]

    def board(self, name, target=None, is_public=True):
        return self.change("POST", "/v1/boards", {"name": name, "is_public": is_public, "target": target or {"kind": "desk"}}).data["id"]

    def jira_board(self, name, connection_id=None, project="SUP", **mapping):
        connection_id = connection_id or self.connection("jira")
        return self.board(name, {"kind": "jira", "connection_id": connection_id, "jira": {"project_key": project, "issue_type": "Task", **mapping}})

    def trello_board(self, name, connection_id=None):
        connection_id = connection_id or self.connection("trello")
        return self.board(name, {"kind": "trello", "connection_id": connection_id, "trello": {"board_id": TRELLO_BOARD, "list_id": TRELLO_LIST}})

    def imap_connection(self, user, **changes):
        """Id of a new connection to a mailbox."""
        body = {"name": f"mailbox of {user} {time.monotonic_ns()}", "kind": "imap", "base_url": f"imaps://127.0.0.1:{self.mail.port('imaps')}", "account": user, "secret": SECRET}
        return self.change("POST", "/v1/connections", body | changes).data["id"]

    def smtp_connection(self, **changes):
        """Id of a new connection to the server that sends our mail."""
        body = {"name": f"way out {time.monotonic_ns()}", "kind": "smtp", "base_url": f"smtps://127.0.0.1:{self.mail.port('smtps')}", "account": SENDER_ACCOUNT, "secret": SENDER_SECRET}
        return self.change("POST", "/v1/connections", body | changes).data["id"]

    def inbox(self, address, board_id=None, connection_id=None, **more):
        """Id of a new inbox: the INBOX of the mailbox with that address, exclusively for the board if one is given."""
        body = {"name": f"Inbox of {address} {time.monotonic_ns()}", "connection_id": connection_id or self.imap_connection(address), "address": address, "folder": "INBOX",
                **({"board_id": board_id} if board_id else {})}
        return self.change("POST", "/v1/inboxes", body | more).data["id"]

    def send_through(self, smtp_connection_id, sender="post.room@example.test"):
        """From here on people are told by mail."""
        return self.change("PATCH", "/v1/settings", {"smtp_connection_id": smtp_connection_id, "sender_address": sender, "sender_name": "The post room"}).data

    def pages(self, path, limit=200):
        """All items of a list."""
        found, cursor = [], None
        while True:
            answer = self.http("GET", f"{path}{'&' if '?' in path else '?'}limit={limit}" + (f"&cursor={cursor}" if cursor else ""))
            found += answer.data
            cursor = answer.value["page"]["next"]
            if not cursor:
                return found

    def post_ticket(self, board_id, title, key=None, **more):
        """The answer to a public post, repeated with one key until there is a promise. More members of the body by name."""
        key = key or str(uuid.uuid4())
        return patiently(lambda: self.post_ticket_once(board_id, title, key, **more))

    def post_ticket_once(self, board_id, title, key=None, timeout=30, **more):
        """The answer to one public post; for tests that are about what is not promised."""
        headers = {"Idempotency-Key": key} if key else {}
        return self.http("POST", f"/v1/boards/{board_id}/tickets", {"title": title, **more}, headers, timeout, token=False)

    def ticket(self, ticket_id):
        """The ticket as shown, or None when it is not there yet."""
        answer = self.http("GET", f"/v1/tickets/{ticket_id}")
        return answer.data if answer.status == 200 else None

    def delivered(self, ticket_id, limit=PATIENCE_SECONDS):
        """The ticket once its delivery is done."""
        def look():
            ticket = self.ticket(ticket_id)
            return ticket if ticket and (ticket.get("delivery") or {}).get("state") == "done" else None

        return self.until(look, lambda: f"the delivery of {ticket_id}, which is {self.ticket(ticket_id)}", limit)

    # --- looking in ---

    def database(self):
        """A read-only connection to the ledger's database."""
        database = sqlite3.connect(f"file:{self.home}/data/postroom.sqlite?mode=ro", uri=True, timeout=10)
        database.row_factory = sqlite3.Row
        return contextlib.closing(database)

    def rows(self, sql, *values):
        with self.database() as database:
            return [dict(row) for row in database.execute(sql, values)]

    def queues(self):
        """Name → (ready, unacknowledged), as the broker itself counts now."""
        return self.rabbit.queues("postroom")

    def broker_api(self, method, path, body=None, user="operator"):
        """RabbitMQ's management API with the rights of one of Postroom's users."""
        password = (self.home / "secrets" / f"broker-{user}").read_text().strip()
        credentials = base64.b64encode(f"{user}:{password}".encode()).decode()
        return call(self.rabbit.management_port, method, path, body, {"Authorization": f"Basic {credentials}"})


def set_in_toml(text, section, key, value):
    """Sets one key of the configuration file, below its section's head."""
    shown = value if isinstance(value, int) else "[" + ", ".join(f'"{v}"' for v in value) + "]" if isinstance(value, list) else f'"{value}"'
    text = re.sub(rf"(^\[{section}\]\n(?:(?!^\[).*\n)*?)^{key} = .*\n", r"\1", text, count=1, flags=re.MULTILINE)
    if not re.search(rf"^\[{section}\]$", text, re.MULTILINE):
        text += f"\n[{section}]\n"
    return re.sub(rf"^\[{section}\]\n", lambda head: f"{head[0]}{key} = {shown}\n", text, count=1, flags=re.MULTILINE)

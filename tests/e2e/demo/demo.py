#!/usr/bin/env python3
"""Tells the demo's stories on a running set (scripts/run --demo starts it) and has them judged by check_demo.py.

usage: demo.py --home DIR [--break jira|trello|broker|imap|smtp]

Everything it does goes over HTTP and mail, as any client, operator or correspondent would do it; only the accidents (a simulator that fails, a process that is stopped)
are made behind Postroom's back. Each answer that it got, and each mail that was taken from it, is kept in HOME/data/demo-answers.jsonl: that, the simulators'
request logs, the sender's mailbox and the front door's own answers are all that the checker sees. The exit status is the checker's verdict.
"""

import argparse
import email
import email.policy
import email.utils
import json
import pathlib
import subprocess
import sys
import time
import tomllib
import uuid

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "support"))
from client import NO_ANSWER, PATIENCE_SECONDS, call, patiently  # noqa: E402
from mailservers import NO_MAIL_SERVER, SECRET, SENDER_ACCOUNT, SENDER_SECRET, Layout  # noqa: E402
from sims import JIRA_ACCOUNT, JIRA_SECRET, TRELLO_ACCOUNT, TRELLO_BOARD, TRELLO_LIST, TRELLO_SECRET  # noqa: E402

PATIENCE_BROKEN_SECONDS = 10  # in a story whose far side is broken for good, waiting longer shows nothing new
MAIL_STORIES = ("mail to card", "mail on standby", "mail reply")
STORIES_BROKEN_BY = {"none": (), "jira": ("jira", "rotation"), "trello": ("trello", "rotation", "mail to card"), "broker": ("broker",), "imap": MAIL_STORIES, "smtp": MAIL_STORIES}
NEW_SECRET = "rotated-by-the-operator"
SENDER, DOOR = "ann@example.test", "desk@example.test"  # who writes, and the mailbox that Postroom watches


class BrokenOff(Exception):
    """A story could not go on; says what was awaited."""


# A story that meets one of these is over; the next one and the verdict are not.
ACCIDENTS = (BrokenOff, *NO_ANSWER, *NO_MAIL_SERVER, AssertionError, subprocess.SubprocessError)


class Demo:
    def __init__(self, home, broken):
        self.home, self.broken, self.story = home, broken, None
        config = tomllib.loads((home / "etc" / "postroom.toml").read_text())
        self.port = config["api"]["listen_port"]
        self.token = (home / "secrets" / "admin-token").read_text().strip()
        self.sim_ports = {kind: int((home / "run" / f"{kind}-simulator.port").read_text()) for kind in ("jira", "trello")}
        self.answers_path = home / "data" / "demo-answers.jsonl"
        self.answers = open(self.answers_path, "w", encoding="utf-8")
        self.boards, self.connections = {}, {}
        self.mail = Layout((home / "run" / "mail-folder").read_text().strip())

    # --- talking ---

    def http(self, method, path, body=None, headers=None, token=True, note=True):
        """One request; its answer is kept for the checker. Raises BrokenOff when nobody answers."""
        headers = dict({"Authorization": f"Bearer {self.token}"} if token else {}, **(headers or {}))
        asked = time.time()
        try:
            answer = call(self.port, method, path, body, headers)
        except NO_ANSWER as wrong:
            raise BrokenOff(f"{method} {path} was not answered: {wrong}") from wrong
        if note:
            self.note(method, path, asked, answer.status, answer.value, answer.headers.get("Retry-After"))
        return answer

    def note(self, method, path, asked, status, value, retry_after=None):
        """One line for the checker."""
        self.answers.write(json.dumps({"story": self.story, "asked": asked, "at": time.time(), "method": method, "path": path, "status": status,
                                       "retry_after": retry_after, "value": value}) + "\n")
        self.answers.flush()

    def promised(self, method, path, body=None, headers=None, token=True, key=None):
        """Like http, repeated with one key while nothing is promised: a broker whose disk is slow for a second makes a 503, and clients are told to repeat."""
        headers = {"Idempotency-Key": key or str(uuid.uuid4()), **(headers or {})}
        answer = patiently(lambda: self.http(method, path, body, headers, token), self.patience)
        if answer.status >= 300:
            raise BrokenOff(f"{method} {path} was answered {answer.status}: {answer.value}")
        return answer

    def done(self, method, path, body=None):
        """Like promised: the data. When the ledger is not quick enough, the status resource is asked until it has an answer."""
        answer = self.promised(method, path, body)
        if answer.status == 202 and (place := answer.headers.get("Location") or "").startswith("/v1/commands/"):
            def look():
                command = self.http("GET", place)
                return command.data if command.status == 200 and command.data["state"] != "running" else None

            command = self.until(look, f"the outcome of {method} {path}")
            if command["state"] != "done":
                raise BrokenOff(f"{method} {path} was rejected: {command['result']}")
            return command["result"].get("data", command["result"])
        return answer.data

    def simulator(self, kind, name, value):
        answer = call(self.sim_ports[kind], "POST", f"/_sim/{name}", value)
        if answer.status != 200:
            raise BrokenOff(f"the {kind} simulator refused {name}: {answer.value}")

    @property
    def patience(self):
        """Seconds for anything that the story waits for."""
        return PATIENCE_BROKEN_SECONDS if self.story in STORIES_BROKEN_BY[self.broken] else PATIENCE_SECONDS

    def until(self, look, what):
        limit = self.patience
        deadline = time.monotonic() + limit
        while not (seen := look()):
            if time.monotonic() > deadline:
                raise BrokenOff(f"waited {limit} s for {what}")
            time.sleep(0.1)
        return seen

    def say(self, *words):
        print("   ", *words, flush=True)

    # --- what stories are made of ---

    def post(self, board, title):
        """A public post, as a web form does it; the ticket's id."""
        answer = self.promised("POST", f"/v1/boards/{self.boards[board]}/tickets", {"title": title, "creator_email": "ann@example.test"}, token=False)
        self.say(f"posted \"{title}\" to {board}: 202, ticket {answer.data['ticket_id']}")
        return answer.data["ticket_id"]

    def write(self, subject, text, answer_to=None):
        """A mail from the sender to the mailbox that Postroom watches; its Message-ID."""
        message_id, asked = f"<{uuid.uuid4()}@laptop.example.test>", time.time()
        headers = {"From": f"Ann Ames <{SENDER}>", "To": DOOR, "Subject": subject, "Message-ID": message_id, "Date": email.utils.formatdate(localtime=True)}
        if answer_to:
            headers |= {"In-Reply-To": answer_to, "References": answer_to}
        head = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        self.mail.send(f"{head}Content-Type: text/plain; charset=utf-8\r\n\r\n{text}\r\n".encode(), SENDER, DOOR)
        self.note("MAIL", DOOR, asked, 250, {"message_id": message_id, "subject": subject})
        self.say(f"{SENDER} wrote \"{subject}\" to {DOOR}")
        return message_id

    def confirmed(self, message_id):
        """The confirmation of a mail, in its sender's mailbox."""
        def look():
            with self.mail.mailbox(SENDER, is_readonly=True) as box:
                answers = [email.message_from_bytes(text, policy=email.policy.default) for text in box.mails().values()]
            return next((answer for answer in answers if answer["In-Reply-To"] == message_id), None)

        answer = self.until(look, f"a confirmation in {SENDER}'s mailbox")
        self.say(f"{SENDER} got \"{answer['Subject']}\" from {answer['From']}")
        return answer

    def ticket_titled(self, board, title):
        """The ticket of a mail, once it is there."""
        def look():
            return next((ticket for ticket in self.shown(f"/v1/tickets?board={self.boards[board]}&limit=200") or () if ticket["title"] == title), None)

        shown = self.until(look, f"the ticket \"{title}\" on {board}")
        self.say(f"number {shown['number']} on {board}: \"{title}\", from {shown['creator_email']}")
        return shown

    def shown(self, path, note=False):
        """What the front door shows at that path, or None while it does not."""
        answer = self.http("GET", path, note=note)
        return answer.data if answer.status == 200 else None

    def ticket(self, ticket_id, note=False):
        return self.shown(f"/v1/tickets/{ticket_id}", note)

    def delivered(self, ticket_id):
        def look():
            shown = self.ticket(ticket_id)
            return shown if shown and (shown.get("delivery") or {}).get("state") == "done" else None

        shown = self.until(look, f"the delivery of ticket {ticket_id}")
        self.say(f"delivered: {shown['external_ticket']['key']}  {shown['external_ticket']['url']}")
        return shown

    def process(self, action, name):
        """Stops (-d), starts (-u) or kills (-k) a process behind Postroom's back."""
        subprocess.run(["s6-svc", *action.split(), self.home / "run" / "scan" / name], check=True)

    def set_up(self):
        self.story = "set up"
        for kind, account, secret in (("jira", JIRA_ACCOUNT, JIRA_SECRET), ("trello", TRELLO_ACCOUNT, TRELLO_SECRET)):
            made = self.done("POST", "/v1/connections", {"name": f"{kind} simulator", "kind": kind, "base_url": f"http://127.0.0.1:{self.sim_ports[kind]}",
                                                         "account": account, "secret": secret})
            self.connections[kind] = made["id"]
        targets = {"Jira": {"kind": "jira", "connection_id": self.connections["jira"], "jira": {"project_key": "SUP", "issue_type": "Task"}},
                   "Trello": {"kind": "trello", "connection_id": self.connections["trello"], "trello": {"board_id": TRELLO_BOARD, "list_id": TRELLO_LIST}},
                   "Desk": {"kind": "desk"}, "Old desk": {"kind": "desk"}}
        keywords = {"Trello": ["lamp"]}
        for name, target in targets.items():
            self.boards[name] = self.done("POST", "/v1/boards", {"name": name, "is_public": True, "target": target, "keywords": keywords.get(name, [])})["id"]
        self.set_up_mail()
        for kind, connection in self.connections.items():
            what = {"imap": {"folder": "INBOX"}, "smtp": {}}.get(kind) if kind in ("imap", "smtp") else {"board_id": self.boards[kind.capitalize()]}
            test = self.done("POST", f"/v1/connections/{connection}/test", what)
            self.say(f"connection test of {kind}: {'passed' if test['passed'] else 'FAILED'}: {test['summary']}")
        if self.broken in ("imap", "smtp"):
            self.process("-wD -T 60000 -d", {"imap": "dovecot", "smtp": "smtp_front"}[self.broken])
            self.say(f"from here on there is no {self.broken.upper()} server")
        if self.broken in self.sim_ports:
            self.simulator(self.broken, "rules", [{"match": {"method": "POST"}, "action": "status", "status": 500}])
            self.say(f"from here on the {self.broken} simulator answers every POST with 500")

    def set_up_mail(self):
        """One mailbox to watch, one account to send with."""
        for kind, url, account, secret in (("imap", f"imaps://127.0.0.1:{self.mail.port('imaps')}", DOOR, SECRET),
                                           ("smtp", f"smtps://127.0.0.1:{self.mail.port('smtps')}", SENDER_ACCOUNT, SENDER_SECRET)):
            made = self.done("POST", "/v1/connections", {"name": f"{kind} server", "kind": kind, "base_url": url, "account": account, "secret": secret})
            self.connections[kind] = made["id"]
        settings = self.done("GET", "/v1/settings")
        self.done("PATCH", "/v1/settings", {"smtp_connection_id": self.connections["smtp"], "sender_address": DOOR, "sender_name": "The post room"})
        self.say(f"mails that match no board go to {settings['default_board_id'] or 'standby'}")
        self.done("POST", "/v1/inboxes", {"name": "The desk's mailbox", "connection_id": self.connections["imap"], "address": DOOR, "folder": "INBOX",
                                          "smtp_connection_id": self.connections["smtp"]})

    # --- the stories ---

    def tell_jira(self):
        """A ticket becomes a Jira issue."""
        self.delivered(self.post("Jira", "The printer is on fire"))

    def tell_trello(self):
        """A ticket becomes a Trello card."""
        self.delivered(self.post("Trello", "The lamp flickers"))

    def tell_desk(self):
        """A ticket stays on Postroom's own desk."""
        ticket_id = self.post("Desk", "A question about parking")
        shown = self.until(lambda: self.ticket(ticket_id), f"ticket {ticket_id}")
        self.say(f"on the desk: number {shown['number']}, {shown['state']}")

    def tell_rotation(self):
        """Jira is down, then refuses the token; items wait on standby; the operator rotates the token; one bulk retry; each is delivered once."""
        if self.broken != "jira":
            self.simulator("jira", "rules", [{"match": {"method": "POST"}, "action": "status", "status": 503}])
        tickets = [self.post("Jira", f"During the outage {number}") for number in (1, 2, 3)]
        self.until(lambda: any(line.get("status") in (500, 503) for line in self.creates()), "a failed attempt in the simulator's log")
        self.say("Jira answered 503; the deliveries wait for their next attempt")
        if self.broken != "trello":
            self.say("meanwhile Trello is not held up:")
            self.delivered(self.post("Trello", "During Jira's outage"))
        self.simulator("jira", "tokens", {"account": JIRA_ACCOUNT, "secret": NEW_SECRET})
        if self.broken != "jira":
            self.simulator("jira", "rules", [])
        self.say("Jira is back, but somebody changed the token there: 401")
        shelf = f"/v1/standby?connection={self.connections['jira']}"
        items = self.until(lambda: self.shown(shelf), "items on standby")
        self.until(lambda: self.shown(shelf, note=True), "the shelf once more")
        self.say(f"on standby: {items[0]['reason_class']}: {items[0]['reason']}")
        self.done("PATCH", f"/v1/connections/{self.connections['jira']}", {"secret": NEW_SECRET})
        test = self.done("POST", f"/v1/connections/{self.connections['jira']}/test", {"board_id": self.boards["Jira"]})
        self.say(f"the operator rotated the token through Postroom; connection test: {'passed' if test['passed'] else 'FAILED'}: {test['summary']}")
        progress = self.done("POST", "/v1/standby/retry", {"filter": {"connection_id": self.connections["jira"]}})
        self.say(f"one bulk retry: {progress.get('done', 0)} of {progress.get('total', 0)} items")
        for ticket_id in tickets:
            self.delivered(ticket_id)

    def tell_closed_board(self):
        """A ticket was accepted while its board was being closed: it waits on standby; an operator gives it another board and retries it."""
        for attempt in range(1, 4):
            self.process("-wD -T 60000 -d", "ledger-1")
            ticket_id = self.post("Old desk", f"Sent in the last minute {attempt}")
            self.promised("PATCH", f"/v1/boards/{self.boards['Old desk']}", {"state": "archived"}, {"Prefer": "respond-async"})
            self.process("-u", "ledger-1")
            self.say("the board was archived before the ledger saw the ticket")
            shown = self.until(lambda: self.ticket(ticket_id), f"ticket {ticket_id}")
            if shown["state"] == "standby":
                break
            # The ledger happened to see the ticket first, which is right too; the story needs the other order.
            self.until(lambda: (board := self.shown(f"/v1/boards/{self.boards['Old desk']}")) and board["state"] == "archived", "the archived board")
            self.done("PATCH", f"/v1/boards/{self.boards['Old desk']}", {"state": "active"})
        self.until(lambda: self.ticket(ticket_id, note=True), "the shelved ticket once more")
        item = shown["standby"]
        self.say(f"on standby: {item['reason_class']}: {item['reason']}")
        self.done("POST", f"/v1/standby/{item['id']}/assign", {"board_id": self.boards["Desk"], "note": "the old desk is closed"})
        self.done("POST", f"/v1/standby/{item['id']}/retry")
        shown = self.until(lambda: (now := self.ticket(ticket_id)) and now["state"] != "standby" and now, f"ticket {ticket_id} on its new board")
        self.say(f"assigned and retried: number {shown['number']} on the desk, under the id that was promised")

    def tell_mail_to_card(self):
        """A mail becomes a Trello card, and its sender gets a confirmation."""
        subject = "The lamp above my desk"
        message_id = self.write(subject, "It hums. Could somebody look at it?\r\n\r\nAnn")
        ticket = self.ticket_titled("Trello", subject)
        self.confirmed(message_id)
        self.delivered(ticket["id"])

    def tell_mail_on_standby(self):
        """A mail that matches no board waits on standby; an operator gives it a board and retries it; now its sender hears of it."""
        subject = "A riddle"
        message_id = self.write(subject, "What has a bed but never sleeps?")
        shelf = "/v1/standby?kind=arrival"

        def look(note=False):
            return next((item for item in self.shown(shelf, note) or () if item["state"] == "open"), None)

        item = self.until(look, "the mail on standby")
        self.until(lambda: look(note=True), "the shelf once more")
        self.say(f"on standby: {item['reason_class']}: {item['reason']}")
        self.done("POST", f"/v1/standby/{item['id']}/assign", {"board_id": self.boards["Desk"], "note": "rivers are ours"})
        self.done("POST", f"/v1/standby/{item['id']}/retry")
        self.ticket_titled("Desk", subject)
        self.confirmed(message_id)

    def tell_mail_reply(self):
        """The sender answers the confirmation: the answer lands on the ticket as a comment."""
        subject = "A second lamp"
        message_id = self.write(subject, "This one is dark.")
        ticket = self.ticket_titled("Trello", subject)
        confirmation = self.confirmed(message_id)
        quote = "".join(f"> {line}\r\n" for line in confirmation.get_body(("plain",)).get_content().splitlines())
        self.write(f"Re: {confirmation['Subject']}", f"It is the one on the left.\r\n\r\nOn Monday, The post room wrote:\r\n{quote}", confirmation["Message-ID"])
        comments = self.until(lambda: self.shown(f"/v1/tickets/{ticket['id']}/comments"), "a comment on the ticket")
        self.shown(f"/v1/tickets/{ticket['id']}/comments", note=True)
        self.say(f"comment by {comments[0]['author_email']}: \"{comments[0]['text']}\"")

    def tell_broker(self):
        """The broker is killed; a client that repeats its post with the same key gets one ticket."""
        if self.broken == "broker":
            self.process("-d", "rabbitmq")
            self.process("-k", "rabbitmq")
            self.say("the broker is gone for good")
        else:
            self.process("-k", "rabbitmq")
            self.say("the broker was killed")
        time.sleep(0.5)
        deadline = time.monotonic() + self.patience
        tries = 0
        while True:
            tries += 1
            answer = self.http("POST", f"/v1/boards/{self.boards['Desk']}/tickets", {"title": "Sent without a broker"}, {"Idempotency-Key": "demo-broker"}, token=False)
            if answer.status == 202:
                break
            if tries == 1:
                self.say(f"a post now: {answer.status}, Retry-After {answer.headers.get('Retry-After')}")
            if time.monotonic() > deadline:
                raise BrokenOff(f"{tries} posts, the last was answered {answer.status}")
            time.sleep(0.5)
        ticket_id = answer.data["ticket_id"]
        self.say(f"try {tries}: 202, ticket {ticket_id}")
        self.until(lambda: self.ticket(ticket_id), f"ticket {ticket_id}")
        self.say("and it is on the desk")

    def creates(self):
        path = self.home / "log" / "jira-requests.jsonl"
        lines = path.read_text().splitlines(keepends=True) if path.exists() else []
        return [line for line in map(json.loads, (text for text in lines if text.endswith("\n"))) if line["method"] == "POST"]

    def tell_all(self):
        self.set_up()
        for name, story in (("jira", self.tell_jira), ("trello", self.tell_trello), ("desk", self.tell_desk), ("rotation", self.tell_rotation),
                            ("closed board", self.tell_closed_board), ("mail to card", self.tell_mail_to_card), ("mail on standby", self.tell_mail_on_standby),
                            ("mail reply", self.tell_mail_reply), ("broker", self.tell_broker)):
            self.story = name
            print(f"\n  {name}: {story.__doc__}", flush=True)
            try:
                story()
            except ACCIDENTS as why:
                self.say(f"the story broke off: {why}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--home", type=pathlib.Path, required=True)
    parser.add_argument("--break", dest="broken", choices=sorted(STORIES_BROKEN_BY), default="none")
    given = parser.parse_args()
    print("\nThe demo: the line over HTTP and mail, with simulators of Jira and Trello", flush=True)
    demo = Demo(given.home, given.broken)
    try:
        demo.tell_all()
    except ACCIDENTS as why:
        demo.say(f"the demo broke off: {why}")
    demo.answers.close()
    (given.home / "data" / "demo-told").touch()  # the next start of this home goes on from here
    print("\nThe verdict, from the simulators' request logs, the sender's mailbox and HTTP answers only:", flush=True)
    token_file = given.home / "secrets" / "admin-token"
    return subprocess.run([sys.executable, "-B", HERE / "check_demo.py", "--answers", demo.answers_path, "--jira-log", given.home / "log" / "jira-requests.jsonl",
                           "--trello-log", given.home / "log" / "trello-requests.jsonl", "--port", str(demo.port), "--token-file", token_file,
                           "--mail", demo.mail.folder, "--sender", SENDER]).returncode


if __name__ == "__main__":
    sys.exit(main())

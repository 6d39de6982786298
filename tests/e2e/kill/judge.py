#!/usr/bin/env python3
"""Judges a kill test from four separate sources: the driver's file, the ledger's rows, the simulators' request logs, the broker's counters.

    judge.py --driver driver.jsonl --database postroom.sqlite --jira-log … --trello-log … --broker broker.json --settle-ms 3000

Every 202 must have exactly one issue, card or desk row; what was refused (503, reset) none or one. No second POST for a marker before the settle time,
unless the first was answered with a definite no (4xx). Nothing may be left unfinished, shelved or in a queue, and the books must balance.
Prints one line of counts and one line per violation; ends with 1 when there is any.
"""

import argparse
import collections
import json
import sqlite3
import sys

CREATE_PATHS = {"/rest/api/3/issue": "jira", "/1/cards": "trello", "/1/cards/": "trello"}


def read_lines(path):
    """Whole JSON lines; a torn last line (its writer was killed) is dropped."""
    with open(path, encoding="utf-8") as file:
        return [json.loads(line) for line in file if line.endswith("\n")]


def creates_of(request_logs):
    """The simulators' lines about creates, each with its system."""
    return [dict(line, system=CREATE_PATHS[line["path"]]) for path in request_logs for line in read_lines(path) if line["method"] == "POST" and line["path"] in CREATE_PATHS]


def early_repeats(requests, settle):
    """Texts about creates that came again before the settle time (seconds) though the first was not answered with a definite no."""
    by_marker = collections.defaultdict(list)
    for line in requests:
        if line["marker"] and not line["late"]:
            by_marker[line["marker"]].append(line)
    for marker, lines in by_marker.items():
        lines.sort(key=lambda line: line["t"])
        for first, second in zip(lines, lines[1:]):
            is_definite_no = first["status"] is not None and 400 <= first["status"] < 500
            if not is_definite_no and second["t"] - first["t"] < settle:
                yield f"{first['system']} got marker {marker} again after {second['t'] - first['t']:.2f} s"


class Evidence:
    def __init__(self, driver, database, request_logs, broker):
        lines = read_lines(driver)
        self.posts = {line["n"]: line for line in lines if line["what"] == "post"}
        self.answers = collections.defaultdict(list)  # n → ticket ids of its 202s
        for line in lines:
            if line["what"] == "accepted":
                self.answers[line["n"]].append(line["ticket_id"])
        self.trouble = [line["text"] for line in lines if line["what"] == "trouble"]
        self.by_title = {post["title"]: post for post in self.posts.values()}
        self.requests = creates_of(request_logs)
        self.created = [line for line in self.requests if line["committed"]]
        with open(broker, encoding="utf-8") as file:
            self.broker = json.load(file)
        with sqlite3.connect(f"file:{database}?mode=ro", uri=True) as connection:
            connection.row_factory = sqlite3.Row
            for name in ("arrivals", "tickets", "deliveries", "external_tickets", "standby", "counters"):
                setattr(self, name, [dict(row) for row in connection.execute(f"SELECT * FROM {name}")])


class Judge:
    def __init__(self, evidence, settle_ms):
        self.evidence, self.settle = evidence, settle_ms / 1000
        self.violations = []
        self.lost, self.duplicated, self.unfinished = set(), set(), set()
        self.tickets = {ticket["id"]: ticket for ticket in evidence.tickets}
        self.effects = collections.defaultdict(list)  # n → (system, id) of what exists for it
        self.by_ticket = {ticket: n for n, tickets in evidence.answers.items() for ticket in tickets}

    def say(self, kind, text):
        self.violations.append(f"{kind}: {text}")

    def run(self):
        self.violations += [f"trouble: {text}" for text in self.evidence.trouble]
        self._gather_effects()
        self._every_post()
        self._every_object_is_known()
        self._second_posts()
        self._nothing_is_left()
        self._books_balance()
        return self

    def _gather_effects(self):
        for line in self.evidence.created:
            post = self.evidence.by_title.get(line["title"])
            if post is None:
                self.say("phantom", f"{line['system']} {line['committed']} {line['title']!r} was never posted")
            elif post["target"] != line["system"]:
                self.say("phantom", f"{line['system']} {line['committed']} {line['title']!r} was meant for {post['target']}")
            else:
                self.effects[post["n"]].append((line["system"], line["committed"]))
        rows = collections.defaultdict(list)
        for ticket in self.evidence.tickets:
            post = self.evidence.by_title.get(ticket["title"])
            if post is None:
                self.say("phantom", f"ticket {ticket['id']} {ticket['title']!r} was never posted")
                continue
            rows[post["n"]].append(ticket["id"])
            if post["target"] == "desk":
                self.effects[post["n"]].append(("desk", ticket["id"]))
        for n, ids in rows.items():
            if len(ids) > 1 and self.evidence.posts[n]["target"] != "desk":
                self.say("duplicated", f"post {n} has {len(ids)} ticket rows: {', '.join(ids)}")
                self.duplicated.add(n)

    def _every_post(self):
        for n, post in self.evidence.posts.items():
            answers, effects = set(self.evidence.answers.get(n, [])), self.effects[n]
            if len(answers) > 1:
                self.say("two ids", f"post {n} with one key was answered with {', '.join(sorted(answers))}")
            if len(effects) > 1:
                self.say("duplicated", f"post {n} ({post['target']}) has {len(effects)} effects: {', '.join(what for _, what in effects)}")
                self.duplicated.add(n)
            if not answers:
                continue
            if not effects:
                state = self._state_of(answers)
                if state == "gone":
                    self.say("lost", f"post {n} ({post['target']}) was answered 202 with {', '.join(answers)} and there is nothing of it")
                    self.lost.add(n)
                else:
                    self.say("not delivered", f"post {n} ({post['target']}) was answered 202 with {', '.join(answers)} and is {state}")
                    self.unfinished.add(n)
            elif not any(answer in self.tickets for answer in answers):
                self.say("lost", f"post {n}: its effect {effects[0][1]} exists, its ticket {', '.join(answers)} does not")
                self.lost.add(n)

    def _state_of(self, tickets):
        for delivery in self.evidence.deliveries:
            if delivery["ticket_id"] in tickets:
                return f"{delivery['state']} ({delivery['step']}, {delivery['attempts']} attempts, {delivery['reason']})"
        for arrival in self.evidence.arrivals:
            if arrival["ticket_id"] in tickets:
                return f"an arrival, {arrival['state']}"
        return "opened without a delivery" if tickets & set(self.tickets) else "gone"

    def _every_object_is_known(self):
        links = {(row["system"], row["remote_key"] if row["system"] == "jira" else row["remote_id"]): row for row in self.evidence.external_tickets}
        for row in self.evidence.external_tickets:
            if row["state"] != "linked":
                self.say("duplicated", f"the ledger holds {row['system']} {row['remote_key']} as {row['state']}")
        for line in self.evidence.created:
            row = links.get((line["system"], line["committed"]))
            if row is None:
                self.say("unlinked", f"{line['system']} {line['committed']} {line['title']!r} exists and no row of the ledger knows it")
            elif (ticket := self.tickets.get(row["ticket_id"])) is None or ticket["title"] != line["title"]:
                self.say("wrong link", f"{line['system']} {line['committed']} is linked to {ticket['title'] if ticket else 'no ticket'!r}, not to {line['title']!r}")
        made = {(line["system"], line["committed"]) for line in self.evidence.created}
        for key, row in links.items():
            if key not in made:
                self.say("wrong link", f"ticket {row['ticket_id']} is linked to {row['system']} {row['remote_key']}, which never existed")

    def _second_posts(self):
        for text in early_repeats(self.evidence.requests, self.settle):
            self.say("too early", text)

    def _nothing_is_left(self):
        for delivery in self.evidence.deliveries:
            if delivery["state"] not in ("done", "cancelled"):
                self.say("standby" if delivery["state"] == "standby" else "pending", f"delivery {delivery['id']} is {delivery['state']} ({delivery['reason']})")
        for item in self.evidence.standby:
            if item["state"] not in ("resolved", "deleted"):
                self.say("standby", f"item {item['id']} ({item['kind']} {item['message_type']}) is {item['state']}: {item['reason']}")
        for name, (ready, unacknowledged) in self.evidence.broker["queues"].items():
            if ready or unacknowledged:
                self.say("left in queue", f"{name}: {ready} ready, {unacknowledged} unacknowledged")

    def _books_balance(self):
        states = collections.Counter(arrival["state"] for arrival in self.evidence.arrivals)
        counters = {row["name"]: row["value"] for row in self.evidence.counters}
        accepted = len(self.evidence.arrivals)
        if accepted != states["opened"] + states["standby"] + states["deleted"]:
            self.say("balance", f"{accepted} arrivals, but by state {dict(states)}")
        for name, rows in (("accepted", accepted), ("opened", states["opened"]), ("standby", states["standby"]), ("deleted", states["deleted"])):
            if counters.get(f"arrivals_{name}", 0) != rows:
                self.say("balance", f"the counter arrivals_{name} is {counters.get(f'arrivals_{name}')}, the rows are {rows}")
        if states["opened"] != len(self.evidence.tickets):
            self.say("balance", f"{states['opened']} arrivals were opened, there are {len(self.evidence.tickets)} tickets")
        owed = sum(1 for ticket in self.evidence.tickets if self.evidence.by_title.get(ticket["title"], {}).get("target") in ("jira", "trello"))
        if owed != len(self.evidence.deliveries):
            self.say("balance", f"{owed} tickets are for a far side, there are {len(self.evidence.deliveries)} deliveries")
        for name, value in self.evidence.broker.get("balance", {}).items():
            shown = {"accepted": accepted, **{state: states[state] for state in ("opened", "standby", "deleted")}}.get(name)
            if shown is not None and value != shown:
                self.say("balance", f"GET /v1/balance says {name} {value}, the rows are {shown}")

    def line(self):
        evidence = self.evidence
        accepted = {n for n in evidence.posts if evidence.answers.get(n)}
        refused = set(evidence.posts) - accepted
        done = sum(1 for n in accepted if len(self.effects[n]) == 1 and n not in self.lost)
        pending = sum(1 for delivery in evidence.deliveries if delivery["state"] in ("waiting", "dispatched", "claimed"))
        standby = sum(1 for item in evidence.standby if item["state"] in ("open", "assigned", "retry_pending"))
        in_doubt = sum(1 for delivery in evidence.deliveries if delivery["maybe_sent"] and delivery["state"] not in ("done", "cancelled"))
        happened = sum(1 for n in refused if self.effects[n])
        return (f"accepted {len(accepted)} done {done} pending {pending} standby {standby} in_doubt {in_doubt} lost {len(self.lost)} "
                f"duplicated {len(self.duplicated)} (refused {len(refused)}, of them happened {happened})")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("driver", "database", "jira-log", "trello-log", "broker"):
        parser.add_argument(f"--{name}", required=True)
    parser.add_argument("--settle-ms", type=int, required=True)
    options = parser.parse_args()
    judge = Judge(Evidence(options.driver, options.database, [options.jira_log, options.trello_log], options.broker), options.settle_ms).run()
    print(judge.line())
    for violation in judge.violations:
        print(f"VIOLATION {violation}")
    print("verdict: " + (f"red, {len(judge.violations)} violations" if judge.violations else "green"))
    sys.exit(1 if judge.violations else 0)


if __name__ == "__main__":
    main()

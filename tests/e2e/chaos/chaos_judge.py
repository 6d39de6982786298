#!/usr/bin/env python3
"""Judges a chaos run from separate sources: the driver's file (what clients and operators were told, what SMTP took), the IMAP server's numbers and the people's
mailboxes, the front door's rows, the simulators' request logs, the broker's depths.

    chaos_judge.py --driver driver.jsonl --servers servers.json --door door.json --jira-log … --trello-log … --queues queues.json --settle-ms 3000

All that mail_judge.py asks, and besides: every change of a state and every comment that was answered with success is there once, what was refused is not, what is
unknown at most once; every ticket went from state to state by legal steps; who must be told of it is told once; no create came again before the settle time.
The balance counts every promise in one of three ways, none of them derived: done by what exists outside, pending and standby by rows and shelf.
Prints the balance, one line of counts and one line per violation; ends with 1 when there is any.
"""

import argparse
import collections
import pathlib
import sys

sys.path[:0] = [str(pathlib.Path(__file__).resolve().parents[1] / folder) for folder in ("mail", "kill", "support")]
import mail_judge  # noqa: E402
from judge import early_repeats, read_lines  # noqa: E402

LEGAL = {"new": {"assigned", "in_progress", "on_hold", "resolved", "closed"}, "assigned": {"in_progress", "on_hold", "resolved", "closed"},
         "in_progress": {"assigned", "on_hold", "resolved", "closed"}, "on_hold": {"assigned", "in_progress", "resolved", "closed"},
         "resolved": {"closed", "reopened"}, "closed": {"reopened"}, "reopened": {"assigned", "in_progress", "on_hold", "resolved", "closed"}}
SUCCESS, NOT_FOUND = (200, 201), 404


class Evidence(mail_judge.Evidence):
    def __init__(self, driver, *others):
        super().__init__(driver, *others)
        lines = read_lines(driver)
        self.asked = {what: {line["n"]: line for line in lines if line["what"] == what} for what in ("change", "comment")}
        self.told = {what: {line["n"]: line["status"] for line in lines if line["what"] == name} for what, name in (("change", "changed"), ("comment", "commented"))}
        self.turned_away = sum(line["most"] for line in lines if line["what"] == "recipients refused")
        self.refusals = [line for line in lines if line["what"] == "refused"]


class Judge(mail_judge.Judge):
    def __init__(self, evidence, settle_ms):
        super().__init__(evidence)
        self.settle = settle_ms / 1000

    def run(self):
        super().run()
        for text in early_repeats(self.e.requests, self.settle):
            self.say("too early", text)
        self._changes()
        self._comments()
        self._steps()
        self._one_mail_per_notice()
        self._classify()
        return self

    def refusals_allowed(self):
        return self.e.turned_away

    # --- what operators asked for ---

    def _changes(self):
        found = collections.defaultdict(list)  # number → (ticket, to)
        for ticket_id, ticket in self.tickets.items():
            for entry in ticket["timeline"]:
                if entry["action"] == "state" and (note := entry["detail"].get("note", "")).startswith("change "):
                    found[note[len("change "):-1]].append((ticket_id, entry["detail"]["to"]))
        for n, asked in self.e.asked["change"].items():
            self._once("change", n, found.pop(n, []), (asked["ticket_id"], asked["state"]))
        for n in found:
            self.say("phantom", f"change {n} is in a timeline and nobody asked for it")

    def _comments(self):
        found = collections.defaultdict(list)
        for ticket_id, ticket in self.tickets.items():
            for comment in ticket["comments"]:
                if not comment["arrival_id"] and comment["text"].startswith("comment "):
                    found[comment["text"][len("comment "):-1]].append((ticket_id, comment["is_public"]))
                    mails = [notice for notice in ticket["notices"] if notice["cause"] == f"comment:{comment['id']}"]
                    if len(mails) != comment["is_public"]:
                        self.say("twice" if mails else "not told", f"{comment['text']} is {'public' if comment['is_public'] else 'internal'} and has {len(mails)} mails")
        for n, asked in self.e.asked["comment"].items():
            self._once("comment", n, found.pop(n, []), (asked["ticket_id"], asked["is_public"]))
        for n in found:
            self.say("phantom", f"comment {n} exists and nobody wrote it")

    def _once(self, what, n, found, wanted):
        status = self.e.told[what].get(n)
        self.counts[f"{what}s asked"] += 1
        self.counts[f"{what}s made"] += len(found) == 1
        if any(one != wanted for one in found):
            self.say("wrong", f"{what} {n} should be {wanted} and is {found}")
        if len(found) > 1:
            self.say("twice", f"{what} {n} was made {len(found)} times")
        if status in SUCCESS and not found:
            self.say("lost", f"{what} {n} of ticket {wanted[0]} was answered {status} and is not there")
        if status is not None and 400 <= status < 500 and found:
            self.say("refused and made", f"{what} {n} was answered {status} and is there")

    def _steps(self):
        for ticket in self.tickets.values():
            state = "new"
            for entry in ticket["timeline"]:
                if entry["action"] != "state":
                    continue
                start, end = entry["detail"]["from"], entry["detail"]["to"]
                if start != state or end not in LEGAL[start]:
                    self.say("illegal", f"ticket {ticket['number']} was {state} and went from {start} to {end}")
                state = end
            if state != ticket["state"]:
                self.say("illegal", f"ticket {ticket['number']} is {ticket['state']}, by its timeline {state}")

    def _one_mail_per_notice(self):
        causes = collections.Counter((ticket_id, notice["cause"], notice["recipient"]) for ticket_id, ticket in self.tickets.items() for notice in ticket["notices"])
        for (ticket_id, cause, recipient), count in causes.items():
            if count > 1:
                self.say("twice", f"{recipient} is told {count} times of {cause} of ticket {ticket_id}")
        for person, mails in self.e.servers["people"].items():
            of_delivery = collections.defaultdict(set)  # a Message-ID of ours names its delivery between two dots
            for mail in mails:
                for word in mail["message_id"].split("."):
                    of_delivery[word].add(mail["message_id"])
            for ticket in self.tickets.values():
                for notice in ticket["notices"]:
                    if notice["recipient"] == person and len(of_delivery.get(notice["id"], ())) > 1:
                        self.say("told twice", f"{person} got {len(of_delivery[notice['id']])} distinct mails of one {notice['kind']} of ticket {ticket['number']}")

    # --- the balance ---

    def _classify(self):
        self.classes = collections.Counter()
        shelved = {item["ticket_id"] for item in self.e.door["standby"]} | {item["subject_id"] for item in self.e.door["standby"]}
        made = collections.Counter((line["marker"] or "").rpartition(".")[2] for line in self.e.created)
        for n, ids in self.e.promised.items():
            self._count(f"post {n}", [self._ticket_class(ticket, made) for ticket in self.by_title[self.e.posts[n]["title"]]] or (["standby"] if shelved & ids else []))
        for n in self.e.mails:
            if self.e.taken[n]:
                self._count(f"mail {n}", self._mail_classes(n, made))
        classes = self.classes
        if classes["accepted"] != classes["done"] + classes["pending"] + classes["standby"]:
            self.say("balance", f"accepted {classes['accepted']}, done {classes['done']}, pending {classes['pending']}, standby {classes['standby']}")

    def _count(self, what, found):
        self.classes["accepted"] += 1
        if not found:
            self.classes["lost"] += 1
            self.say("lost", f"{what} is nowhere")
            return
        if len(found) > 1 or "twice" in found:
            self.classes["duplicated"] += 1
            self.say("duplicated", f"{what} is {len(found)} things: {', '.join(found)}")
        if found[0] not in ("twice", "lost"):
            self.classes[found[0]] += 1
        elif found[0] == "lost":
            self.classes["lost"] += 1
            self.say("lost", f"{what} counts as delivered and the far side has nothing")

    def _ticket_class(self, ticket, made):
        delivery = ticket["delivery"]
        if delivery is None:
            return "done"
        if made[delivery["id"]] > 1:
            return "twice"
        if delivery["state"] == "done":
            return "done" if made[delivery["id"]] else "lost"
        return "standby" if delivery["state"] == "standby" else "pending"

    def _mail_classes(self, n, made):
        """One for each thing that the mail is; a corpus mail may be nothing but the duplicate of another."""
        found = []
        for arrival in self.by_number[n]:
            if arrival["verdict"] == "pending":
                found.append("pending")
            elif arrival["verdict"] == mail_judge.STANDBY:
                found.append("standby")
            elif arrival["verdict"] == "ticket":
                found += [self._ticket_class(self.tickets[arrival["ticket_id"]], made)] if arrival["ticket_id"] in self.tickets else []
            elif arrival["verdict"] != mail_judge.DUPLICATE:
                found.append("done")
        return found or (["done"] if self.e.mails[n]["kind"] == "corpus" and self.by_number[n] else [])

    def balance_line(self):
        classes, tickets = self.classes, self.tickets.values()
        in_doubt = self.counts["assumed_sent"] + sum(1 for ticket in tickets for one in [*ticket["notices"], ticket["delivery"]] if one and one.get("maybe_sent") and one["state"] != "done")
        return " ".join(f"{name} {in_doubt if name == 'in_doubt' else classes[name]}" for name in ("accepted", "done", "pending", "standby", "in_doubt", "lost", "duplicated"))

    def line(self):
        counts, refused = self.counts, sorted(line["seconds"] for line in self.e.refusals if line["status"] == 503)
        return (f"{super().line()}; changes {counts['changes made']} of {counts['changes asked']}, comments {counts['comments made']} of {counts['comments asked']}; "
                f"{len(refused)} posts answered 503{f', half of them within {refused[len(refused) // 2]:.2f} s, all within {refused[-1]:.2f} s' if refused else ''}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("driver", "servers", "door", "jira-log", "trello-log", "queues"):
        parser.add_argument(f"--{name}", required=True)
    parser.add_argument("--settle-ms", type=int, required=True)
    options = parser.parse_args()
    judge = Judge(Evidence(options.driver, options.servers, options.door, [options.jira_log, options.trello_log], options.queues), options.settle_ms).run()
    print(judge.line())
    for violation in judge.violations:
        print(f"VIOLATION {violation}")
    print(judge.balance_line())
    print("verdict: " + (f"red, {len(judge.violations)} violations" if judge.violations else "green"))
    sys.exit(1 if judge.violations else 0)


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
"""Judges a kill test of mails from separate sources: the driver's file (what SMTP took), the IMAP server's numbers and the senders' mailboxes, the front
door's rows and reports, the simulators' request logs, the broker's depths.

    mail_judge.py --driver driver.jsonl --servers servers.json --door door.json --jira-log … --trello-log … --queues queues.json

Every mail that SMTP took is in its inbox and has exactly one arrival per copy there, of which exactly one is a ticket, reply, bounce, own mail or standby
item, and the others are its duplicates; replies and bounces are on the ticket of the mail that they are about. The report of each inbox balances to the server's own count. Every confirmation was taken by the SMTP server
exactly once and is in the sender's mailbox (there a killed server may leave copies: distinct Message-IDs are counted), except those listed as assumed sent, which are at most the notifier's kills. Every promised post is one ticket, and every ticket
for a tracker one object. Prints one line of counts and one line per violation; ends with 1 when there is any.
"""

import argparse
import collections
import json
import pathlib
import re
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "kill"))
from judge import CREATE_PATHS, read_lines  # noqa: E402

DUPLICATE, STANDBY = "duplicate", "standby"
OF_A_TICKET = re.compile(r"\[#(\d+)\]")  # in the subjects of our mails
LIVE_STATES = ("waiting", "dispatched", "claimed")


class Evidence:
    def __init__(self, driver, servers, door, request_logs, queues):
        lines = read_lines(driver)
        self.mails = {line["n"]: line for line in lines if line["what"] == "mail"}
        self.taken = collections.Counter(line["n"] for line in lines if line["what"] == "taken")
        self.kills = collections.Counter(line["name"].rsplit("-", 1)[0] for line in lines if line["what"] == "kill" and line["pid"])
        self.posts = {line["n"]: line for line in lines if line["what"] == "post"}
        self.promised = collections.defaultdict(set)
        for line in lines:
            if line["what"] == "accepted":
                self.promised[line["n"]].add(line["ticket_id"])
        self.trouble = [line["text"] for line in lines if line["what"] == "trouble"]
        self.servers, self.door, self.queues = (json.loads(pathlib.Path(path).read_text()) for path in (servers, door, queues))
        for arrival in self.door["arrivals"]:
            if arrival["verdict"] == "unparsable":  # the reason why it waits on standby
                arrival["verdict"] = STANDBY
        self.created = [dict(line, system=CREATE_PATHS[line["path"]]) for path in request_logs for line in read_lines(path)
                        if line["method"] == "POST" and line["path"] in CREATE_PATHS and line["committed"]]


class Judge:
    def __init__(self, evidence):
        self.e, self.violations, self.counts = evidence, [], collections.Counter()
        self.tickets = {ticket["id"]: ticket for ticket in evidence.door["tickets"]}
        self.arrivals = {arrival["id"]: arrival for arrival in evidence.door["arrivals"]}
        # (inbox, UIDVALIDITY, UID) → number, all that the IMAP server ever showed; and those there now.
        self.known, self.here = {}, {}
        for inbox, seen in evidence.servers["inboxes"].items():
            self.here |= {(inbox, seen["uid_validity"], uid): number for uid, number in seen["uids"]}
            self.known |= {(inbox, validity, uid): number for validity, uid, number in seen["earlier"]}
        self.known |= self.here
        self.by_number = collections.defaultdict(list)
        self.by_place = collections.defaultdict(list)
        for arrival in evidence.door["arrivals"]:
            place = (arrival["inbox"], arrival["uid_validity"], arrival["uid"])
            self.by_place[place].append(arrival)
            number = self.known.get(place, arrival["number"])
            self.by_number[number].append(arrival)
        self.unreachable = set()  # items on the shelf about addresses that are not ASCII
        self.spare_standby = evidence.kills["sandbox"]  # a parser killed from outside looks like one that its mail killed

    def say(self, kind, text):
        self.violations.append(f"{kind}: {text}")

    def run(self):
        self.violations += [f"trouble: {text}" for text in self.e.trouble]
        self._every_place_has_one_arrival()
        self._every_mail()
        self._no_strange_arrivals()
        self._every_post()
        self._no_strange_tickets()
        self._trackers()
        self._reports()
        self._confirmations()
        self._nothing_is_left()
        self._balance()
        return self

    def _every_place_has_one_arrival(self):
        for place, number in self.here.items():
            if place not in self.by_place:
                self.say("lost", f"mail {number} is in {place[0]} as UID {place[2]} under {place[1]} and has no arrival")
        for place, arrivals in self.by_place.items():
            if len(arrivals) > 1:
                self.say("twice", f"UID {place[2]} of {place[0]} has {len(arrivals)} arrivals")
            if place in self.known and arrivals[0]["number"] not in (None, self.known[place]):
                self.say("mixed up", f"UID {place[2]} of {place[0]} is mail {self.known[place]}, its arrival {arrivals[0]['id']} holds mail {arrivals[0]['number']}")

    def _every_mail(self):
        for n, mail in self.e.mails.items():
            if not self.e.taken[n]:
                continue
            self.counts["taken"] += 1
            arrivals = self.by_number[n]
            if not arrivals:
                self.say("lost", f"mail {n} ({mail['kind']}) was taken by SMTP and there is no arrival of it")
                continue
            for arrival in arrivals:
                if arrival["verdict"] == "pending":
                    self.say("undecided", f"mail {n} ({mail['kind']}): arrival {arrival['id']} is {arrival['stage']}")
            decided = [arrival for arrival in arrivals if arrival["verdict"] not in (DUPLICATE, "pending")]
            if len(decided) > 1:
                self.say("twice", f"mail {n} ({mail['kind']}) is {', '.join(a['verdict'] for a in decided)}")
            if not decided and mail["kind"] != "corpus" and all(a["verdict"] != "pending" for a in arrivals):
                self.say("lost", f"mail {n} ({mail['kind']}) has only duplicates")
            for arrival in decided:
                self._one_verdict(n, mail, arrival)
            self.counts[DUPLICATE] += sum(arrival["verdict"] == DUPLICATE for arrival in arrivals)
            for arrival in arrivals:
                if arrival["verdict"] == DUPLICATE and mail["kind"] != "corpus" and arrival["duplicate_of"] not in {a["id"] for a in arrivals}:
                    self.say("wrong verdict", f"mail {n} ({mail['kind']}) is a duplicate of {arrival['duplicate_of']}, which is another mail")

    def _one_verdict(self, n, mail, arrival):
        verdict = arrival["verdict"]
        self.counts[verdict] += 1
        if verdict not in mail["expected"]:
            if verdict == STANDBY and self.spare_standby > 0:
                self.spare_standby -= 1
            else:
                self.say("wrong verdict", f"mail {n} ({mail['kind']}) is {verdict}: {arrival['why']}")
            return
        if verdict in ("ticket", "reply") and arrival["ticket_id"] not in self.tickets:
            self.say("lost", f"mail {n} ({mail['kind']}) is a {verdict} of ticket {arrival['ticket_id']}, which is not there")
            return
        if verdict == "reply":
            comments = [c for c in self.tickets[arrival["ticket_id"]]["comments"] if c["arrival_id"] == arrival["id"]]
            if len(comments) != 1:
                self.say("lost" if not comments else "twice", f"mail {n} ({mail['kind']}) has {len(comments)} comments")
        if verdict in ("reply", "bounce") and mail["answers"] is not None and arrival["ticket_id"] not in {a["ticket_id"] for a in self.by_number[mail["answers"]]}:
            self.say("wrong verdict", f"mail {n} ({mail['kind']}) answers mail {mail['answers']} and landed on ticket {arrival['ticket_id']}")
        if verdict == STANDBY and arrival["standby_id"] not in {item["id"] for item in self.e.door["standby"]}:
            self.say("lost", f"mail {n} ({mail['kind']}) is on standby as {arrival['standby_id']}, which the shelf does not show")

    def _no_strange_arrivals(self):
        for number, arrivals in self.by_number.items():
            if number not in self.e.mails:
                self.say("phantom", f"{len(arrivals)} arrivals of mail {number}, which nobody wrote")

    def _every_post(self):
        self.of_posts = set()
        for n, post in self.e.posts.items():
            ids = self.e.promised.get(n, set())
            found = [ticket["id"] for ticket in self.e.door["tickets"] if ticket["title"] == post["title"]]
            self.of_posts.update(found)
            if len(ids) > 1:
                self.say("two ids", f"post {n} was answered with {sorted(ids)}")
            if len(found) > 1:
                self.say("twice", f"post {n} has {len(found)} tickets")
            if ids and not found:
                self.say("lost", f"post {n} was answered 202 and has no ticket")
            self.counts["posts"] += bool(ids)

    def _no_strange_tickets(self):
        by_mail = collections.Counter(a["ticket_id"] for a in self.arrivals.values() if a["verdict"] == "ticket")
        for ticket_id, ticket in self.tickets.items():
            if by_mail[ticket_id] + (ticket_id in self.of_posts) != 1:
                self.say("phantom" if not by_mail[ticket_id] else "twice", f"ticket {ticket['number']} {ticket['title']!r} belongs to {by_mail[ticket_id]} mails")

    def _trackers(self):
        made = collections.Counter((line["marker"] or "").rpartition(".")[2] for line in self.e.created)
        for ticket in self.tickets.values():
            delivery = ticket["delivery"]
            if delivery is None:
                continue
            if made.pop(delivery["id"], 0) != 1:
                self.say("tracker", f"ticket {ticket['number']} {ticket['title']!r} ({delivery['state']}, {delivery['reason']}) does not have one object")
        for delivery_id, count in made.items():
            self.say("tracker", f"{count} objects of delivery {delivery_id}, which no ticket knows")

    def _reports(self):
        for inbox, report in self.e.door["inboxes"].items():
            seen = self.e.servers["inboxes"][inbox]
            rows = [a for a in self.arrivals.values() if a["inbox"] == inbox and a["uid_validity"] == seen["uid_validity"]]
            gone = sum(1 for a in rows if (inbox, a["uid_validity"], a["uid"]) not in self.here)
            facts = {"UIDVALIDITY": (report["uid_validity"], seen["uid_validity"]), "mails on the server": (report["server"]["exists"], len(seen["uids"])),
                     "arrivals": (report["arrivals"]["total"], len(rows)), "missing": (report["missing"], 0), "gone": (report["server"]["gone"], gone)}
            facts |= {verdict: (report["arrivals"][verdict], sum(a["verdict"] == verdict for a in rows)) for verdict in ("ticket", "reply", DUPLICATE, "bounce", "own", STANDBY)}
            for name, (told, true) in facts.items():
                if told != true:
                    self.say("report", f"{inbox}: {name} {told}, but by the server's mails and the rows {true}")

    def _confirmations(self):
        """By the senders' mailboxes; and each that is listed is there."""
        ours = [mail for mails in self.e.servers["people"].values() for mail in mails if mail["auto_submitted"].startswith("auto-") and OF_A_TICKET.match(mail["subject"])]
        told = collections.defaultdict(set)  # number of the ticket → Message-IDs
        for mail in ours:
            told[int(OF_A_TICKET.match(mail["subject"])[1])].add(mail["message_id"])
        answered = {mail["answers"] for mail in ours}
        listed, assumed = self._listed({mail["message_id"] for mail in ours})
        for mail in ours:
            # Of what is only assumed to be sent nobody reported the Message-ID; but it names the delivery.
            if mail["message_id"] not in listed and not any(f".{notice_id}." in mail["message_id"] for notice_id in assumed):
                self.say("phantom", f"{mail['message_id']} {mail['subject']!r} is in a mailbox and no ticket lists it")
        for n, mail in self.e.mails.items():
            opened = [self.tickets[a["ticket_id"]] for a in self.by_number[n] if a["verdict"] == "ticket" and a["ticket_id"] in self.tickets]
            for ticket in opened:
                self._one_confirmation(f"mail {n} ({mail['kind']})", ticket, told[ticket["number"]], mail["is_confirmed"], assumed)
            if not opened and mail["is_confirmed"] is False and mail["message_id"] in answered:
                self.say("told", f"mail {n} ({mail['kind']}) must not be answered")
        for ticket_id in self.of_posts:
            ticket = self.tickets[ticket_id]
            self._one_confirmation(f"post {ticket['title']!r}", ticket, told[ticket["number"]], True, assumed)
        self.counts["assumed_sent"] = len(assumed)
        if len(assumed) > self.e.kills["notifier"]:
            self.say("in doubt", f"{len(assumed)} mails are assumed to be sent, the notifier was killed {self.e.kills['notifier']} times")

    def _listed(self, in_boxes):
        """(Message-IDs of what the tickets list, ids of those that are assumed to be sent); what counts as done must be in a mailbox."""
        listed, assumed = set(), set()
        taken = collections.Counter(self.e.servers["taken"])
        for ticket in self.tickets.values():
            for notice in ticket["notices"]:
                message_id = f"<{(notice['message_id'] or '').strip('<>')}>"
                listed.add(message_id)
                if taken[message_id] > 1 and notice["kind"] != "comment":  # a person's words are rather said twice than not at all
                    self.say("told twice", f"ticket {ticket['number']}: its {notice['kind']} {message_id} was taken {taken[message_id]} times")
                if notice["reason_class"] == "assumed_sent":
                    assumed.add(notice["id"])
                elif notice["state"] == STANDBY and not notice["recipient"].isascii():  # the mail server here cannot do that
                    self.unreachable.add(notice["standby_id"])
                elif notice["state"] != "done":
                    self.say("not told", f"ticket {ticket['number']}: its {notice['kind']} is {notice['state']}: {notice['reason']}")
                elif not taken[message_id]:
                    self.say("not told", f"ticket {ticket['number']}: its {notice['kind']} {message_id} counts as done and the SMTP server never took it")
                elif message_id not in in_boxes:
                    self.say("not told", f"ticket {ticket['number']}: its {notice['kind']} {message_id} counts as done and is not in the mailbox of {notice['recipient']}")
        return listed, assumed

    def _one_confirmation(self, what, ticket, got, is_confirmed, assumed):
        if len(got) > 1:
            self.say("told twice", f"{what} was answered by {len(got)} distinct mails")
        if is_confirmed is False and got:
            self.say("told", f"{what} must not be answered")
        if is_confirmed and not got and not any(notice["id"] in assumed for notice in ticket["notices"]):
            self.say("not told", f"{what} is a ticket and its sender never heard of it; listed: {[(notice['state'], notice['reason']) for notice in ticket['notices']]}")
        self.counts["confirmed"] += bool(got)

    def _nothing_is_left(self):
        on_shelf = {a["standby_id"] for a in self.arrivals.values() if a["verdict"] == STANDBY}
        for item in self.e.door["standby"]:
            if item["id"] not in on_shelf | self.unreachable:
                self.say("standby", f"item {item['id']} ({item['kind']} {item['message_type']}) is {item['state']}: {item['reason']}")
        for name, (ready, unacknowledged) in self.e.queues.items():
            # A poll job stays with the worker that watches the mailbox.
            if ready or (unacknowledged and name != "imap_poller"):
                self.say("left in queue", f"{name}: {ready} ready, {unacknowledged} unacknowledged")

    def _balance(self):
        balance, verdicts = self.e.door["balance"], collections.Counter(a["verdict"] for a in self.arrivals.values())
        opened = verdicts["ticket"] + len(self.of_posts)
        facts = {"accepted": len(self.arrivals) + len(self.of_posts), "opened": opened, "reply": verdicts["reply"], "duplicate": verdicts[DUPLICATE], "bounce": verdicts["bounce"],
                 "own": verdicts["own"], "standby": verdicts[STANDBY], "received": verdicts["pending"], "deleted": verdicts["deleted"]}
        for name, true in facts.items():
            if balance[name] != true:
                self.say("balance", f"{name} {balance[name]}, the rows are {true}")
        for name in LIVE_STATES:
            if balance["deliveries"][name]:
                self.say("pending", f"{balance['deliveries'][name]} deliveries are {name}")

    def line(self):
        counts = self.counts
        return (f"mails taken {counts['taken']} ticket {counts['ticket']} reply {counts['reply']} duplicate {counts['duplicate']} bounce {counts['bounce']} own {counts['own']} "
                f"standby {counts['standby']}; confirmed {counts['confirmed']} assumed_sent {counts['assumed_sent']}; posts {counts['posts']}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("driver", "servers", "door", "jira-log", "trello-log", "queues"):
        parser.add_argument(f"--{name}", required=True)
    options = parser.parse_args()
    judge = Judge(Evidence(options.driver, options.servers, options.door, [options.jira_log, options.trello_log], options.queues)).run()
    print(judge.line())
    for violation in judge.violations:
        print(f"VIOLATION {violation}")
    print("verdict: " + (f"red, {len(judge.violations)} violations" if judge.violations else "green"))
    sys.exit(1 if judge.violations else 0)


if __name__ == "__main__":
    main()

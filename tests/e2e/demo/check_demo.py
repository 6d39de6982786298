#!/usr/bin/env python3
"""Judges the demo. Reads the simulators' request logs, the answers that the demo's client got, what the front door answers now, and, by IMAP as the sender of
the mails, the sender's mailbox; nothing else.

Prints `ok: STORY – what was seen` or `FAILED: STORY – what was seen` for each story; the exit status is 0 only when all are ok.
"""

import argparse
import email
import email.policy
import email.utils
import json
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
from client import NO_ANSWER, call, patiently  # noqa: E402
from mailservers import NO_MAIL_SERVER, Layout  # noqa: E402

STORIES = ("jira", "trello", "desk", "rotation", "closed board", "mail to card", "mail on standby", "mail reply", "broker")


class Wrong(Exception):
    """What was seen instead of what was promised."""


def expect(condition, seen):
    if not condition:
        raise Wrong(seen)


def lines_of(path):
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


class Judge:
    def __init__(self, answers, logs, port, token, mail, sender):
        self.answers, self.logs, self.port, self.token, self.mail, self.sender = answers, logs, port, token, mail, sender

    def said(self, story, method, ending):
        """The answers that the client got in a story, to requests of that method whose path ends so."""
        return [a for a in self.answers if a["story"] == story and a["method"] == method and a["path"].partition("?")[0].endswith(ending)]

    def promised(self, story, count):
        """Ids of the tickets that were promised by a 202."""
        posts = self.said(story, "POST", "/tickets")
        ids = list(dict.fromkeys(a["value"]["data"]["ticket_id"] for a in posts if a["status"] == 202))
        expect(len(ids) == count, f"{len(ids)} of {count} tickets were promised (the last answer: {posts[-1]['status'] if posts else 'none'})")
        return ids

    def now(self, path):
        try:
            answer = patiently(lambda: call(self.port, "GET", path, headers={"Authorization": f"Bearer {self.token}"}), patience=10)
        except NO_ANSWER as wrong:
            raise Wrong(f"the front door does not answer: {wrong}") from wrong
        expect(answer.status == 200, f"GET {path} is answered {answer.status}")
        return answer.data

    def created(self, system):
        return [line for line in self.logs[system] if line["method"] == "POST" and line.get("committed")]

    def delivered_once(self, system, ticket_id):
        """Exactly one object at the far side carries the ticket's delivery, and it is the one that the front door names."""
        ticket = self.now(f"/v1/tickets/{ticket_id}")
        delivery = ticket.get("delivery") or {}
        expect(delivery.get("state") == "done", f"ticket {ticket_id} is {ticket['state']}, its delivery {delivery.get('state', 'not there')}"
                                                f"{', ' + str(delivery['reason']) if delivery.get('reason') else ''}")
        link = ticket.get("external_ticket") or {}
        expect(str(link.get("url", "")).startswith("http"), f"ticket {ticket_id} has no link")
        mine = [line["committed"] for line in self.created(system) if (line.get("marker") or "").endswith("." + delivery["id"])]
        expect(len(mine) == 1, f"ticket {ticket_id} became {len(mine)} objects in {system}'s log: {mine}")
        expect(str(mine[0]) in (str(link["remote_id"]), link["key"]), f"ticket {ticket_id} names {link['key']} ({link['remote_id']}), {system}'s log {mine[0]}")
        return link

    def wrote(self, story, count):
        """The mails that were taken from the sender in a story: message_id and subject of each."""
        mails = [a["value"] for a in self.answers if a["story"] == story and a["method"] == "MAIL"]
        expect(len(mails) == count, f"{len(mails)} of {count} mails were taken from the sender")
        return mails

    def answers_to(self, message_id):
        """What the sender's mailbox has in answer to a mail: distinct Message-ID → mail."""
        try:
            with self.mail.mailbox(self.sender, is_readonly=True) as box:
                mails = [email.message_from_bytes(text, policy=email.policy.default) for text in box.mails().values()]
        except NO_MAIL_SERVER as wrong:
            raise Wrong(f"the sender's mailbox does not answer: {wrong}") from wrong
        return {mail["Message-ID"]: mail for mail in mails if message_id in (mail["In-Reply-To"] or "") + (mail["References"] or "")}

    def confirmed_once(self, message_id):
        """The one confirmation of a mail: it tells machines that a machine wrote it."""
        answers = self.answers_to(message_id)
        expect(len(answers) == 1, f"{len(answers)} confirmations in the sender's mailbox: {[mail['Subject'] for mail in answers.values()]}")
        (mail,) = answers.values()
        expect((mail["Auto-Submitted"] or "no").split(";")[0].strip().startswith("auto-"), f"the confirmation says Auto-Submitted: {mail['Auto-Submitted']}")
        expect(self.sender in (mail["To"] or ""), f"the confirmation is for {mail['To']}")
        return mail

    def opened_once(self, subject):
        """The one ticket with the title of a mail."""
        tickets = [ticket for ticket in self.now("/v1/tickets?limit=200") if ticket["title"] == subject]
        expect(len(tickets) == 1, f"{len(tickets)} tickets with the title \"{subject}\"")
        expect(tickets[0]["creator_email"] == self.sender, f"the ticket's creator is {tickets[0]['creator_email']}")
        return tickets[0]

    # --- the stories ---

    def judge_jira(self):
        link = self.delivered_once("jira", self.promised("jira", 1)[0])
        return f"202, then one issue, {link['key']} {link['url']}"

    def judge_trello(self):
        link = self.delivered_once("trello", self.promised("trello", 1)[0])
        return f"202, then one card, {link['url']}"

    def judge_desk(self):
        ticket = self.now(f"/v1/tickets/{self.promised('desk', 1)[0]}")
        expect(ticket["state"] == "new" and not ticket.get("external_ticket"), f"the ticket is {ticket['state']}, link {ticket.get('external_ticket')}")
        outside = [line for system in self.logs for line in self.created(system) if line.get("title") == ticket["title"]]
        expect(not outside, f"it also went to {outside}")
        return f"202, then number {ticket['number']} on the desk, nothing outside"

    def judge_rotation(self):
        trello = [i for i in self.promised("rotation", 4) if (self.now(f"/v1/tickets/{i}").get("external_ticket") or {}).get("system") == "trello"]
        tickets = [i for i in self.promised("rotation", 4) if i not in trello]
        expect(len(trello) == 1 and len(tickets) == 3, f"{len(trello)} tickets went to Trello and {len(tickets)} to Jira")
        self.delivered_once("trello", trello[0])
        for ticket_id in tickets:
            self.delivered_once("jira", ticket_id)
        shelf = [item for a in self.said("rotation", "GET", "/standby") if a["status"] == 200 for item in a["value"]["data"]]
        expect(shelf, "nothing was seen on standby")
        expect(all(item["reason"] and item["reason_class"] == "credentials" for item in shelf), f"the reasons were {[(i['reason_class'], i['reason']) for i in shelf]}")
        expect([a for a in self.said("rotation", "PATCH", "") if a["status"] == 200], "the token was not rotated through Postroom")
        # What was answered 503 was repeated with its key: still one retry, which may have begun with the first try.
        retries = self.said("rotation", "POST", "/standby/retry")
        answered = [a["status"] for a in retries if a["status"] != 503]
        expect(len(answered) == 1 and answered[0] in (200, 202), f"bulk retries: {[a['status'] for a in retries]}")
        statuses = {line["status"] for line in self.logs["jira"]}
        expect({503, 401} <= statuses, f"Jira never answered 503 and 401, only {sorted(s for s in statuses if s)}")
        markers = {(self.now(f"/v1/tickets/{i}").get("delivery") or {})["id"] for i in tickets}
        early = [line for line in self.created("jira") if line["wall"] < retries[0]["asked"] and (line.get("marker") or "").split(".")[-1] in markers]
        expect(not early, f"created before the retry: {[line['title'] for line in early]}")
        rotated = [a for a in self.said("rotation", "PATCH", "") if a["status"] == 200][0]["at"]
        card = self.now(f"/v1/tickets/{trello[0]}")["delivery"]["id"]
        meanwhile = [line for line in self.created("trello") if (line.get("marker") or "").endswith(card) and line["wall"] < rotated]
        expect(meanwhile, "Trello's card came only after Jira was well again")
        connection = [a for a in self.said("rotation", "PATCH", "") if a["status"] == 200][0]["path"].rsplit("/", 1)[-1]
        left = self.now(f"/v1/standby?connection={connection}")
        expect(not left, f"{len(left)} still on standby")
        return f"503, 401, {len(shelf)} on standby with the reason, token rotated, one bulk retry, 3 issues once each; Trello went on"

    def judge_closed_board(self):
        promised = self.promised("closed board", len([a for a in self.said("closed board", "POST", "/tickets") if a["status"] == 202]) or 1)
        shelved = [a["value"]["data"] for a in self.said("closed board", "GET", f"/tickets/{promised[-1]}") if a["status"] == 200]
        expect(shelved and shelved[0]["state"] == "standby" and shelved[0]["standby"]["reason"], f"the ticket was never seen on standby: {shelved}")
        ticket = self.now(f"/v1/tickets/{promised[-1]}")
        board = self.now(f"/v1/boards/{ticket['board_id']}") if ticket.get("board_id") else {}
        expect(ticket["state"] == "new" and board.get("name") == "Desk", f"the ticket is {ticket['state']} on board {board.get('name')}")
        return f"standby ({shelved[0]['standby']['reason_class']}), assigned, retried, number {ticket['number']} on the desk"

    def judge_broker(self):
        ticket_id = self.promised("broker", 1)[0]
        ticket = self.now(f"/v1/tickets/{ticket_id}")
        posts = self.said("broker", "POST", "/tickets")
        refused = [a for a in posts if a["status"] != 202]
        expect(refused, "no post was refused: the broker was never away")
        expect(all(a["status"] == 503 and a["retry_after"] for a in refused), f"answers without a broker: {[(a['status'], a['retry_after']) for a in refused]}")
        twins = [t["number"] for t in self.now(f"/v1/tickets?board={ticket['board_id']}&limit=200") if t["title"] == ticket["title"]]
        expect(len(twins) == 1, f"there are {len(twins)} tickets for one key: {twins}")
        return f"{len(refused)} answers 503 with Retry-After, then 202 and number {ticket['number']}, once"

    def judge_mail_to_card(self):
        (mail,) = self.wrote("mail to card", 1)
        ticket = self.opened_once(mail["subject"])
        link = self.delivered_once("trello", ticket["id"])
        cards = [line for line in self.created("trello") if line.get("title") == mail["subject"]]
        expect(len(cards) == 1, f"{len(cards)} cards with the mail's subject")
        confirmation = self.confirmed_once(mail["message_id"])
        return f"one ticket, number {ticket['number']}, one card, {link['url']}, and one confirmation: {confirmation['Subject']}"

    def judge_mail_on_standby(self):
        (mail,) = self.wrote("mail on standby", 1)
        shelf = [item for a in self.said("mail on standby", "GET", "/standby") if a["status"] == 200 for item in a["value"]["data"]]
        expect(len({item["id"] for item in shelf}) == 1 and shelf[0]["reason"], f"on standby was {[(item['kind'], item['reason']) for item in shelf]}")
        retries = [a for a in self.said("mail on standby", "POST", "/retry") if a["status"] in (200, 202)]
        expect(retries, "it was not retried")
        ticket = self.opened_once(mail["subject"])
        board = self.now(f"/v1/boards/{ticket['board_id']}")["name"]
        expect(board == "Desk", f"the ticket is on board {board}")
        confirmation = self.confirmed_once(mail["message_id"])
        told = email.utils.parsedate_to_datetime(confirmation["Date"]).timestamp()
        expect(told >= int(retries[0]["asked"]), "the confirmation was written before the mail was a ticket")
        return f"standby ({shelf[0]['reason_class']}), assigned, retried, number {ticket['number']} on the desk, one confirmation"

    def judge_mail_reply(self):
        first, answer = self.wrote("mail reply", 2)
        ticket = self.opened_once(first["subject"])
        self.confirmed_once(first["message_id"])
        comments = self.now(f"/v1/tickets/{ticket['id']}/comments")
        expect(len(comments) == 1, f"the ticket has {len(comments)} comments")
        expect(comments[0]["author_email"] == self.sender and comments[0]["text"].strip() == "It is the one on the left.",
               f"the comment by {comments[0]['author_email']} says {comments[0]['text']!r}")
        more = [ticket["number"] for ticket in self.now("/v1/tickets?limit=200") if ticket["title"] == answer["subject"]]
        expect(not more, f"the answer also opened tickets {more}")
        expect(not self.answers_to(answer["message_id"]), "the answer was confirmed like a new mail")
        return f"number {ticket['number']} confirmed, answered, one comment, without what it quotes"

    def judge_all(self):
        verdicts = []
        for name in STORIES:
            try:
                verdicts.append((True, name, getattr(self, "judge_" + name.replace(" ", "_"))()))
            except Wrong as seen:
                verdicts.append((False, name, str(seen)))
            except (KeyError, IndexError, TypeError) as strange:
                verdicts.append((False, name, f"an answer without {strange!r}"))
        for is_ok, name, seen in verdicts:
            print(f"  {'ok' if is_ok else 'FAILED'}: {name} – {seen}")
        return all(is_ok for is_ok, _, _ in verdicts)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--answers", type=pathlib.Path, required=True)
    parser.add_argument("--jira-log", type=pathlib.Path, required=True)
    parser.add_argument("--trello-log", type=pathlib.Path, required=True)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--token-file", type=pathlib.Path, required=True)
    parser.add_argument("--mail", type=pathlib.Path, required=True, help="the mail servers' folder")
    parser.add_argument("--sender", required=True)
    given = parser.parse_args()
    judge = Judge(lines_of(given.answers), {"jira": lines_of(given.jira_log), "trello": lines_of(given.trello_log)}, given.port,
                  given.token_file.read_text().strip(), Layout(given.mail), given.sender)
    return 0 if judge.judge_all() else 1


if __name__ == "__main__":
    sys.exit(main())

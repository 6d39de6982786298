#!/usr/bin/env python3
"""Judges the demo. Reads the simulators' request logs, the answers that the demo's client got, and what the front door answers now; nothing else.

Prints `ok: STORY – what was seen` or `FAILED: STORY – what was seen` for each story; the exit status is 0 only when all are ok.
"""

import argparse
import json
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
from client import NO_ANSWER, call, patiently  # noqa: E402


class Wrong(Exception):
    """What was seen instead of what was promised."""


def expect(condition, seen):
    if not condition:
        raise Wrong(seen)


def lines_of(path):
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


class Judge:
    def __init__(self, answers, logs, port, token):
        self.answers, self.logs, self.port, self.token = answers, logs, port, token

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

    def judge_all(self):
        verdicts = []
        for name in ("jira", "trello", "desk", "rotation", "closed board", "broker"):
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
    given = parser.parse_args()
    judge = Judge(lines_of(given.answers), {"jira": lines_of(given.jira_log), "trello": lines_of(given.trello_log)}, given.port,
                  given.token_file.read_text().strip())
    return 0 if judge.judge_all() else 1


if __name__ == "__main__":
    sys.exit(main())

"""The whole line: a post becomes an issue, a card or a desk row, exactly once, and everybody can see how."""

import pathlib
import sys
import threading

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
from suite import RoomTest, run_suite  # noqa: E402

FAULTS = {"commit_then_drop by RST": {"action": "commit_then_drop", "how": "rst"}, "commit_then_drop by FIN": {"action": "commit_then_drop", "how": "fin"},
          "504 after the commit": {"action": "commit_then_drop", "how": "status"}, "drop_before_commit": {"action": "drop_before_commit"},
          "late_commit after RST": {"action": "late_commit", "how": "rst", "after_ms": 1500}, "late_commit after a 504": {"action": "late_commit", "how": "status", "after_ms": 1500},
          "an HTML page with 200 after the commit": {"action": "html", "status": 200, "commit": True}, "an HTML 502": {"action": "html", "status": 502},
          "a hang": {"action": "hang"}, "an answer that drips": {"action": "drip", "interval_ms": 300}, "RST before the body": {"action": "reset_before"},
          "429 with Retry-After": {"action": "status", "status": 429, "retry_after_s": 1}, "429 with a date": {"action": "status", "status": 429, "retry_after_date_s": 2},
          "429 without a word": {"action": "status", "status": 429}, "429 in HTML": {"action": "html", "status": 429},
          "429 with a reset time": {"action": "status", "status": 429, "reset_in_s": 2}, "500": {"action": "status", "status": 500}, "503": {"action": "status", "status": 503}}


class Line(RoomTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.desk, cls.jira, cls.trello = cls.room.board("Desk"), cls.room.jira_board("Jira"), cls.room.trello_board("Trello")

    def setUp(self):
        self.room.jira.rules()
        self.room.trello.rules()

    def test_a_post_becomes_an_issue(self):
        room = self.room
        answer = room.post_ticket(self.jira, "Printer on fire", description="It burns.\nSince noon.", creator_email="ann@example.test", creator_name="Ann")
        ticket_id = answer.data["ticket_id"]
        self.assertEqual((answer.status, answer.headers["Location"]), (202, f"/v1/tickets/{ticket_id}"))
        ticket = room.delivered(ticket_id)
        issue = [o for o in room.http("GET", "/_sim/objects?full=1", port=room.jira.port).value["objects"] if o["fields"]["summary"] == "Printer on fire"]
        self.assertEqual(len(issue), 1)
        link = ticket["external_ticket"]
        self.assertEqual((link["key"], link["remote_id"], link["system"]), (issue[0]["key"], issue[0]["id"], "jira"))
        delivery = ticket["delivery"]["id"]
        self.assertTrue(issue[0]["marker"].endswith("." + delivery))
        self.assertEqual({k: issue[0]["properties"]["postroom.origin"][k] for k in ("marker", "ticket")}, {"marker": issue[0]["marker"], "ticket": ticket_id})
        self.assertIn(f"postroom-{delivery}", issue[0]["fields"]["labels"])
        said = str(issue[0]["fields"]["description"])
        for words in ("It burns.", "Since noon.", "ann@example.test", f"Postroom {issue[0]['marker']}"):
            self.assertIn(words, said)

        listed = room.http("GET", f"/v1/boards/{self.jira}/external-tickets").data
        mine = [row for row in listed if row["ticket_id"] == ticket_id]
        self.assertEqual([row["key"] for row in mine], [issue[0]["key"]])
        self.assertEqual(room.http("GET", f"/v1/external-tickets/{mine[0]['id']}").data["remote_id"], issue[0]["id"])

    def test_a_post_becomes_a_card(self):
        room = self.room
        ticket_id = room.post_ticket(self.trello, "Lamp broken", description="It flickers.", creator_email="bob@example.test").data["ticket_id"]
        link = room.delivered(ticket_id)["external_ticket"]
        cards = [o for o in room.http("GET", "/_sim/objects?full=1", port=room.trello.port).value["objects"] if o["fields"]["name"] == "Lamp broken"]
        self.assertEqual([card["id"] for card in cards], [link["remote_id"]])
        self.assertEqual(link["key"], cards[0]["key"])
        self.assertIn(f"/v1/tickets/{ticket_id}?m={cards[0]['marker']}", cards[0]["attachments"][0]["url"])
        for words in ("It flickers.", "bob@example.test", f"Postroom {cards[0]['marker']}"):
            self.assertIn(words, cards[0]["fields"]["desc"])

    def test_a_post_becomes_a_desk_row(self):
        room = self.room
        ticket_id = room.post_ticket(self.desk, "Keys lost", priority="high").data["ticket_id"]
        ticket = room.until(lambda: room.ticket(ticket_id), "the desk row")
        self.assertEqual((ticket["title"], ticket["state"], ticket["priority"], ticket["delivery"], ticket["external_ticket"]), ("Keys lost", "new", "high", None, None))

    def test_the_life_of_a_ticket_is_told(self):
        room = self.room
        ticket_id = room.post_ticket(self.jira, "Told").data["ticket_id"]
        room.delivered(ticket_id)
        actions = [entry["action"] for entry in room.http("GET", f"/v1/tickets/{ticket_id}/timeline").data]
        known = [action for action in ("accepted", "opened", "dispatched", "claimed", "delivered") if action in actions]
        self.assertEqual(known, ["accepted", "opened", "dispatched", "claimed", "delivered"], actions)
        self.assertEqual(sorted(known, key=actions.index), known, actions)
        told = room.command("trace", ticket_id)
        for words in ("opened", "claimed", "delivered", room.ticket(ticket_id)["external_ticket"]["key"]):
            self.assertIn(words, told)

    def test_an_id_that_is_not_there_yet(self):
        answer = self.room.http("GET", "/v1/tickets/00000000-0000-4000-8000-000000000000")
        self.assertEqual((answer.status, answer.value["type"], answer.headers["Retry-After"]), (404, "urn:postroom:problem:not-yet-applied", "1"))

    def test_the_same_key_is_the_same_ticket(self):
        room, key = self.room, "0ff1ce-1"
        ids = {room.post_ticket(self.jira, "Once", key).data["ticket_id"] for _ in range(4)}
        self.assertEqual(len(ids), 1)
        room.delivered(ids.pop())
        self.assertEqual(len([line for line in room.jira.creates() if line["title"] == "Once" and line["committed"]]), 1)
        self.assertEqual(len(room.rows("SELECT id FROM tickets WHERE title = 'Once'")), 1)

    def test_the_same_key_with_another_body_is_shelved_not_dropped(self):
        room, key = self.room, "0ff1ce-2"
        first = room.post_ticket(self.desk, "First words", key).data["ticket_id"]
        room.until(lambda: room.ticket(first), "the first ticket")
        room.post_ticket(self.desk, "Other words", key)
        items = room.until(lambda: [i for i in room.http("GET", "/v1/standby?limit=100").data if "Other words" in str(room.http("GET", f"/v1/standby/{i['id']}").data)], "the shelved second body")
        self.assertEqual(room.ticket(first)["title"], "First words")
        room.change("DELETE", f"/v1/standby/{items[0]['id']}")

    def test_a_ticket_changes_its_state(self):
        room = self.room
        ticket_id = room.post_ticket(self.desk, "Changing").data["ticket_id"]
        room.until(lambda: room.ticket(ticket_id), "the ticket")
        tag = room.http("GET", f"/v1/tickets/{ticket_id}").headers["ETag"]
        answer = room.change("PATCH", f"/v1/tickets/{ticket_id}", {"state": "in_progress", "note": "on it"}, {"If-Match": tag})
        self.assertEqual((answer.status, answer.data["state"]), (200, "in_progress"))
        self.assertEqual(room.change("PATCH", f"/v1/tickets/{ticket_id}", {"state": "resolved"}, {"If-Match": tag}).status, 412)

    def test_every_fault_of_the_far_side_ends_in_exactly_one_object(self):
        """All faults one after the other on both systems; each strikes the first create of its own ticket."""
        room, failures = self.room, []

        def all_faults(system, board):
            sim, tickets = getattr(room, system), {}
            create = {"method": "POST", "path": {"jira": "/rest/api/3/issue", "trello": "/1/cards"}[system]}
            # A reset before the body strikes whoever comes first: the rule cannot know the body.
            sim.rules(*({"match": create if rule["action"] == "reset_before" else {**create, "contains": f"Fault {n}."}, "times": 1, **rule}
                        for n, rule in enumerate(FAULTS.values())))
            for n, name in enumerate(FAULTS):
                tickets[name] = room.post_ticket(board, f"Fault {n}. {name}").data["ticket_id"]
            for n, (name, ticket_id) in enumerate(tickets.items()):
                try:
                    room.delivered(ticket_id, 60)
                except AssertionError as wrong:
                    failures.append(f"{system}, {name}: {wrong}")
                made = [line["committed"] for line in sim.creates() if line["title"] == f"Fault {n}. {name}" and line["committed"]]
                if len(made) != 1:
                    failures.append(f"{system}, {name}: {made}")

        threads = [threading.Thread(target=all_faults, args=pair) for pair in (("jira", self.jira), ("trello", self.trello))]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(failures, [])


if __name__ == "__main__":
    run_suite()

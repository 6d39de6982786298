"""The judge of mails must be able to fail: an honest run is green, and each forgery is caught by name."""

import json
import pathlib
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
from mail_judge import Evidence, Judge  # noqa: E402

INBOX, SENDER, VALIDITY = "desk@example.test", "ann@people.example.test", 100
INSTALLATION = "00000000-0000-4000-8000-000000000000"


class Run:
    """An honest run in memory, to be bent before it is judged: mail 1 a ticket on Trello, 2 its reply, 3 sent twice, 4 a bounce, 5 a killer, 6 our own; post 1.
    Mail 3's second copy was moved away and back, and so came in a third time."""

    def __init__(self):
        kinds = {1: ("plain", ["ticket"], True), 2: ("reply", ["reply"], False), 3: ("twin", ["ticket"], True), 4: ("bounce", ["bounce"], False), 5: ("killer", ["standby"], False), 6: ("own", ["own"], False)}
        self.driver = []
        for n, (kind, expected, is_confirmed) in kinds.items():
            self.driver.append({"what": "mail", "n": n, "kind": kind, "inbox": INBOX, "sender": SENDER, "message_id": None if kind == "killer" else f"<m{n}@x>",
                                "answers": 1 if kind in ("reply", "bounce") else None, "copies": 2 if kind == "twin" else 1, "expected": expected, "is_confirmed": is_confirmed})
            self.driver.append({"what": "taken", "n": n})
        self.driver += [{"what": "taken", "n": 3}, {"what": "post", "n": 1, "title": "post 1"}, {"what": "accepted", "n": 1, "ticket_id": "tp"}, {"what": "kill", "name": "notifier-0", "pid": 7}]
        here = [[1, 1], [2, 2], [3, 3], [5, 4], [6, 5], [7, 6], [8, 3]]  # UID 4 was mail 3's second copy; it is UID 8 now
        self.servers = {"inboxes": {INBOX: {"uid_validity": VALIDITY, "uids": here, "earlier": [[VALIDITY, 4, 3]]}},
                        "people": {SENDER: [self.told(1, 1), self.told(3, 2), dict(self.told(0, 3), message_id="<np@us>")]}, "taken": ["<n1@us>", "<n3@us>", "<np@us>"]}
        self.door = {"arrivals": [self.arrival(1, 1, "ticket", ticket_id="t1"), self.arrival(2, 2, "reply", ticket_id="t1"), self.arrival(3, 3, "ticket", ticket_id="t3"),
                                  self.arrival(4, 3, "duplicate", duplicate_of="a3"), self.arrival(5, 4, "bounce", ticket_id="t1"), self.arrival(6, 5, "standby", standby_id="s5"), self.arrival(7, 6, "own"),
                                  self.arrival(8, 3, "duplicate", duplicate_of="a3")],
                     "tickets": [self.ticket("t1", 1, "kill 1", [{"arrival_id": "a2"}], [self.notice(1)], "d1"), self.ticket("t3", 2, "kill 3", [], [self.notice(3)], None),
                                 self.ticket("tp", 3, "post 1", [], [dict(self.notice("p"), message_id="np@us")], None)],
                     "standby": [{"id": "s5", "kind": "arrival", "message_type": "mail.arrived.v1", "state": "open", "reason": "broke the parser"}],
                     "inboxes": {INBOX: {"uid_validity": VALIDITY, "server": {"exists": 7, "gone": 1},
                                         "arrivals": {"total": 8, "ticket": 2, "reply": 1, "duplicate": 2, "bounce": 1, "own": 1, "standby": 1}, "missing": 0}},
                     "balance": {"accepted": 9, "opened": 3, "reply": 1, "duplicate": 2, "bounce": 1, "own": 1, "standby": 1, "received": 0, "deleted": 0,
                                 "deliveries": {"waiting": 0, "dispatched": 0, "claimed": 0, "done": 4, "cancelled": 0, "standby": 0}}}
        self.trello = [{"method": "POST", "path": "/1/cards", "marker": f"{INSTALLATION}.d1", "title": "kill 1", "committed": "c1"}]
        self.queues = {"ledger.intake": [0, 0], "imap_poller": [0, 1]}

    @staticmethod
    def told(n, ticket):
        return {"message_id": f"<n{n}@us>", "answers": f"<m{n}@x>", "subject": f"[#{ticket}] Re: kill", "auto_submitted": "auto-replied"}

    @staticmethod
    def arrival(uid, number, verdict, **more):
        return {"id": f"a{uid}", "inbox": INBOX, "uid_validity": VALIDITY, "uid": uid, "number": number, "verdict": verdict, "why": "because", "stage": "decided", "ticket_id": None,
                "standby_id": None, "duplicate_of": None, **more}

    @staticmethod
    def notice(n):
        return {"id": f"n{n}", "kind": "confirmation", "recipient": SENDER, "state": "done", "reason_class": "none", "reason": "", "message_id": f"n{n}@us"}

    @staticmethod
    def ticket(ticket_id, number, title, comments, notices, delivery_id):
        delivery = {"id": delivery_id, "state": "done", "reason": ""} if delivery_id else None
        return {"id": ticket_id, "number": number, "title": title, "comments": comments, "notices": notices, "delivery": delivery}

    def judge(self):
        with tempfile.TemporaryDirectory() as folder:
            def put(name, text):
                pathlib.Path(folder, name).write_text(text)
                return f"{folder}/{name}"

            def lines(values):
                return "".join(json.dumps(value) + "\n" for value in values)

            return Judge(Evidence(put("driver", lines(self.driver)), put("servers", json.dumps(self.servers)), put("door", json.dumps(self.door)),
                                  [put("trello", lines(self.trello))], put("queues", json.dumps(self.queues)))).run()


class JudgeTest(unittest.TestCase):
    def setUp(self):
        self.run_ = Run()
        self.arrivals = {arrival["id"]: arrival for arrival in self.run_.door["arrivals"]}
        self.tickets = {ticket["id"]: ticket for ticket in self.run_.door["tickets"]}

    def caught(self, *kinds):
        judge = self.run_.judge()
        self.assertLessEqual(set(kinds), {violation.split(":")[0] for violation in judge.violations}, judge.violations)

    def drop_arrival(self, name):
        self.run_.door["arrivals"].remove(self.arrivals[name])

    def test_an_honest_run_is_green(self):
        judge = self.run_.judge()
        self.assertEqual(judge.violations, [])
        self.assertEqual(judge.line(), "mails taken 6 ticket 2 reply 1 duplicate 2 bounce 1 own 1 standby 1; confirmed 3 assumed_sent 0; posts 1")

    def test_a_mail_without_an_arrival(self):
        self.drop_arrival("a1")
        self.caught("lost", "report", "balance", "phantom")

    def test_a_mail_that_never_reached_its_inbox(self):
        self.drop_arrival("a5")
        self.run_.servers["inboxes"][INBOX]["uids"].remove([5, 4])
        self.caught("lost")

    def test_a_copy_without_an_arrival(self):
        self.drop_arrival("a8")
        self.caught("lost", "report")

    def test_a_mail_that_is_two_tickets(self):
        self.arrivals["a4"].update(verdict="ticket", ticket_id="t9")
        self.run_.door["tickets"].append(Run.ticket("t9", 9, "kill 3", [], [], None))
        self.caught("twice", "report", "balance")

    def test_a_mail_that_is_a_ticket_and_a_standby_item(self):
        self.arrivals["a8"].update(verdict="standby", standby_id="s5")
        self.caught("twice")

    def test_one_uid_with_two_arrivals(self):
        self.run_.door["arrivals"].append(dict(self.arrivals["a1"], id="a99"))
        self.caught("twice")

    def test_two_mails_that_were_mixed_up(self):
        self.arrivals["a1"]["number"], self.arrivals["a5"]["number"] = 4, 1
        self.caught("mixed up")

    def test_a_mail_that_is_not_decided(self):
        self.arrivals["a5"].update(verdict="pending", stage="parsing")
        self.caught("undecided")

    def test_wrong_verdicts(self):
        self.arrivals["a6"]["verdict"] = "unparsable"
        self.assertEqual(self.run_.judge().violations, [])
        for name, verdict in (("a5", "ticket"), ("a6", "ticket"), ("a7", "standby"), ("a1", "standby")):
            self.setUp()
            self.arrivals[name]["verdict"] = verdict
            self.caught("wrong verdict")

    def test_a_parser_killed_from_outside_may_cost_one_mail_its_ticket_and_no_more(self):
        self.run_.driver.append({"what": "kill", "name": "sandbox", "pid": 9})
        self.arrivals["a7"].update(verdict="standby", standby_id="s5")
        self.assertNotIn("wrong verdict", " ".join(self.run_.judge().violations))
        self.arrivals["a5"].update(verdict="standby", standby_id="s5")
        self.caught("wrong verdict")

    def test_only_duplicates_and_duplicates_of_something_else(self):
        self.arrivals["a3"].update(verdict="duplicate", duplicate_of="a4")
        self.caught("lost")
        self.setUp()
        self.arrivals["a4"]["duplicate_of"] = "a1"
        self.caught("wrong verdict")

    def test_replies(self):
        self.tickets["t1"]["comments"].clear()
        self.caught("lost")
        self.setUp()
        self.tickets["t1"]["comments"].append({"arrival_id": "a2"})
        self.caught("twice")
        self.setUp()
        self.arrivals["a2"]["ticket_id"] = "t3"
        self.tickets["t3"]["comments"].append({"arrival_id": "a2"})
        self.caught("wrong verdict")

    def test_a_bounce_that_is_linked_to_another_ticket(self):
        self.arrivals["a5"]["ticket_id"] = "t3"
        self.caught("wrong verdict")

    def test_a_ticket_that_is_not_there(self):
        self.run_.door["tickets"].remove(self.tickets["t1"])
        self.caught("lost", "tracker")

    def test_a_ticket_of_nobody(self):
        self.run_.door["tickets"].append(Run.ticket("t9", 9, "who wrote this?", [], [], None))
        self.caught("phantom")

    def test_an_arrival_of_nobody(self):
        self.run_.door["arrivals"].append(Run.arrival(99, 99, "ticket", ticket_id="t1"))
        self.caught("phantom", "twice")

    def test_an_item_that_the_shelf_does_not_show_and_one_that_nobody_expects(self):
        self.run_.door["standby"].clear()
        self.caught("lost")
        self.setUp()
        self.run_.door["standby"].append({"id": "s9", "kind": "poison", "message_type": "mail.parsed.v1", "state": "open", "reason": "?"})
        self.caught("standby")

    def test_posts(self):
        self.run_.door["tickets"].remove(self.tickets["tp"])
        self.caught("lost", "balance")
        self.setUp()
        self.run_.door["tickets"].append(dict(self.tickets["tp"], id="tp2", notices=[]))
        self.caught("twice")
        self.setUp()
        self.run_.driver.append({"what": "accepted", "n": 1, "ticket_id": "other"})
        self.caught("two ids")

    def test_trackers(self):
        for made in ([], self.run_.trello * 2, [*self.run_.trello, dict(self.run_.trello[0], marker=f"{INSTALLATION}.d9", committed="c9")]):
            self.setUp()
            self.run_.trello = made
            self.caught("tracker")

    def test_reports_that_do_not_balance(self):
        for name, value in (("missing", 1), ("missing", None), ("uid_validity", 99), ("server", {"exists": 6, "gone": 1}), ("server", {"exists": 7, "gone": 0}), ("arrivals", dict(self.run_.door["inboxes"][INBOX]["arrivals"], ticket=1))):
            self.setUp()
            self.run_.door["inboxes"][INBOX][name] = value
            self.caught("report")

    def test_confirmations(self):
        box = self.run_.servers["people"][SENDER]
        box.append(dict(box[0]))
        self.assertEqual(self.run_.judge().violations, [], "the same Message-ID twice is one mail that a server delivered twice")
        box[-1]["message_id"] = "<other@us>"
        self.caught("told twice", "phantom")
        self.setUp()
        self.run_.servers["people"][SENDER].pop(0)
        self.caught("not told")
        self.setUp()
        self.run_.servers["taken"].append("<n1@us>")
        self.caught("told twice")
        self.tickets["t1"]["notices"][0]["kind"] = "comment"
        self.assertEqual(self.run_.judge().violations, [], "a comment may come twice under one Message-ID")
        self.setUp()
        self.run_.servers["taken"].remove("<n3@us>")
        self.caught("not told")
        self.setUp()
        self.tickets["t1"]["notices"].clear()
        self.caught("phantom")
        self.setUp()
        self.run_.servers["people"][SENDER].append(Run.told(4, 1))
        self.caught("told")
        self.setUp()
        self.tickets["t1"]["notices"][0].update(state="waiting")
        self.caught("not told")
        self.setUp()
        self.run_.servers["people"][SENDER].pop(2)
        self.caught("not told")

    def test_what_is_in_doubt_is_listed_and_at_most_the_notifiers_kills(self):
        self.run_.servers["people"][SENDER].pop(0)
        self.tickets["t1"]["notices"][0]["reason_class"] = "assumed_sent"
        judge = self.run_.judge()
        self.assertEqual(judge.violations, [])
        self.assertIn("assumed_sent 1", judge.line())
        self.tickets["t1"]["notices"][0]["message_id"] = None
        self.run_.servers["people"][SENDER].append(dict(Run.told(1, 1), message_id="<t1.n1.seal@us>"))
        self.assertEqual(self.run_.judge().violations, [], "it was sent after all")
        self.run_.servers["people"][SENDER].pop()
        self.tickets["t3"]["notices"][0]["reason_class"] = "assumed_sent"
        self.caught("in doubt")

    def test_an_address_that_the_mail_server_cannot_write_to_may_wait_on_standby(self):
        notice = dict(Run.notice(1), recipient="\u7528\u6237@example.test", state="standby", standby_id="s1")
        self.tickets["t1"]["notices"].append(notice)
        self.run_.door["standby"].append({"id": "s1", "kind": "delivery", "message_type": "notify.mail.v1", "state": "open", "reason": "no SMTPUTF8"})
        self.assertEqual(self.run_.judge().violations, [])
        notice["recipient"] = SENDER
        self.caught("not told", "standby")

    def test_what_is_left_and_what_the_driver_saw(self):
        self.run_.queues["notifier"] = [0, 1]
        self.caught("left in queue")
        self.setUp()
        self.run_.door["balance"]["deliveries"]["claimed"] = 1
        self.caught("pending")
        self.setUp()
        self.run_.door["balance"]["accepted"] = 10
        self.caught("balance")
        self.setUp()
        self.run_.driver.append({"what": "trouble", "text": "notifier-0 ended with -11"})
        self.caught("trouble")


if __name__ == "__main__":
    unittest.main()

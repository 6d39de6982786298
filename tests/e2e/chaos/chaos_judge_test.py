"""The judge of chaos must be able to fail: an honest run is green, and each forgery is caught by name. What it shares with the judge of mails is tested there."""

import json
import pathlib
import sys
import tempfile
import unittest

sys.path[:0] = [str(pathlib.Path(__file__).resolve().parents[1] / folder) for folder in ("mail", "kill", "support")]
from chaos_judge import Evidence, Judge  # noqa: E402
from mail_judge_test import Run as MailRun  # noqa: E402

SETTLE_MS = 3000


class Run(MailRun):
    """The honest run of the judge of mails; besides, change a0 and comments a1 (public) and a2 on the ticket of the post, all told as done."""

    def __init__(self):
        super().__init__()
        self.driver += [{"what": "change", "n": "a0", "ticket_id": "tp", "state": "resolved"}, {"what": "changed", "n": "a0", "status": 200},
                        {"what": "comment", "n": "a1", "ticket_id": "tp", "is_public": True}, {"what": "commented", "n": "a1", "status": 201},
                        {"what": "comment", "n": "a2", "ticket_id": "tp", "is_public": False}, {"what": "commented", "n": "a2", "status": 201}]
        for ticket in self.door["tickets"]:
            ticket.update(state="new", timeline=[])
            for notice in ticket["notices"]:
                notice.update(cause="ticket.opened", maybe_sent=True)
        self.post = self.door["tickets"][2]
        self.post.update(state="resolved", timeline=[self.step("new", "resolved", "change a0.")])
        self.post["comments"] = [self.comment("a1", True), self.comment("a2", False)]
        self.post["notices"] += [self.told_of("comment:ca1", "nc"), self.told_of("state:2", "ns")]
        self.servers["people"]["ann@people.example.test"] += [
            {"message_id": f"<x.{n}.y@us>", "answers": "", "subject": "[#3] post", "auto_submitted": "auto-generated"} for n in ("nc", "ns")]
        self.servers["taken"] += ["<x.nc.y@us>", "<x.ns.y@us>"]
        for item in self.door["standby"]:
            item.update(ticket_id=None, subject_id="a6")
        for line in self.trello:
            line.update(late=False, t=1.0, status=200)

    @staticmethod
    def step(start, end, note=""):
        return {"action": "state", "detail": {"from": start, "to": end, "note": note}}

    @staticmethod
    def comment(n, is_public):
        return {"id": f"c{n}", "arrival_id": None, "text": f"comment {n}.", "is_public": is_public}

    @staticmethod
    def told_of(cause, notice_id):
        return {"id": notice_id, "kind": cause.split(":")[0], "cause": cause, "recipient": "ann@people.example.test", "state": "done", "reason_class": "none", "reason": "",
                "message_id": f"x.{notice_id}.y@us", "maybe_sent": True}

    def tell(self, what, n, status):
        next(line for line in self.driver if line["what"] == what and line.get("n") == n)["status"] = status

    def judge(self):
        with tempfile.TemporaryDirectory() as folder:
            def put(name, text):
                pathlib.Path(folder, name).write_text(text)
                return f"{folder}/{name}"

            def lines(values):
                return "".join(json.dumps(value) + "\n" for value in values)

            return Judge(Evidence(put("driver", lines(self.driver)), put("servers", json.dumps(self.servers)), put("door", json.dumps(self.door)),
                                  [put("trello", lines(self.trello))], put("queues", json.dumps(self.queues))), SETTLE_MS).run()


class JudgeTest(unittest.TestCase):
    def setUp(self):
        self.run_ = Run()

    def caught(self, *kinds):
        judge = self.run_.judge()
        self.assertLessEqual(set(kinds), {violation.split(":")[0] for violation in judge.violations}, judge.violations)
        return judge

    def green(self):
        judge = self.run_.judge()
        self.assertEqual(judge.violations, [])
        return judge

    def test_an_honest_run_is_green(self):
        judge = self.green()
        self.assertEqual(judge.balance_line(), "accepted 7 done 6 pending 0 standby 1 in_doubt 0 lost 0 duplicated 0")
        self.assertIn("changes 1 of 1, comments 2 of 2", judge.line())

    # --- what operators were told ---

    def test_a_change_that_is_not_there(self):
        self.run_.post.update(state="new", timeline=[])
        self.caught("lost")

    def test_a_change_of_which_nobody_knows_may_have_happened_once(self):
        self.run_.tell("changed", "a0", None)
        self.green()
        self.run_.post.update(state="new", timeline=[])
        self.green()

    def test_a_change_that_was_refused_and_made(self):
        self.run_.tell("changed", "a0", 409)
        self.caught("refused and made")

    def test_a_change_that_was_made_twice(self):
        self.run_.post["timeline"] += [Run.step("resolved", "reopened"), Run.step("reopened", "resolved", "change a0.")]
        self.caught("twice")

    def test_a_change_to_something_else_and_one_of_nobody(self):
        self.run_.post["timeline"] = [Run.step("new", "resolved", "change a9.")]
        self.caught("lost", "phantom")
        self.run_.post["timeline"] = [Run.step("new", "closed", "change a0.")]
        self.caught("wrong")

    def test_steps_that_are_not_legal(self):
        self.run_.post["timeline"].insert(0, Run.step("new", "reopened"))
        self.caught("illegal")

    def test_a_state_that_the_timeline_does_not_tell_of(self):
        self.run_.post["state"] = "closed"
        self.caught("illegal")

    def test_comments(self):
        self.run_.post["comments"].pop(0)
        self.caught("lost")
        self.run_ = Run()
        self.run_.post["comments"].append(Run.comment("a2", False))
        self.caught("twice")
        self.run_ = Run()
        self.run_.post["comments"].append(Run.comment("a7", False))
        self.caught("phantom")

    def test_who_is_told_of_a_comment(self):
        self.run_.post["comments"][0]["is_public"] = False
        self.caught("wrong", "twice")
        self.run_ = Run()
        self.run_.post["notices"] = [notice for notice in self.run_.post["notices"] if notice["id"] != "nc"]
        self.caught("not told", "phantom")

    def test_one_notice_is_one_mail(self):
        self.run_.post["notices"].append(dict(Run.told_of("comment:ca1", "n9"), message_id="x.nc.y@us"))
        self.caught("twice")
        self.run_ = Run()
        self.run_.servers["people"]["ann@people.example.test"].append({"message_id": "<z.nc.y@us>", "answers": "", "subject": "[#3] post", "auto_submitted": "auto-generated"})
        self.caught("told twice")

    # --- the balance ---

    def test_a_post_of_which_nothing_is_left(self):
        self.run_.door["tickets"].remove(self.run_.post)
        judge = self.caught("lost", "balance")
        self.assertIn("lost 1", judge.balance_line())

    def test_a_post_that_waits_on_the_shelf_is_counted_there(self):
        self.run_.door["tickets"].remove(self.run_.post)
        self.run_.door["standby"].append({"id": "s9", "kind": "arrival", "subject_id": "x", "ticket_id": "tp", "message_type": "ticket.open.v1", "state": "open", "reason": "closed"})
        self.assertIn("standby 2 in_doubt 0 lost 0", self.caught("standby").balance_line())

    def test_a_post_with_two_tickets(self):
        self.run_.door["tickets"].append(dict(self.run_.post, id="tq"))
        self.assertIn("duplicated 1", self.caught("duplicated").balance_line())

    def test_a_delivery_that_counts_as_done_and_has_no_object(self):
        self.run_.trello.clear()
        self.assertIn("lost 1", self.caught("lost", "tracker", "balance").balance_line())

    def test_a_delivery_with_two_objects(self):
        self.run_.trello.append(dict(self.run_.trello[0], committed="c2", t=90.0))
        self.assertIn("duplicated 1", self.caught("duplicated", "balance").balance_line())

    def test_a_delivery_that_is_not_finished_is_pending(self):
        self.run_.trello.clear()
        self.run_.door["tickets"][0]["delivery"]["state"] = "claimed"
        self.assertIn("pending 1", self.caught("tracker").balance_line())

    def test_a_create_that_comes_again_too_early(self):
        self.run_.trello.insert(0, dict(self.run_.trello[0], committed=None, status=None, t=0.0))
        self.caught("too early")

    def test_recipients_are_refused_as_often_as_the_mail_server_did(self):
        self.run_.post["notices"][1].update(state="cancelled", reason_class="recipient_refused")
        self.run_.servers["people"]["ann@people.example.test"].pop(-2)
        self.caught("not told")
        self.run_.driver.append({"what": "recipients refused", "most": 1})
        self.green()

    def test_doubts_without_a_kill_are_as_many_as_the_faults_may_leave(self):
        for notice in self.run_.post["notices"][1:]:
            notice["reason_class"] = "assumed_sent"
        self.caught("in doubt")
        self.run_.driver.append({"what": "doubts", "most": 2})
        self.assertIn("in_doubt 2", self.green().balance_line())


if __name__ == "__main__":
    unittest.main()

"""Bad mailboxes and bad mail servers: a clear answer of the test, a state with the reason, no hot loop, and the other inboxes never notice."""

import pathlib
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
from letters import answers, letter, new_id  # noqa: E402
from mailservers import SECRET, SENDER_SECRET, MailServers  # noqa: E402
from suite import RoomTest, run_suite  # noqa: E402

SENDER = "ann@example.test"


class MailBadInput(RoomTest):
    room_arguments = {"mail": True}

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        room = cls.room
        cls.desk = room.board("Desk")
        room.send_through(room.smtp_connection())
        cls.good = room.inbox("good@example.test", cls.desk)
        cls.strange = MailServers("aiosmtpd")  # another authority
        cls.addClassCleanup(cls.strange.close)
        cls.strange.start()
        room.until(lambda: cls.shown(cls.good)["last_caught_up_at"], "the first look into the good inbox")

    @classmethod
    def shown(cls, inbox):
        return cls.room.http("GET", f"/v1/inboxes/{inbox}").data

    def the_good_inbox_works(self):
        message_id, started = new_id(), time.monotonic()
        self.room.mail.send(letter(SENDER, "good@example.test", "Is anybody there?", message_id=message_id), SENDER, "good@example.test")

        def is_ticket():
            return any(a["message_id"] == message_id.strip("<>") and a["verdict"] == "ticket" for a in self.room.http("GET", f"/v1/arrivals?inbox={self.good}&limit=50").data)

        self.room.until(is_ticket, "a ticket in the good inbox")
        return time.monotonic() - started

    def outcome_of(self, connection, **what):
        answer = self.room.change("POST", f"/v1/connections/{connection}/test", what)
        self.assertEqual(answer.status, 200, answer)
        return answer.data

    def bad(self, kind, reason_class, folder="INBOX", **changes):
        """A connection with something wrong: its test names it, and so does its inbox, which is tried at growing intervals."""
        room, user = self.room, f"bad{time.monotonic_ns()}@example.test"
        connection = room.imap_connection(user, **changes) if kind == "imap" else room.smtp_connection(**changes)
        test = self.outcome_of(connection, **({"folder": folder} if kind == "imap" else {}))
        self.assertFalse(test["passed"], test)
        failed = [check for check in test["checks"] if not check["passed"]]
        self.assertTrue(test["summary"] and failed and all(check["detail"] for check in failed), test)
        shown = room.http("GET", f"/v1/connections/{connection}").data
        # A folder that is not there is its inbox's own fault: the login worked.
        self.assertEqual((shown["state"], shown["reason_class"]), ("failing", reason_class) if folder == "INBOX" else ("ok", "none"), (shown, test))
        for secret in (SECRET, SENDER_SECRET, "wrong-secret"):
            self.assertNotIn(secret, f"{test} {shown}")
        if kind == "smtp":
            return
        inbox = room.inbox(user, self.desk, connection, folder=folder)
        failing = room.until(lambda: (now := self.shown(inbox)) and now["state"] == "failing" and now, lambda: f"a failing inbox: {self.shown(inbox)}")
        self.assertEqual(failing["reason_class"], reason_class, failing)
        self.assertTrue(failing["reason"])
        self.assertNotIn("wrong-secret", str(failing))
        room.until(lambda: self.shown(inbox)["failures"] >= 3, "three tries")
        # 0.5 s, 1, 2, 4, 4 …: a hot loop would have tried hundreds of times.
        before, started = self.shown(inbox)["failures"], time.monotonic()
        self.the_good_inbox_works()
        time.sleep(max(0, 4 - (time.monotonic() - started)))
        passed = time.monotonic() - started
        self.assertLessEqual(self.shown(inbox)["failures"] - before, 1 + passed / 2, "tried too often")
        self.assertEqual(self.shown(self.good)["state"], "ok")
        return inbox, connection

    def test_good_connections_pass(self):
        imap, smtp = self.room.mail.port("imap"), self.room.mail.port("submission")
        for connection, what in ((self.room.imap_connection("good@example.test"), {"folder": "INBOX"}), (self.room.smtp_connection(), {}),
                                 (self.room.imap_connection("good@example.test", base_url=f"imap://127.0.0.1:{imap}"), {"folder": "INBOX"}),
                                 (self.room.smtp_connection(base_url=f"smtp://127.0.0.1:{smtp}"), {})):
            test = self.outcome_of(connection, **what)
            self.assertTrue(test["passed"], test)
            self.assertEqual(self.room.http("GET", f"/v1/connections/{connection}").data["state"], "ok")

    def test_wrong_credentials_and_the_right_ones_afterwards(self):
        self.bad("smtp", "credentials", secret="wrong-secret")
        inbox, connection = self.bad("imap", "credentials", secret="wrong-secret")
        self.assertEqual(self.room.change("PATCH", f"/v1/connections/{connection}", {"secret": SECRET}).status, 200)
        self.room.change("POST", f"/v1/inboxes/{inbox}/poll")
        self.room.until(lambda: (now := self.shown(inbox))["state"] == "ok" and now["last_caught_up_at"], "an inbox that is well again")

    def test_wrong_host(self):
        for url in ("imaps://127.0.0.1:1", "imaps://no-such-host.invalid"):
            self.bad("imap", "unreachable", base_url=url)
        for url in ("smtps://127.0.0.1:1", "smtp://no-such-host.invalid"):
            self.bad("smtp", "unreachable", base_url=url)

    def test_wrong_certificate(self):
        self.bad("imap", "certificate", base_url=f"imaps://127.0.0.1:{self.strange.port('imaps')}")
        self.bad("imap", "certificate", base_url=f"imap://127.0.0.1:{self.strange.port('imap')}")
        self.bad("smtp", "certificate", base_url=f"smtps://127.0.0.1:{self.strange.port('smtps')}")
        self.bad("smtp", "certificate", base_url=f"smtp://127.0.0.1:{self.strange.port('submission')}")

    def test_wrong_folder(self):
        inbox, connection = self.bad("imap", "not_found", folder="No such folder")
        test = self.outcome_of(connection, folder="No such folder")
        self.assertIn("No such folder", test["summary"])
        self.assertEqual(self.room.http("GET", f"/v1/connections/{connection}").data["state"], "ok")
        self.assertEqual(self.shown(inbox)["state"], "failing")
        self.assertTrue(self.outcome_of(connection, folder="INBOX")["passed"])

    def test_private_addresses_are_refused_at_the_socket(self):
        for host in ("10.1.2.3", "169.254.169.254", "[::ffff:10.0.0.1]"):
            self.bad("imap", "blocked_address", base_url=f"imaps://{host}")
            self.bad("smtp", "blocked_address", base_url=f"smtps://{host}")

    def test_urls_that_make_no_sense(self):
        for kind, url in (("imap", "https://example.test"), ("imap", "imaps://"), ("imap", "imaps://example.test/INBOX"), ("smtp", "imaps://example.test"), ("smtp", "smtps://u:p@example.test"),
                          ("imap", "imap://example.test:99999")):
            answer = self.room.http("POST", "/v1/connections", {"name": f"odd {url}", "kind": kind, "base_url": url, "account": "a", "secret": "b"})
            self.assertIn(answer.status, (400, 422), (url, answer))
            self.assertIn("/base_url", [error["pointer"] for error in answer.value.get("errors", [])], answer)

    def test_inboxes_that_make_no_sense(self):
        connection = self.room.imap_connection("odd@example.test")
        right = {"name": "Odd", "connection_id": connection, "address": "odd@example.test", "folder": "INBOX"}
        jira = self.room.connection("jira")
        for change, pointer in (({"address": "no address"}, "/address"), ({"interval_seconds": 0}, "/interval_seconds"), ({"after": "burn"}, "/after"), ({"zebra": 1}, "/zebra"),
                                ({"connection_id": jira}, "/connection_id"), ({"after": "move"}, "/after_folder"), ({"since": "yesterday"}, "/since")):
            answer = self.room.change("POST", "/v1/inboxes", right | change)
            self.assertIn(answer.status, (400, 404, 409, 422), (change, answer))
            self.assertIn(pointer, str(answer.value), (change, answer))

    def test_a_server_that_goes_away_and_comes_back(self):
        user, room = "patient@example.test", self.room
        inbox = room.inbox(user, self.desk)
        room.until(lambda: self.shown(inbox)["last_caught_up_at"], "the first look")
        room.mail.dovecot.kill()
        room.until(lambda: self.shown(inbox)["state"] == "failing", lambda: f"a failing inbox: {self.shown(inbox)}")
        message_id = new_id()
        room.mail.dovecot.start()
        room.mail.send(letter(SENDER, user, "While you were away", message_id=message_id), SENDER, user)
        room.mail.hurry()
        room.until(lambda: any(a["verdict"] == "ticket" for a in room.http("GET", f"/v1/arrivals?inbox={inbox}").data), "the mail's ticket")
        self.assertEqual(self.shown(inbox)["state"], "ok")

    def test_while_nothing_can_be_sent_tickets_open_and_the_mails_go_out_later(self):
        room = self.room
        room.mail.front.kill()
        try:
            message_id, sender = new_id(), "fay@example.test"
            if room.mail.smtpd is None:  # of an ordinary user there is one SMTP server for all
                self.assertRaises(OSError, room.mail.send, b"", sender, "good@example.test")
                return
            room.mail.send(letter(sender, "good@example.test", "Tell me later", message_id=message_id), sender, "good@example.test")
            ticket = room.until(lambda: next((a["ticket_id"] for a in room.http("GET", f"/v1/arrivals?inbox={self.good}").data
                                              if a["message_id"] == message_id.strip("<>") and a["verdict"] == "ticket"), None), "the ticket")
            room.until(lambda: [n for n in room.http("GET", f"/v1/tickets/{ticket}/notices").data if n["attempts"] >= 2 and n["state"] != "done"], "two attempts")
        finally:
            room.mail.front.start()

        def told():
            with room.mail.mailbox(sender, is_readonly=True) as box:
                return answers(box.mails().values(), message_id)

        room.until(told, "the confirmation")
        time.sleep(2)
        self.assertEqual(len(told()), 1)

    def test_secrets_are_nowhere(self):
        """Not in the logs, not in the database, not in what the front door shows."""
        for name, member in self.room.processes.members.items():
            for secret in (SECRET, SENDER_SECRET):
                self.assertNotIn(secret, member.log_text(), name)
        found = subprocess.run(["grep", "-rlaF", SECRET, self.room.home / "data"], capture_output=True, text=True).stdout
        self.assertEqual(found, "", "sealed everywhere")


if __name__ == "__main__":
    run_suite()

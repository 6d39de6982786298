"""Mail in, mail out, with a real Dovecot and a real SMTP server: what a mail becomes, where, and what its sender hears of it."""

import pathlib
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
from letters import KILLER, answers, attached, bounce, letter, new_id, plain_text  # noqa: E402
from suite import RoomTest, run_suite  # noqa: E402

SENDER = "ann@example.test"


class MailTest(RoomTest):
    room_arguments = {"mail": True}

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        room = cls.room
        room.send_through(room.smtp_connection())
        cls.desk = room.board("Desk")
        cls.keywords = room.change("POST", "/v1/boards", {"name": "Printers", "target": {"kind": "desk"}, "keywords": ["printer"]}).data["id"]
        cls.shared = room.inbox("shared@example.test")
        cls.own = room.inbox("desk@example.test", cls.desk)
        for inbox in (cls.shared, cls.own):
            cls.caught_up(inbox)

    # --- what tests are made of ---

    @classmethod
    def shown(cls, inbox):
        return cls.room.http("GET", f"/v1/inboxes/{inbox}").data

    @classmethod
    def caught_up(cls, inbox):
        cls.room.until(lambda: cls.shown(inbox)["last_caught_up_at"], lambda: f"the first look into {cls.shown(inbox)}")

    def arrivals(self, inbox):
        return self.room.pages(f"/v1/arrivals?inbox={inbox}")

    def decided(self, inbox, message_id):
        """The arrival of a mail once its verdict is there."""
        def look():
            return next((a for a in self.arrivals(inbox) if a["message_id"] == message_id.strip("<>") and a["verdict"] != "pending"), None)

        return self.room.until(look, lambda: f"the verdict on {message_id}; there are {[(a['subject'], a['verdict']) for a in self.arrivals(inbox)]}; {self.shown(inbox)}")

    def send(self, to, subject, text="Hello.", sender=SENDER, **more):
        message_id = more.pop("message_id", None) or new_id()
        self.room.mail.send(letter(sender, to, subject, text, message_id=message_id, **more), sender, to)
        return message_id

    def answers_to(self, message_id, sender=SENDER, count=1):
        """The mails that the sender got in answer, once there are so many."""
        def look():
            with self.room.mail.mailbox(sender, is_readonly=True) as box:
                found = answers(box.mails().values(), message_id)
            return list(found.values()) if len(found) >= count else None

        return self.room.until(look, f"{count} answers to {message_id} in {sender}'s mailbox")

    def balances(self, inbox):
        """The report, once it agrees with the server's own count."""
        def look():
            report = self.room.http("GET", f"/v1/inboxes/{inbox}/report").data
            return report if report["missing"] == 0 and not report["server"]["gone"] and not report["arrivals"]["pending"] else None

        return self.room.until(look, lambda: f"a report that balances: {self.room.http('GET', f'/v1/inboxes/{inbox}/report').data}")

    # --- what a mail becomes ---

    def test_a_mail_is_a_ticket_on_the_inboxs_board_and_its_sender_hears_of_it(self):
        message_id = self.send("desk@example.test", "Grüße an die Poststelle", "Wo ist der Schlüssel?\n\nAnn", name="Ann Ämes")
        arrival = self.decided(self.own, message_id)
        self.assertEqual(arrival["verdict"], "ticket", arrival)
        ticket = self.room.ticket(arrival["ticket_id"])
        self.assertEqual((ticket["title"], ticket["board_id"], ticket["creator_email"], ticket["creator_name"]), ("Grüße an die Poststelle", self.desk, SENDER, "Ann Ämes"))
        self.assertIn("Wo ist der Schlüssel?", ticket["description"])
        (told,) = self.answers_to(message_id)
        self.assertEqual(told["Auto-Submitted"], "auto-replied")
        self.assertIn(f"#{ticket['number']}", told["Subject"])
        self.assertIn("Grüße an die Poststelle", told["Subject"] + plain_text(told))
        self.assertIsNotNone(told.get_body(("html",)))
        (notice,) = self.room.http("GET", f"/v1/tickets/{ticket['id']}/notices").data
        self.assertEqual((notice["kind"], notice["recipient"], f"<{notice['message_id'].strip('<>')}>"), ("confirmation", SENDER, told["Message-ID"]))
        raw = self.room.http("GET", f"/v1/arrivals/{arrival['id']}/raw")
        self.assertEqual(raw.status, 200)
        self.assertIn(message_id, raw.value)
        said = " ".join(str(entry["detail"]) for entry in self.room.http("GET", f"/v1/tickets/{ticket['id']}/timeline").data)
        self.assertIn("Inbox of desk@example.test", said)

    def test_keywords_route_what_no_inbox_claims_and_the_rest_waits_on_standby(self):
        message_id = self.send("shared@example.test", "The PRINTER hums")
        arrival = self.decided(self.shared, message_id)
        self.assertEqual((arrival["verdict"], self.room.ticket(arrival["ticket_id"])["board_id"]), ("ticket", self.keywords), arrival)
        message_id = self.send("shared@example.test", "Nobody knows where this belongs")
        arrival = self.decided(self.shared, message_id)
        self.assertEqual(arrival["verdict"], "standby", arrival)
        item = self.room.until(lambda: next((i for i in self.room.http("GET", "/v1/standby?kind=arrival").data if i["correlation_id"] == arrival["id"]), None), "the item")
        self.assertTrue(item["reason"])
        with self.room.mail.mailbox(SENDER, is_readonly=True) as box:
            self.assertEqual(answers(box.mails().values(), message_id), {})
        self.assertEqual(self.room.change("POST", f"/v1/standby/{item['id']}/assign", {"board_id": self.desk}).status, 200)
        self.assertIn(self.room.change("POST", f"/v1/standby/{item['id']}/retry").status, (200, 202))
        again = self.room.until(lambda: (a := self.decided(self.shared, message_id)) and a["verdict"] == "ticket" and a, "the ticket")
        self.assertEqual(self.room.ticket(again["ticket_id"])["board_id"], self.desk)
        self.answers_to(message_id)
        self.balances(self.shared)

    def test_an_answer_lands_on_its_ticket_and_opens_a_resolved_one_again(self):
        message_id = self.send("desk@example.test", "A question")
        ticket_id = self.decided(self.own, message_id)["ticket_id"]
        (told,) = self.answers_to(message_id)
        self.assertEqual(self.room.change("PATCH", f"/v1/tickets/{ticket_id}", {"state": "resolved"}).status, 200)
        quote = "".join(f"> {line}\n" for line in plain_text(told).splitlines())
        answer = self.send("desk@example.test", f"Re: {told['Subject']}", f"One thing more.\n\nOn Friday, The post room wrote:\n{quote}", answer_to=told["Message-ID"])
        arrival = self.decided(self.own, answer)
        self.assertEqual((arrival["verdict"], arrival["ticket_id"]), ("reply", ticket_id), arrival)
        (comment,) = self.room.http("GET", f"/v1/tickets/{ticket_id}/comments").data
        self.assertEqual((comment["text"].strip(), comment["author_email"], comment["is_public"]), ("One thing more.", SENDER, True))
        self.assertEqual(self.room.ticket(ticket_id)["state"], "reopened")

    def test_a_comment_and_a_state_are_told_to_the_creator(self):
        message_id = self.send("desk@example.test", "Tell me", sender="bob@example.test")
        ticket_id = self.decided(self.own, message_id)["ticket_id"]
        self.answers_to(message_id, "bob@example.test")
        self.assertIn(self.room.change("POST", f"/v1/tickets/{ticket_id}/comments", {"text": "We look into it.", "is_public": True}).status, (200, 201))
        self.assertIn(self.room.change("POST", f"/v1/tickets/{ticket_id}/comments", {"text": "He is impatient.", "is_public": False}).status, (200, 201))
        self.assertEqual(self.room.change("PATCH", f"/v1/tickets/{ticket_id}", {"state": "resolved"}).status, 200)
        told = [plain_text(mail) for mail in self.answers_to(message_id, "bob@example.test", 3)]
        self.assertEqual(sum("We look into it." in text for text in told), 1, told)
        self.assertFalse([text for text in told if "impatient" in text])
        kinds = sorted(notice["kind"] for notice in self.room.http("GET", f"/v1/tickets/{ticket_id}/notices").data)
        self.assertEqual(kinds, ["comment", "confirmation", "state"])

    def test_the_same_mail_twice_bounces_an_absence_note_and_our_own_address(self):
        twin = new_id()
        for _ in range(2):
            self.send("desk@example.test", "Sent twice by my telephone", message_id=twin)
        self.room.until(lambda: sorted(a["verdict"] for a in self.arrivals(self.own) if a["message_id"] == twin.strip("<>")) == ["duplicate", "ticket"], "one ticket and one duplicate")
        (confirmation,) = self.answers_to(twin)
        for reported in (new_id(), str(confirmation["Message-ID"])):  # somebody else's mail, and ours
            self.room.mail.send(bounce("desk@example.test", SENDER, reported), "", "desk@example.test")

        def verdicts():
            return {a["verdict"]: a for a in self.arrivals(self.own) if a["subject"].startswith("Undelivered") and a["verdict"] != "pending"}

        self.room.until(lambda: len(verdicts()) == 2, lambda: f"the verdicts on two reports: {verdicts()}")
        self.assertEqual(set(verdicts()), {"bounce", "ticket"})
        self.assertEqual(verdicts()["bounce"]["ticket_id"], self.decided(self.own, twin)["ticket_id"])
        self.assertIn("not ours", verdicts()["ticket"]["why"])
        absent = self.send("desk@example.test", "Out of office", headers={"Auto-Submitted": "auto-replied"})
        arrival = self.decided(self.own, absent)
        self.assertTrue(arrival["is_auto"], arrival)
        form = self.decided(self.own, self.send("desk@example.test", "A web form that writes as us", sender="desk@example.test"))
        self.assertEqual((form["verdict"], form["is_auto"]), ("ticket", True), form)
        marker = self.send("desk@example.test", "The last one", sender="cy@example.test")
        self.answers_to(marker, "cy@example.test")
        with self.room.mail.mailbox(SENDER, is_readonly=True) as box:
            mails = list(box.mails().values())
            self.assertEqual((len(answers(mails, twin)), len(answers(mails, absent))), (1, 0))
        self.balances(self.own)

    def test_attachments_can_be_had_and_harm_nobody(self):
        self.room.mail.send(attached(SENDER, "desk@example.test", "With files", "See below.", {"../../etc/passwd": b"x" * 100_000, "ein Bild.png": b"\x89PNG"}), SENDER, "desk@example.test")
        arrival = self.room.until(lambda: next((a for a in self.arrivals(self.own) if a["subject"] == "With files" and a["verdict"] == "ticket"), None), "the ticket")
        files = {file["name"]: file for file in self.room.http("GET", f"/v1/tickets/{arrival['ticket_id']}/attachments").data}
        self.assertEqual(sorted(file["size"] for file in files.values()), [4, 100_000])
        self.assertFalse([name for name in files if "/" in name or name.startswith(".")], files)
        for file in files.values():
            answer = self.room.http("GET", f"/v1/attachments/{file['id']}")
            self.assertEqual((answer.status, answer.headers["X-Content-Type-Options"], int(answer.headers["Content-Length"])), (200, "nosniff", file["size"]))
            self.assertTrue(answer.headers["Content-Disposition"].startswith("attachment"), answer.headers["Content-Disposition"])

    def test_a_killer_among_good_mails_costs_only_itself(self):
        killers = self.room.inbox("killers@example.test", self.desk)
        self.caught_up(killers)
        before = {name: self.room.processes.members[name].pid for name in self.room.names("mail_router")}
        ids = [new_id() for _ in range(50)]
        for number, message_id in enumerate(ids):
            mail = KILLER if number == 25 else letter(SENDER, "killers@example.test", f"good {number}", message_id=message_id)
            self.room.mail.send(mail, SENDER, "killers@example.test")
        self.room.until(lambda: len([a for a in self.arrivals(killers) if a["verdict"] != "pending"]) == 50, lambda: f"50 verdicts: {self.room.http('GET', f'/v1/inboxes/{killers}/report').data}")
        verdicts = [a["verdict"] for a in self.arrivals(killers)]
        self.assertEqual((verdicts.count("ticket"), len(verdicts)), (49, 50), verdicts)
        self.assertIn(self.balances(killers)["arrivals"]["standby"], (1,))
        # Nobody can read it; whoever wants to work on it gets a ticket with the mail in it.
        (killer,) = [a for a in self.arrivals(killers) if a["verdict"] == "unparsable"]
        item = f"/v1/standby/{killer['standby_id']}"
        self.assertEqual(self.room.change("POST", f"{item}/assign", {"board_id": self.desk}).status, 200)
        self.assertEqual(self.room.change("POST", f"{item}/retry").status, 200)
        arrival = self.room.until(lambda: next((a for a in self.arrivals(killers) if a["id"] == killer["id"] and a["verdict"] == "ticket"), None), "the killer's ticket")
        self.assertEqual(self.room.ticket(arrival["ticket_id"])["title"], "Mail that could not be read")
        (file,) = self.room.http("GET", f"/v1/tickets/{arrival['ticket_id']}/attachments").data
        self.assertEqual((file["name"], file["content_type"]), ("mail.eml", "message/rfc822"))
        self.assertGreaterEqual(file["size"], len(KILLER))  # with what the servers wrote on it
        self.assertEqual({name: self.room.processes.members[name].pid for name in self.room.names("mail_router")}, before)

    # --- the mailbox ---

    def test_mail_older_than_the_inbox_stays_where_it_is_unless_asked_for_and_is_not_confirmed(self):
        old = [self.leave("late@example.test", f"old {number}") for number in range(3)]
        inbox = self.room.inbox("late@example.test", self.desk)
        self.caught_up(inbox)
        new = self.send("late@example.test", "new", sender="dan@example.test")
        self.assertEqual(self.decided(inbox, new)["verdict"], "ticket")
        report = self.balances(inbox)
        self.assertEqual((report["server"]["exists"], report["server"]["older"], report["arrivals"]["total"]), (4, 3, 1))
        everything = self.leave("whole@example.test", "old too")
        inbox = self.room.inbox("whole@example.test", self.desk, since="all")
        self.assertEqual(self.decided(inbox, everything)["verdict"], "ticket")
        self.answers_to(new, "dan@example.test")
        with self.room.mail.mailbox("dan@example.test", is_readonly=True) as box:
            mails = list(box.mails().values())
        self.assertFalse([message_id for message_id in [*old, everything] if answers(mails, message_id)])

    def leave(self, user, subject):
        """A mail that dan wrote an hour ago, in the user's mailbox; its Message-ID."""
        message_id = new_id()
        with self.room.mail.mailbox(user) as box:
            box.put(letter("dan@example.test", user, subject, "Hello.", message_id=message_id), time.time() - 3600)
        return message_id

    def count_of(self, user, folder="INBOX"):
        try:
            with self.room.mail.mailbox(user, folder, is_readonly=True) as box:
                return box.exists
        except Exception as wrong:
            if "doesn't exist" in str(wrong):
                return 0
            raise

    def test_what_becomes_of_a_mail_on_the_server(self):
        for after, folder in (("seen", None), ("move", "Done"), ("delete", None), ("keep", None)):
            with self.subTest(after):
                user = f"{after}@example.test"
                if folder:
                    with self.room.mail.mailbox(user) as box:
                        box.far.create(folder)
                inbox = self.room.inbox(user, self.desk, after=after, **({"after_folder": folder} if folder else {}))
                self.caught_up(inbox)
                first = self.send(user, f"to be {after}")
                self.assertEqual(self.decided(inbox, first)["verdict"], "ticket")

                def is_done(user=user, after=after, folder=folder):
                    with self.room.mail.mailbox(user, is_readonly=True) as box:
                        seen = ["\\Seen" in flags for flags in box.flags().values()]
                    return {"seen": seen == [True], "keep": seen == [False], "delete": seen == [], "move": seen == [] and folder and self.count_of(user, folder) == 1}[after]

                self.room.until(is_done, f"{after} on the server; {self.shown(inbox)}")
                self.balances(inbox)

    def test_another_client_and_another_uidvalidity(self):
        user = "busy@example.test"
        inbox = self.room.inbox(user, self.desk)
        self.caught_up(inbox)
        ids = [self.send(user, f"busy {number}", sender="eve@example.test") for number in range(6)]
        for message_id in ids:
            self.decided(inbox, message_id)
        with self.room.mail.mailbox(user) as box:
            uids = box.uids()
            box.flag(uids[0], "\\Seen")
            box.flag(uids[1], "\\Flagged")
            box.move(uids[2], "Read")
            box.select("Read")
            (away,) = box.uids()
            box.move(away, "INBOX")
        self.room.until(lambda: sum(a["verdict"] == "duplicate" for a in self.arrivals(inbox)) == 1, "the mail that came back as a duplicate")
        self.room.mail.reset_uids(user)
        ids.append(self.send(user, "busy after the change", sender="eve@example.test"))
        self.decided(inbox, ids[-1])
        with self.room.mail.mailbox(user, is_readonly=True) as box:
            now, exists = box.uid_validity, box.exists
        self.assertEqual(exists, 7)
        self.room.until(lambda: len([a for a in self.arrivals(inbox) if a["uid_validity"] == now and a["verdict"] != "pending"]) == 7, "all mails under the new UIDVALIDITY")
        self.balances(inbox)
        found = [a for a in self.arrivals(inbox) if a["verdict"] == "ticket"]
        self.assertEqual(sorted(a["message_id"] for a in found), sorted(i.strip("<>") for i in ids))
        with self.room.mail.mailbox("eve@example.test", is_readonly=True) as box:
            mails = list(box.mails().values())
        self.assertEqual([len(answers(mails, message_id)) for message_id in ids[:-1]], [1] * 6)


if __name__ == "__main__":
    run_suite()

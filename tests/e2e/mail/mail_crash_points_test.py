"""Every named crash point of the mail doors: each worker dies there once, and still each mail is one ticket and its sender is told once.

The points are read from the sources. Points of different workers strike in the same round."""

import pathlib
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
from client import PATIENCE_SECONDS  # noqa: E402
from letters import answers, attached, letter, new_id  # noqa: E402
from suite import CrashTest, crash_points, run_suite  # noqa: E402

PLACES = {"workers/imap_poller": ("imap_poller",), "workers/mail_router": ("mail_router",), "workers/runtime": ("notifier",), "workers/notifier": ("notifier",),
          "common/broker": ("imap_poller", "mail_router", "notifier"), "common/blob": ("imap_poller", "mail_router")}
ADDRESS = "desk@example.test"


class MailCrashPoints(CrashTest):
    # Leases short enough that one ends in every round.
    room_arguments = {"mail": True, "jira": 0, "trello": 0, "settings": {("mail", "lease_ms"): 5000}}

    def write(self, person, subject):
        message_id = new_id()
        self.room.mail.send(attached(person, ADDRESS, subject, "Hello.", {"list.bin": subject.encode()}, message_id), person, ADDRESS)
        return message_id

    def notices(self, subject):
        return self.room.rows("SELECT d.state, d.reason_class FROM deliveries d JOIN tickets t ON t.id = d.ticket_id WHERE t.title = ?", subject)

    def test_each_point_kills_once_and_every_mail_is_one_ticket_and_one_answer(self):
        room, points, failures = self.room, crash_points(PLACES), []
        self.assertTrue(all(points.values()), points)
        room.send_through(room.smtp_connection())
        inbox = room.inbox(ADDRESS, room.board("Desk"))
        room.until(lambda: room.http("GET", f"/v1/inboxes/{inbox}").data["last_caught_up_at"], "the first look")
        for number in range(max(map(len, points.values()))):
            armed = {kind: names[number] for kind, names in points.items() if number < len(names)}
            before = {kind: self.died(kind) for kind in armed}
            for kind, point in armed.items():
                self.arm(kind, point)
            person, mails, deadline = f"person{number}@people.example.test", {}, time.monotonic() + PATIENCE_SECONDS
            # Again and again, since an earlier mail may be handled by the worker before it was armed.
            while True:
                subject = f"round {number} mail {len(mails)}"
                mails[subject] = self.write(person, subject)
                waiting = [kind for kind in armed if self.died(kind) == before[kind]]
                if not waiting or time.monotonic() > deadline:
                    break
                time.sleep(1)
            failures += [f"{kind} never came to {armed[kind]}" for kind in waiting]
            doubts = 0
            for subject in mails:
                try:
                    room.until(lambda s=subject: [n for n in self.notices(s) if n["state"] == "done"], lambda s=subject: f"the confirmation of {s}: {self.notices(s)}")
                except AssertionError as wrong:
                    failures.append(f"{subject} with {armed}: {wrong}")
                doubts += sum(notice["reason_class"] == "assumed_sent" for notice in self.notices(subject))
                if (count := len(room.rows("SELECT 1 FROM tickets WHERE title = ?", subject))) != 1:
                    failures.append(f"{subject} with {armed}: {count} tickets")
            if doubts > ("notifier" in armed):
                failures.append(f"{doubts} in doubt with {armed}")
            with room.mail.mailbox(person, is_readonly=True) as box:
                found = list(box.mails().values())
            told = {subject: len(answers(found, message_id)) for subject, message_id in mails.items()}
            if any(count > 1 for count in told.values()) or list(told.values()).count(0) > doubts:
                failures.append(f"answers with {armed}, {doubts} in doubt: {told}")
        self.forgive_deaths()
        print(f"\n{sum(map(len, points.values()))} points: {points}")
        self.assertEqual(failures, [])

    def test_a_mail_that_kills_every_poller_stands_on_the_shelf_and_its_neighbours_are_tickets(self):
        room, address = self.room, "frail@example.test"
        inbox = room.inbox(address, room.board("Frail"))
        room.until(lambda: room.http("GET", f"/v1/inboxes/{inbox}").data["last_caught_up_at"], "the first look")
        before, poller = self.died("imap_poller"), room.processes.members["imap_poller-0"]
        poller.environment["POSTROOM_CRASH_AT"] = "poller_mail=Subject: killer"
        room.processes.kill(poller.name)
        for subject in ("before", "killer", "behind"):
            room.mail.send(letter("eve@people.example.test", address, subject, message_id=new_id()), "eve@people.example.test", address)

        def verdicts():
            return sorted(a["verdict"] for a in room.http("GET", f"/v1/arrivals?inbox={inbox}").data)

        room.until(lambda: verdicts() == ["standby", "ticket", "ticket"], lambda: f"two tickets and one on the shelf: {verdicts()}, {room.http('GET', f'/v1/inboxes/{inbox}').data}")
        self.assertEqual([i["reason_class"] for i in room.http("GET", "/v1/standby?limit=50").data if i["state"] == "open"], ["unfetchable"])
        deaths = self.died("imap_poller") - before
        self.assertTrue(3 <= deaths <= 5, f"{deaths} deaths: three strikes, and those that knew nothing yet")
        room.until(lambda: room.http("GET", f"/v1/inboxes/{inbox}").data["state"] == "ok", "an inbox that is well again")
        self.assertEqual(room.http("GET", f"/v1/inboxes/{inbox}/report").data["missing"], 0)
        del poller.environment["POSTROOM_CRASH_AT"]
        self.forgive_deaths()


if __name__ == "__main__":
    run_suite()

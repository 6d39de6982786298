"""People who work while everything fails: they change states, comment, and send on what waits on the shelf. What they asked for and were told is in the driver's file."""

import random
import threading
import time
import uuid

from client import NO_ANSWER, patiently

STATES = ("new", "assigned", "in_progress", "on_hold", "resolved", "closed", "reopened")
NO_BOARD = "no_board"  # the reason class of a mail that belongs to no board
REPLAY_LIMIT_SECONDS = 120


class Person(threading.Thread):
    """One of them; `numbers` counts what all of them ask for."""

    def __init__(self, room, driver, seed):
        super().__init__(daemon=True)
        self.room, self.driver, self.chance, self.is_over = room, driver, random.Random(seed), False

    def run(self):
        while not self.is_over:
            time.sleep(self.chance.uniform(0.05, 0.4))
            try:
                self.work()
            except Exception as wrong:  # told to the judge
                self.driver.write("trouble", text=f"{type(self).__name__}: {type(wrong).__name__}: {wrong}")

    def end(self):
        self.is_over = True
        self.join()

    def asked(self, method, path, body):
        """The status of what the command came to; None when nobody knows."""
        try:
            answer = self.room.change(method, path, body, {"Idempotency-Key": str(uuid.UUID(int=self.chance.getrandbits(128), version=4))})
        except NO_ANSWER:
            return None, None
        except AssertionError as wrong:
            if "in vain" not in str(wrong):
                raise
            return None, None
        return answer.status, answer.value["data"] if answer.status < 300 and isinstance(answer.value, dict) and "data" in answer.value else answer.value


class Clerk(Person):
    """Changes states, sensibly or not, and comments, for the creator's eyes or not."""

    def __init__(self, room, driver, seed, clients, name):
        super().__init__(room, driver, seed)
        self.clients, self.called, self.done = clients, name, 0

    def work(self):
        if not self.clients.promised:
            return
        ticket_id, n = self.chance.choice(self.clients.promised[-200:]), f"{self.called}{self.done}"
        self.done += 1
        if self.chance.random() < 0.6:
            state = self.chance.choice(STATES)
            self.driver.write("change", n=n, ticket_id=ticket_id, state=state)
            status, _ = self.asked("PATCH", f"/v1/tickets/{ticket_id}", {"state": state, "note": f"change {n}."})
            self.driver.write("changed", n=n, status=status)
        else:
            is_public = self.chance.random() < 0.5
            self.driver.write("comment", n=n, ticket_id=ticket_id, is_public=is_public)
            status, _ = self.asked("POST", f"/v1/tickets/{ticket_id}/comments", {"text": f"comment {n}.", "is_public": is_public})
            self.driver.write("commented", n=n, status=status)


class Shelver(Person):
    """Sends on what waits on the shelf and can go on, singly or by filter, now and then twice at the same moment. Mails that no parser can read stay."""

    def __init__(self, room, driver, seed, board):
        super().__init__(room, driver, seed)
        self.board, self.sent_on, self.by_filter, self.conflicts = board, 0, 0, 0

    def waiting(self):
        """What can go on."""
        def look():
            return self.room.http("GET", "/v1/standby?state=open,assigned&limit=200", timeout=10)

        answer = patiently(look)
        if answer.status != 200:
            return []
        unreachable = {row["id"] for row in self.room.rows("SELECT id, recipient FROM deliveries WHERE state = 'standby' AND recipient <> ''") if not row["recipient"].isascii()}
        return [item for item in answer.data if (item["kind"] == "delivery" and item["subject_id"] not in unreachable) or (item["kind"] == "arrival" and item["reason_class"] == NO_BOARD)]

    def work(self):
        items = self.waiting()
        if not items:
            return
        if len(items) > 20 or self.chance.random() < 0.1:
            return self._send_on_many(self.chance.choice(items))
        for item in self.chance.sample(items, min(3, len(items))):
            self._send_on(item)

    def _send_on(self, item):
        if item["kind"] == "arrival":
            self.asked("POST", f"/v1/standby/{item['id']}/assign", {"board_id": self.board})
        told = []
        people = [threading.Thread(target=lambda: told.append(self.asked("POST", f"/v1/standby/{item['id']}/retry", None)[0])) for _ in range(1 + (self.chance.random() < 0.3))]
        for person in people:
            person.start()
        for person in people:
            person.join()
        self.driver.write("sent on", item=item["id"], kind=item["kind"], told=told)
        self.sent_on += any(status in (200, 202) for status in told)
        self.conflicts += told.count(409)

    def _send_on_many(self, like):
        """All of its kind."""
        wanted = {"filter": {"kind": "arrival", "reason_class": NO_BOARD}, "board_id": self.board} if like["kind"] == "arrival" else {"filter": {"kind": "delivery", "reason_class": like["reason_class"]}}
        answer = self.room.promised("POST", "/v1/standby/retry", wanted)
        self.driver.write("sent on by filter", filter=wanted["filter"], status=answer.status)
        self.by_filter += answer.status == 202

    def finish(self):
        """Until nothing waits that can go on."""
        deadline = time.monotonic() + REPLAY_LIMIT_SECONDS
        while time.monotonic() < deadline:
            if self.waiting():
                self.work()
            elif not self.room.rows("SELECT 1 FROM standby WHERE state = 'retry_pending' LIMIT 1") and not self.room.rows("SELECT 1 FROM mails WHERE stage <> 'decided' LIMIT 1"):
                return
            time.sleep(0.3)
        self.driver.write("trouble", text=f"{len(self.waiting())} items wait on the shelf and were sent on in vain")

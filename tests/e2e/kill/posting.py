"""The clients of the kill test: they post, and write down what they were promised before they do anything else."""

import json
import os
import random
import threading
import time
import uuid

from client import NO_ANSWER


class DriverFile:
    """The driver's own evidence: appended and flushed to disk line by line."""

    def __init__(self, path):
        self.file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
        self.lock = threading.Lock()

    def write(self, what, **members):
        with self.lock:
            os.write(self.file, json.dumps({"what": what, **members, "at": time.monotonic()}).encode() + b"\n")
            os.fsync(self.file)


class Gate:
    """Lets posts through as the kills go on, so that there is work from the first to the last of them."""

    def __init__(self, total):
        self.total, self.allowed, self.passed = total, 0, 0
        self.condition = threading.Condition()

    def open_to(self, share):
        with self.condition:
            self.allowed = max(self.allowed, min(self.total, round(self.total * share)))
            self.condition.notify_all()

    def open_more(self, count):
        """Out of turn, for a kill that has waited for work in vain."""
        self.open_to((self.allowed + count) / self.total)

    def next(self):
        """The number of the next post, or None when all are done."""
        with self.condition:
            while self.passed < self.total and self.passed >= self.allowed:
                self.condition.wait()
            if self.passed >= self.total:
                return None
            self.passed += 1
            return self.passed - 1


class Clients:
    """Half of the clients repeat what was refused, with the same key, until it is accepted; the others leave it. Some repeat even what was accepted."""

    COUNT, REPEAT_LIMIT_SECONDS = 8, 60

    def __init__(self, room, boards, driver, seed, total):
        self.room, self.boards, self.driver, self.seed = room, boards, driver, seed
        self.promised = []  # ids of tickets
        self.may_post = threading.Event()
        self.may_post.set()
        self.gate = Gate(total)
        self.open_posts, self.counting = 0, threading.Lock()
        self.promised_at, self.just_promised = 0.0, threading.Event()  # set with every 202; the killer of ledgers clears it and waits
        self.threads = [threading.Thread(target=self._run, args=(number,), daemon=True) for number in range(self.COUNT)]
        for thread in self.threads:
            thread.start()

    def join(self, limit):
        deadline = time.monotonic() + limit
        for thread in self.threads:
            thread.join(max(0, deadline - time.monotonic()))
        if any(thread.is_alive() for thread in self.threads):
            self.driver.write("trouble", text="a client did not come to an end")

    def _run(self, number):
        chance, is_patient = random.Random(self.seed * 1000 + number), number % 2 == 0
        while (n := self.gate.next()) is not None:
            target = ("jira", "trello", "desk")[n % 3]
            title, key = f"kill {self.seed}-{n:04d} {target}", str(uuid.UUID(int=chance.getrandbits(128), version=4))
            self.driver.write("post", n=n, key=key, target=target, title=title)
            deadline = time.monotonic() + self.REPEAT_LIMIT_SECONDS
            while not self._post(n, target, title, key) and is_patient and time.monotonic() < deadline:
                time.sleep(chance.uniform(0.1, 0.5))
            if is_patient and chance.random() < 0.2:
                self._post(n, target, title, key)

    def _post(self, n, target, title, key):
        """True when it was accepted. The promise is on disk before this returns."""
        self.may_post.wait()
        with self.counting:
            self.open_posts += 1
        asked_at = time.monotonic()
        try:
            answer = self.room.post_ticket_once(self.boards[target], title, key, timeout=5, description=f"Number {n}.", creator_email="ann@example.test")
        except NO_ANSWER as wrong:
            self.driver.write("refused", n=n, status=type(wrong).__name__, seconds=time.monotonic() - asked_at)
            return False
        finally:
            with self.counting:
                self.open_posts -= 1
        if answer.status == 202:
            self.driver.write("accepted", n=n, ticket_id=answer.data["ticket_id"])
            self.promised.append(answer.data["ticket_id"])
            self.promised_at = time.monotonic()
            self.just_promised.set()
            return True
        if answer.status == 503:
            if "Retry-After" not in answer.headers:
                self.driver.write("trouble", text=f"503 without Retry-After: {answer}")
            self.driver.write("refused", n=n, status=503, seconds=time.monotonic() - asked_at)
        else:
            self.driver.write("trouble", text=f"post {n} was answered with {answer}")
        return False

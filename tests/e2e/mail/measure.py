#!/usr/bin/env python3
"""Measures mail: how long from the SMTP server's 250 to a ticket while inboxes are watched with IDLE, and how a large mailbox comes in.

    measure.py --bin build/release/bin [--inboxes 20] [--per-second 10] [--seconds 20] [--mails 5000] [--json] [--check]

ticket after: from the 250 in hand until the ledger's transaction that opened the ticket. told after: until the IMAP server tells of the mail, as another client in
IDLE beside ours hears it: no client can be faster (not with --check). memory: PSS (shared pages divided among those who share them) of every
process, before the large mailbox, the most while it comes in, and afterwards. --check ends with 1 when a generous limit is exceeded: p99 5 s, 20 mails a second,
and growth of 48 MB for any process.
"""

import argparse
import json
import pathlib
import smtplib
import sys
import threading
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent / "support"), str(HERE.parent / "kill")]
from letters import letter, new_id  # noqa: E402
from mail_kills import children  # noqa: E402
from postroom import Postroom  # noqa: E402
from suite import percentile  # noqa: E402

LIMITS = {"ticket_p99_s": 5.0, "growth_mb": 48.0}
LEAST_MAILS_A_SECOND = 20
PATIENCE_SECONDS = 120
MAILS_A_SESSION = 50  # OpenSMTPD hangs up on clients that send many more


def pss(pid):
    """MB."""
    with open(f"/proc/{pid}/smaps_rollup", encoding="ascii") as rollup:
        return next(int(line.split()[1]) for line in rollup if line.startswith("Pss:")) / 1024


class Memory(threading.Thread):
    """The most that each process, and each parser's child, ever had."""

    def __init__(self, room):
        super().__init__(daemon=True)
        self.room, self.most, self.is_over = room, {}, False

    def now(self):
        pids = {name: member.pid for name, member in self.room.processes.members.items()}
        for name, pid in list(pids.items()):
            if name.startswith("mail_router"):
                pids |= {f"{name}'s child": child for child in children(pid, "postroom-mail-sandbox")}
        found = {}
        for name, pid in pids.items():
            try:
                found[name] = pss(pid)
            except (OSError, StopIteration):  # a child that was replaced just now
                continue
        return found

    def run(self):
        while not self.is_over:
            for name, megabytes in self.now().items():
                self.most[name] = max(self.most.get(name, 0), megabytes)
            time.sleep(0.2)

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *unused):
        self.is_over = True
        self.join()


def opened(room):
    """Message-ID → when its ticket was opened, Unix seconds."""
    return {row["message_id"]: row["created_at"] / 1e6 for row in room.rows("SELECT m.message_id, t.created_at FROM mails m JOIN tickets t ON t.id = m.ticket_id WHERE m.verdict = 'ticket'")}


class Listener(threading.Thread):
    """Another client in IDLE: when the server told that there are so many mails."""

    def __init__(self, servers, user):
        super().__init__(daemon=True)
        self.session, self.told_at = servers.mailbox(user, is_readonly=True, timeout=600), []
        self.far = self.session.__enter__().far
        self.far.send(b"idle IDLE\r\n")
        while not self.far.readline().startswith(b"+"):
            pass
        self.start()

    def run(self):
        while line := self.far.readline():
            words = line.split()
            if words[:1] == [b"idle"]:
                return
            if words[2:] == [b"EXISTS"]:
                self.told_at += [time.time()] * (int(words[1]) - len(self.told_at))

    def close(self):
        self.far.send(b"DONE\r\n")
        self.join(10)
        self.session.__exit__(None, None, None)


def push_times(room, board, inboxes, per_second, seconds, is_listening):
    """Seconds from the 250 to the ticket, and to the server's word to another client, of mails that come in steadily, round the inboxes."""
    addresses = [f"watched{number:02d}@example.test" for number in range(inboxes)]
    ids = [room.inbox(address, board) for address in addresses]
    for inbox in ids:
        room.until(lambda which=inbox: room.http("GET", f"/v1/inboxes/{which}").data["last_caught_up_at"], "the first look into each inbox")
    listeners = {address: Listener(room.mail, address) for address in addresses} if is_listening else {}
    taken, sent, started = {}, {address: [] for address in addresses}, time.monotonic()
    for first in range(0, per_second * seconds, MAILS_A_SESSION):
        with smtplib.SMTP("127.0.0.1", room.mail.port("open"), timeout=60) as far:
            for number in range(first, min(first + MAILS_A_SESSION, per_second * seconds)):
                time.sleep(max(0, started + number / per_second - time.monotonic()))
                address, message_id = addresses[number % inboxes], new_id()
                far.sendmail("ann@example.test", [address], letter("ann@example.test", address, f"watched {number}", "Hello.\n" * 20, message_id=message_id))
                taken[message_id.strip("<>")] = time.time()
                sent[address].append(time.time())
    room.until(lambda: set(taken) <= set(opened(room)), "a ticket for each mail", PATIENCE_SECONDS)
    at = opened(room)
    for address, listener in listeners.items():
        room.until(lambda heard=listener.told_at, of=sent[address]: len(heard) >= len(of), "the server's word about each mail")
        listener.close()
    told = [told - when for address, listener in listeners.items() for told, when in zip(listener.told_at, sent[address], strict=True)]
    return [at[message_id] - when for message_id, when in taken.items()], told


def fill(room, address, count):
    """Puts mails into a mailbox by the quickest way, LMTP."""
    with smtplib.LMTP(str(room.mail.folder / "lmtp.sock")) as far:
        for number in range(count):
            far.sendmail("ann@example.test", [address], letter("ann@example.test", address, f"large {number}", f"Number {number}.\n" * 40))


def large_mailbox(room, board, count):
    """(mails a second from the first look to the last verdict, seconds until all were kept, memory before, most, after)."""
    address = "large@example.test"
    fill(room, address, count)
    with Memory(room) as memory:
        time.sleep(1)
        before = memory.now()
        started = time.monotonic()
        inbox = room.inbox(address, board, since="all")

        def have(condition):
            return room.rows(f"SELECT count(*) AS n FROM mails WHERE inbox_id = ? AND {condition}", inbox)[0]["n"] >= count

        limit = 60 + count / 10
        room.until(lambda: have("1 = 1"), f"{count} arrivals", limit)
        kept = time.monotonic() - started
        room.until(lambda: have("stage = 'decided'"), f"{count} verdicts", limit)
        decided = time.monotonic() - started
        time.sleep(3)
        after = memory.now()
    report = room.http("GET", f"/v1/inboxes/{inbox}/report").data
    if report["arrivals"]["ticket"] != count or report["missing"] != 0 or report["server"]["gone"]:
        raise AssertionError(f"not {count} tickets: {report}")
    return count / decided, kept, before, memory.most, after


def measure(room, options):
    board = room.board("Measured")
    times, told = push_times(room, board, options.inboxes, options.per_second, options.seconds, not options.check)
    result = {"inboxes": options.inboxes, "watched_mails": len(times), "per_second": options.per_second, "ticket_p50_s": percentile(times, 50), "ticket_p99_s": percentile(times, 99),
              **({"told_p50_s": percentile(told, 50), "told_p99_s": percentile(told, 99)} if told else {})}
    speed, kept, before, most, after = large_mailbox(room, board, options.mails)
    result |= {"large_mails": options.mails, "mails_per_second": speed, "all_kept_s": kept,
               "memory_mb": {name: {"before": round(before.get(name, 0), 1), "most": round(most[name], 1), "after": round(after.get(name, 0), 1)} for name in sorted(most)}}
    result["growth_mb"] = max(facts["most"] - facts["before"] for name, facts in result["memory_mb"].items() if facts["before"])
    return result


def excesses(result):
    found = [f"{name} {result[name]:.2f} > {limit}" for name, limit in LIMITS.items() if result[name] > limit]
    return found + ([f"{result['mails_per_second']:.1f} mails a second < {LEAST_MAILS_A_SECOND}"] if result["mails_per_second"] < LEAST_MAILS_A_SECOND else [])


def show(result):
    print(f"{result['watched_mails']} mails into {result['inboxes']} watched inboxes at {result['per_second']} a second")
    print(f"  ticket after the SMTP server's 250  p50 {result['ticket_p50_s'] * 1000:6.1f} ms   p99 {result['ticket_p99_s'] * 1000:6.1f} ms")
    if "told_p50_s" in result:
        print(f"  told by the IMAP server after it    p50 {result['told_p50_s'] * 1000:6.1f} ms   p99 {result['told_p99_s'] * 1000:6.1f} ms")
    print(f"a mailbox of {result['large_mails']} mails: {result['mails_per_second']:.0f} mails a second from the first look to the last ticket; all kept after {result['all_kept_s']:.1f} s")
    print(f"  {'PSS, MB':28} {'before':>8} {'most':>8} {'after':>8}")
    for name, facts in result["memory_mb"].items():
        print(f"  {name:28} {facts['before']:8.1f} {facts['most']:8.1f} {facts['after']:8.1f}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bin", required=True)
    parser.add_argument("--inboxes", type=int, default=20)
    parser.add_argument("--per-second", type=int, default=10)
    parser.add_argument("--seconds", type=int, default=20)
    parser.add_argument("--mails", type=int, default=5000)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--check", action="store_true")
    options = parser.parse_args()
    with Postroom(options.bin, mail=True) as room:
        result = measure(room, options)
    print(json.dumps(result, indent=1)) if options.json else show(result)
    found = excesses(result) if options.check else []
    for text in found:
        print(f"EXCESS {text}")
    sys.exit(1 if found else 0)


if __name__ == "__main__":
    main()

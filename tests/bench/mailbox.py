"""mailbox: a folder full of mixed mails becomes tickets, against a plain client that downloads the same folder and throws it away."""

import pathlib
import smtplib
import subprocess
import sys
import threading
import time

import figures
from figures import Goal
from mails import mixed
from room import SECRET, Counts, Room
from suites import mail_measure

GOALS = [Goal("of_reference", 0.25, True), Goal("most_memory_mb", 60, False, "MB")]
LEAST_REFERENCE = 1_200  # mails a second
MAILS_A_SESSION = 500


def fill(room, address, count):
    """Two sessions of LMTP, which takes mails for this folder only."""
    def put(first):
        for start in range(first, count, 2 * MAILS_A_SESSION):
            with smtplib.LMTP(str(room.mail.folder / "lmtp.sock")) as far:
                for number in range(start, min(count, start + 2 * MAILS_A_SESSION), 2):
                    far.sendmail("ann@people.example.test", [address], mixed(number, address))

    threads = [threading.Thread(target=put, args=(first,)) for first in (0, 1)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def download(room, address):
    """(mails a second, bytes)"""
    words = [sys.executable, "-B", str(pathlib.Path(__file__).with_name("download.py")), str(room.mail.port("imaps")), str(room.mail.folder / "ca.pem"), address, SECRET]
    mails, size, seconds = subprocess.run(words, check=True, capture_output=True, text=True).stdout.split()
    return int(mails) / float(seconds), int(mails), int(size)


def take_in(room, board, address, count):
    """Mails a second, from the inbox's making to its last verdict."""
    began = time.monotonic()
    inbox = room.inbox(address, board, since="all")
    room.until(lambda: room.rows("SELECT count(*) AS n FROM mails WHERE inbox_id = ? AND stage = 'decided'", inbox)[0]["n"] >= count, f"{count} verdicts", 60 + count / 10)
    rate = count / (time.monotonic() - began)
    report = room.until(lambda: balanced(room, inbox), "a report that balances")
    if report["arrivals"]["ticket"] != count:
        raise AssertionError(f"not {count} tickets: {report}")
    room.http("PATCH", f"/v1/inboxes/{inbox}", {"is_paused": True})
    return rate


def balanced(room, inbox):
    report = room.http("GET", f"/v1/inboxes/{inbox}/report").data
    return report if report["missing"] == 0 else None


def measure(programs, tools, sizes):
    with Room(programs, tools, mail=True) as room:
        board = room.board("Mailbox")
        addresses = [f"large{number}@example.test" for number in range(sizes.rounds)]
        for address in addresses:
            fill(room, address, sizes.mails)
        reference, ours, size = [], [], 0
        counts = Counts()
        with mail_measure.Memory(room) as memory:
            for number, address in enumerate(addresses):
                for is_ours in (True, False) if number % 2 else (False, True):
                    if is_ours:
                        with room.counting(counts):
                            ours.append(take_in(room, board, address, sizes.mails))
                    else:
                        rate, mails, size = download(room, address)
                        reference.append(rate)
                        if mails != sizes.mails:
                            raise AssertionError(f"{mails} of {sizes.mails} mails are in the folder")
    most = {name: round(megabytes, 1) for name, megabytes in sorted(memory.most.items())}
    values = {"mails_per_second": round(figures.statistics.median(ours)), "of_reference": round(figures.ratio(ours, reference), 3), "most_memory_mb": max(most.values()), "memory_mb": most,
              "mails": sizes.mails, "megabytes": round(size / 1e6, 1)}
    return {"figures": values, "reference": {"a plain download, mails a second": [round(one) for one in reference]}, "rounds": [round(one) for one in ours], "goals": GOALS,
            "counts": counts.told(), "doubts": figures.reference_doubts("a plain download", reference, LEAST_REFERENCE)}

#!/usr/bin/env python3
"""The kill test of mails: assorted mails come in through SMTP and three inboxes, posts through the front door, while every kind of process, the broker and
Dovecot are killed with SIGKILL, another mail program reads, flags and moves mails of one inbox, and another inbox changes its UIDVALIDITY.

    mail_kill_test.py --bin build/dev/bin [--seed N] [--mails 500] [--posts 300] [--kills 60] [--keep]

The verdict is mail_judge.py's, from the driver's file, the IMAP server's numbers, the senders' mailboxes, the front door's rows, the simulators' logs and the
broker's depths.
"""

import argparse
import pathlib
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent / "support"), str(HERE.parent / "kill")]
from postroom import Postroom  # noqa: E402  first: it makes rabbit.py findable
from assorted import Assortment  # noqa: E402
import evidence  # noqa: E402
from mail_kills import MailKiller, plan  # noqa: E402
from posting import Clients, DriverFile, Gate  # noqa: E402
from quiet import renumber, wait_for_quiet  # noqa: E402
from sending import OtherClient, Readers, Writers  # noqa: E402

INBOXES = ("printers@example.test", "desk@example.test", "mixed@example.test")
VISITED, RENUMBERED = INBOXES[0], INBOXES[1]  # by another mail program; with another UIDVALIDITY halfway


def parse():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bin", required=True)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--mails", type=int, default=500)
    parser.add_argument("--posts", type=int, default=300)
    parser.add_argument("--kills", type=int, default=60)
    parser.add_argument("--keep", action="store_true")
    return parser.parse_args()


def run(room, options, folder):
    driver = DriverFile(folder / "driver.jsonl")
    room.send_through(room.smtp_connection())
    boards = {"jira": room.jira_board("Jira"), "trello": room.trello_board("Trello"), "desk": room.board("Desk")}
    room.change("PATCH", "/v1/settings", {"default_board_id": boards["desk"]})
    inboxes = {INBOXES[0]: room.inbox(INBOXES[0], boards["trello"]), INBOXES[1]: room.inbox(INBOXES[1], boards["desk"], after="seen"), INBOXES[2]: room.inbox(INBOXES[2])}
    for inbox in inboxes.values():
        room.until(lambda which=inbox: room.http("GET", f"/v1/inboxes/{which}").data["last_caught_up_at"], "the first look into each inbox")
    confirmations, assortment = {}, Assortment(options.mails, INBOXES, options.seed)
    mail_gate = Gate(len(assortment))
    readers = Readers(room.mail, confirmations)
    readers.writers = writers = Writers(room.mail, assortment, mail_gate, driver, confirmations)
    other = OtherClient(room.mail, VISITED, options.seed)
    clients = Clients(room, boards, driver, options.seed, options.posts)
    killer = MailKiller(room, driver, clients, mail_gate, options.seed)
    readers.start()
    other.start()
    earlier, victims = {}, plan(options.kills, options.seed)
    for number, kind in enumerate(victims):
        share = (number + 1) / len(victims)
        clients.gate.open_to(share)
        mail_gate.open_to(share)
        time.sleep(killer.chance.uniform(0.1, 0.8))
        killer.kill(number, kind)
        if number == len(victims) // 2:
            earlier[RENUMBERED] = renumber(room, RENUMBERED)
    clients.gate.open_to(1)
    mail_gate.open_to(1)
    clients.join(limit=180)
    writers.join(limit=180)
    readers.end()
    other.end()
    earlier[VISITED] = other.seen
    print(f"{len(victims)} kills {dict(killer.kills)}; the other mail program moved {other.moves} and flagged {other.flags} mails", flush=True)
    room.until(room.is_ready, "readiness after the last kill")
    wait_for_quiet(room, inboxes)
    for death in room.processes.unexpected_deaths():
        driver.write("trouble", text=death)
    for line in room.mail.given_up():
        driver.write("trouble", text=f"the SMTP server gave a mail up: {line}")
    recipients = {row["recipient"] for row in room.rows("SELECT DISTINCT recipient FROM deliveries WHERE recipient <> ''")}
    people = sorted(person for person in recipients | {mail.sender for mail in writers.sent.values()} if person and person.isascii() and person not in INBOXES)
    evidence.write(folder / "servers.json", evidence.of_the_servers(room.mail, INBOXES, people, earlier))
    evidence.write(folder / "door.json", evidence.of_the_front_door(room, inboxes))
    evidence.write(folder / "queues.json", {name: depth for name, depth in room.queues().items() if not name.startswith(("reply.", "event."))})


def judge(room, folder):
    done = subprocess.run([sys.executable, "-B", HERE / "mail_judge.py", "--driver", folder / "driver.jsonl", "--servers", folder / "servers.json", "--door", folder / "door.json",
                           "--jira-log", room.jira.log_path, "--trello-log", room.trello.log_path, "--queues", folder / "queues.json"])
    return done.returncode


def main():
    options = parse()
    started = time.monotonic()
    print(f"seed {options.seed}", flush=True)
    with tempfile.TemporaryDirectory(prefix="postroom-mail-kill-") as name:
        folder = pathlib.Path(name)
        with Postroom(options.bin, jira=1, trello=1, mail=True, imap_poller=2, mail_router=2, notifier=2, keep=options.keep) as room:
            try:
                run(room, options, folder)
                code = judge(room, folder)
            finally:
                if options.keep:
                    for path in folder.iterdir():
                        (room.home / path.name).write_bytes(path.read_bytes())
    if any(code != 0 for code in room.exit_codes.values()):
        print(f"VIOLATION did not end cleanly on SIGTERM: {room.exit_codes}")
        code = 1
    print(f"took {time.monotonic() - started:.0f} s", flush=True)
    sys.exit(code)


if __name__ == "__main__":
    main()

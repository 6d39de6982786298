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
from mailservers import NO_MAIL_SERVER  # noqa: E402
from posting import Clients, DriverFile, Gate  # noqa: E402
from sending import OtherClient, Readers, Writers, listing  # noqa: E402

INBOXES = ("printers@example.test", "desk@example.test", "mixed@example.test")
VISITED, RENUMBERED = INBOXES[0], INBOXES[1]  # by another mail program; with another UIDVALIDITY halfway
QUIET_LIMIT_SECONDS = 150
QUIET_HOLDS_SECONDS = 3


def parse():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bin", required=True)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--mails", type=int, default=500)
    parser.add_argument("--posts", type=int, default=300)
    parser.add_argument("--kills", type=int, default=60)
    parser.add_argument("--keep", action="store_true")
    return parser.parse_args()


def count(room, sql):
    return room.rows(f"SELECT count(*) AS n FROM {sql}")[0]["n"]


def what_is_under_way(room, inboxes):
    """What keeps the room from being quiet, as a text; empty when nothing does."""
    if room.mail.on_their_way():
        room.mail.hurry()
        return f"{room.mail.on_their_way()} mails at the SMTP server"
    for name, rows in (("mails undecided", "mails WHERE stage <> 'decided'"), ("deliveries", "deliveries WHERE state IN ('waiting', 'dispatched', 'claimed')"), ("outgoing", "outgoing")):
        if number := count(room, rows):
            return f"{number} {name}"
    for address, inbox in inboxes.items():
        validity, uids = listing(room.mail, address)
        found = count(room, f"mails WHERE inbox_id = '{inbox}' AND uid_validity = {validity} AND uid IN ({','.join(map(str, uids)) or 0})")
        if found != len(uids):
            return f"{address}: {found} of {len(uids)} mails have arrived"
        if room.http("GET", f"/v1/inboxes/{inbox}/report").data["server"]["exists"] != len(uids):
            return f"{address}: the server's count was told before the last mail"
    if busy := {name: depth for name, depth in room.queues().items() if depth[0] or (depth[1] and name != "imap_poller")}:
        return f"queues {busy}"
    return ""


def wait_for_quiet(room, inboxes):
    """At most QUIET_LIMIT_SECONDS; what is still under way then is for the judge to find."""
    deadline, quiet_since, shown_at = time.monotonic() + QUIET_LIMIT_SECONDS, None, time.monotonic() + 10
    while time.monotonic() < deadline:
        try:
            busy = what_is_under_way(room, inboxes)
        except NO_MAIL_SERVER as wrong:
            busy = f"the mail server: {wrong}"
        if busy:
            quiet_since = None
            if time.monotonic() > shown_at:
                print(f"not quiet yet: {busy}", flush=True)
                shown_at += 10
        elif quiet_since is None:
            quiet_since = time.monotonic()
        elif time.monotonic() - quiet_since > QUIET_HOLDS_SECONDS:
            return
        time.sleep(0.3)
    print(f"never quiet: {busy}", flush=True)


def renumber(room, killer):
    """The mail server forgets its numbers of one inbox; its listing of before."""
    validity, uids = listing(room.mail, RENUMBERED)
    room.mail.dovecot.kill()
    room.mail.reset_uids(RENUMBERED)
    room.mail.dovecot.start()
    now, again = listing(room.mail, RENUMBERED)
    print(f"{RENUMBERED}: UIDVALIDITY {validity} with {len(uids)} mails is now {now} with {len(again)}", flush=True)
    return {(validity, uid): number for uid, number in uids.items()}


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
            earlier[RENUMBERED] = renumber(room, killer)
    clients.gate.open_to(1)
    mail_gate.open_to(1)
    clients.join(limit=180)
    writers.join(limit=180)
    readers.end()
    other.end()
    earlier[VISITED] = other.seen
    print(f"{len(victims)} kills {killer.counts}; the other mail program moved {other.moves} and flagged {other.flags} mails", flush=True)
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

#!/usr/bin/env python3
"""Chaos: posts with keys, mails through SMTP and Dovecot, changes of states, comments and replays from standby, all at once, while random processes of Postroom,
the broker and Dovecot are killed with SIGKILL and whatever --faults names goes wrong. An isolated set with ports, broker and data of its own.

    scripts/chaos [--tickets 400] [--kills 40] [--seed 1] [--faults NAME,…|all|none] [--minutes M] [--keep] [--bin DIR] [--ledger PROGRAM] [--list]

--tickets: promises to ask for, three in ten of them mails. --minutes: the kills and faults are spread over that time (default: as fast as they go).
--faults: each of them strikes once, or as often as it is named. --list shows them. --ledger: another program in the ledger's place, such as one with a planted bug.
Prints the seed, every kill with what the victim held, the faults, the time to quiet, the balance. Ends with 0 only when nothing is lost, nothing is there twice, and
the balance is exact: the verdict is chaos_judge.py's, which reads only what others wrote down.
"""

import argparse
import pathlib
import random
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent / folder) for folder in ("support", "kill", "mail")]
from postroom import SHORT_TIMES, Postroom  # noqa: E402  first: it makes rabbit.py findable
from assorted import Assortment  # noqa: E402
import evidence  # noqa: E402
from chaos_faults import FAULTS, chosen  # noqa: E402
from chaos_kills import ChaosKiller, plan  # noqa: E402
from far_sides import TROUBLE, make_unwell, make_well  # noqa: E402
from operators import Clerk, Shelver  # noqa: E402
from posting import Clients, DriverFile, Gate  # noqa: E402
from quiet import wait_for_quiet  # noqa: E402
from sending import OtherClient, Readers, Writers  # noqa: E402

PRINTERS, DESK, MIXED, UNSORTED = INBOXES = ("printers@example.test", "desk@example.test", "mixed@example.test", "unsorted@example.test")
VISITED, RENUMBERED = PRINTERS, DESK  # by another mail program; with another UIDVALIDITY
SHARE_OF_MAILS = 0.3
REFUSAL = {"action": "status", "status": 400}  # puts a delivery on the shelf, from where an operator sends it on
SETTINGS = {("notify", "hourly_limit"): 100_000, ("ledger", "standby_retry_rate"): 50}
FEW_KILLS = 10  # too few to speak of shares


def parse():
    parser = argparse.ArgumentParser(prog="scripts/chaos", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bin", required=True)
    parser.add_argument("--tickets", type=int, default=400)
    parser.add_argument("--kills", type=int, default=40)
    parser.add_argument("--seed", type=int)
    parser.add_argument("--faults", default="none")
    parser.add_argument("--minutes", type=float, default=0)
    parser.add_argument("--ledger")
    parser.add_argument("--keep", action="store_true")
    parser.add_argument("--list", action="store_true")
    options = parser.parse_args()
    try:
        options.faults = chosen(options.faults)
    except ValueError as wrong:
        parser.error(str(wrong))
    if options.seed is None:
        options.seed = random.randrange(1, 1_000_000)
    return options


class World:
    """A room under load; what faults act upon."""

    trouble, renumbered = (*TROUBLE, REFUSAL), RENUMBERED

    def __init__(self, room, options, folder):
        self.room, self.options, self.folder, self.driver = room, options, folder, DriverFile(folder / "driver.jsonl")
        self.chance, self.earlier = random.Random(options.seed + 2), {}
        room.send_through(room.smtp_connection())
        boards = {"jira": room.jira_board("Jira"), "trello": room.trello_board("Trello"), "desk": room.board("Desk")}
        # There is no default board: what comes to the last inbox waits on the shelf until an operator gives it one.
        wanted = {PRINTERS: boards["trello"], DESK: boards["desk"], MIXED: boards["jira"], UNSORTED: None}
        self.inboxes = {address: room.inbox(address, board, **({"after": "seen"} if address == DESK else {})) for address, board in wanted.items()}
        for inbox in self.inboxes.values():
            room.until(lambda which=inbox: room.http("GET", f"/v1/inboxes/{which}").data["last_caught_up_at"], "the first look into each inbox")
        make_unwell(room, self.trouble)
        self._load(boards)
        self.killer = ChaosKiller(room, self.driver, self.clients, self.mail_gate, options.seed)

    def _load(self, boards):
        room, seed, mails = self.room, self.options.seed, round(self.options.tickets * SHARE_OF_MAILS)
        confirmations, assortment = {}, Assortment(mails, INBOXES, seed)
        self.mail_gate = Gate(len(assortment))
        self.readers = Readers(room.mail, confirmations)
        self.readers.writers = self.writers = Writers(room.mail, assortment, self.mail_gate, self.driver, confirmations)
        self.other = OtherClient(room.mail, VISITED, seed)
        self.clients = Clients(room, boards, self.driver, seed, max(0, self.options.tickets - len(assortment)))
        self.clerks = [Clerk(room, self.driver, seed + number, self.clients, name) for number, name in enumerate("ab")]
        self.shelver = Shelver(room, self.driver, seed, boards["desk"])
        for person in (self.readers, self.other, *self.clerks, self.shelver):
            person.start()

    def say(self, text):
        print(f"      {text}", flush=True)

    def open_to(self, share):
        self.clients.gate.open_to(share)
        self.mail_gate.open_to(share)

    def end_of_load(self):
        """Everything that was begun is ended, and the far sides are well again."""
        self.open_to(1)
        self.clients.join(limit=300)
        self.writers.join(limit=300)
        make_well(self.room)
        for person in (*self.clerks, self.shelver, self.readers, self.other):
            person.end()
        self.room.until(self.room.is_ready, "readiness after the last kill")

    # --- what goes wrong ---

    def events(self):
        """Kinds to kill and faults, in an order that the seed decides."""
        events = [*plan(self.options.kills, self.options.seed), *self.options.faults]
        random.Random(self.options.seed + 3).shuffle(events)
        return events

    def run(self):
        events, started, number = self.events(), time.monotonic(), 0
        waiting = list(enumerate(events))
        while waiting:
            index, event = waiting.pop(0)
            self.open_to((index + 0.5) / len(events))
            self._pause(started, index / len(events))
            if isinstance(event, str):
                self.killer.kill(number, event)
                number += 1
                continue
            print(f"fault {event.name}", flush=True)
            self.driver.write("fault", name=event.name)
            course, since = event.act(self), time.monotonic()
            seconds = next(course)
            # Somebody is killed meanwhile, if it is a kill's turn.
            if not event.is_alone and waiting and isinstance(waiting[0][1], str) and waiting[0][1] not in event.skips:
                self.killer.kill(number, waiting.pop(0)[1])
                number += 1
            self._flow_until(since + seconds, (index + 0.5) / len(events), (index + 1) / len(events))
            next(course, None)

    def _pause(self, started, share):
        if self.options.minutes:
            time.sleep(max(0, started + self.options.minutes * 60 * share - time.monotonic()))
        else:
            time.sleep(self.chance.uniform(0.05, 0.5))

    def _flow_until(self, until, share, last_share):
        """The load goes on meanwhile, evenly."""
        started = time.monotonic()
        while (now := time.monotonic()) < until:
            self.open_to(share + (last_share - share) * (now - started) / (until - started))
            time.sleep(0.1)

    # --- what is left for the judge ---

    def gather(self):
        room = self.room
        for death in room.processes.unexpected_deaths():
            self.driver.write("trouble", text=death)
        for line in room.mail.given_up():
            self.driver.write("trouble", text=f"the SMTP server gave a mail up: {line}")
        self.earlier.setdefault(VISITED, {}).update(self.other.seen)
        recipients = {row["recipient"] for row in room.rows("SELECT DISTINCT recipient FROM deliveries WHERE recipient <> ''")}
        senders = {mail.sender for mail in self.writers.sent.values()}
        people = sorted(person for person in recipients | senders if person and person.isascii() and person not in INBOXES)
        evidence.write(self.folder / "servers.json", evidence.of_the_servers(room.mail, INBOXES, people, self.earlier))
        evidence.write(self.folder / "door.json", evidence.of_the_front_door(room, self.inboxes, ("comments", "notices", "timeline")))
        evidence.write(self.folder / "queues.json", {name: depth for name, depth in room.queues().items() if not name.startswith(("reply.", "event."))})


def judge(room, folder):
    sources = {"driver": folder / "driver.jsonl", "servers": folder / "servers.json", "door": folder / "door.json", "jira-log": room.jira.log_path, "trello-log": room.trello.log_path,
               "queues": folder / "queues.json", "settle-ms": SHORT_TIMES["delivery", "jira_settle_ms"]}
    return subprocess.run([sys.executable, "-B", HERE / "chaos_judge.py", *(str(word) for name, value in sources.items() for word in (f"--{name}", value))]).returncode


def run(room, options, folder):
    """The exit code of the judge."""
    world = World(room, options, folder)
    world.run()
    world.end_of_load()
    load_ended = time.monotonic()
    world.shelver.finish()
    quiet = wait_for_quiet(room, world.inboxes, limit=180 + options.tickets / 20)
    if quiet is None:
        world.driver.write("trouble", text="it was never quiet")
    said, is_enough = world.killer.report()
    if not is_enough and options.kills >= FEW_KILLS:
        world.driver.write("trouble", text=f"the kills are too tame: {said}")
    shelver = world.shelver
    print(f"{said}\nsent on from the shelf {shelver.sent_on} times, {shelver.by_filter} times by a filter, {shelver.conflicts} refused because somebody else was first; "
          f"another mail program moved {world.other.moves} and flagged {world.other.flags} mails")
    print(f"quiet {time.monotonic() - load_ended:.1f} s after the last promise" if quiet is not None else "never quiet", flush=True)
    world.gather()
    return judge(room, folder)


def main():
    options = parse()
    if options.list:
        for fault in FAULTS.values():
            print(f"{fault.name:16} {fault.shows}")
        return
    started = time.monotonic()
    print(f"seed {options.seed}, {options.tickets} tickets, {options.kills} kills, faults {', '.join(fault.name for fault in options.faults) or 'none'}", flush=True)
    with tempfile.TemporaryDirectory(prefix="postroom-chaos-") as name:
        folder = pathlib.Path(name)
        with Postroom(options.bin, settings=SETTINGS, jira=2, trello=2, mail=True, imap_poller=2, mail_router=2, notifier=2, ledger_program=options.ledger, keep=options.keep) as room:
            try:
                code = run(room, options, folder)
            finally:
                if options.keep:
                    for path in folder.iterdir():
                        (room.home / path.name).write_bytes(path.read_bytes())
    if any(end != 0 for end in room.exit_codes.values()):
        print(f"VIOLATION did not end cleanly on SIGTERM: {room.exit_codes}")
        code = 1
    print(f"seed {options.seed} took {time.monotonic() - started:.0f} s", flush=True)
    sys.exit(code)


if __name__ == "__main__":
    main()

"""The faults that a chaos run can switch on, each begun and ended while work flows. What a run with each shows: `chaos.py --list`, and the README here.

A fault is a generator over the world: what it does first, `yield` how many seconds it shall last, what it does to end. `is_alone`: nobody is killed meanwhile,
because the killer itself asks the broker, or waits for work that cannot flow.
"""

import contextlib
import dataclasses
import json
import os
import signal
import sqlite3
import time

from far_sides import make_unwell
from processes import has_open, lock_holder
from quiet import renumber

END_LIMIT_SECONDS = 10  # after SIGTERM
SILENCE_SECONDS = 12    # longer than two heartbeats of the tests' settings
FAULTS = {}


@dataclasses.dataclass
class Fault:
    name: str
    shows: str
    act: object
    is_alone: bool
    skips: tuple  # kinds that nobody kills meanwhile


def fault(name, shows, is_alone=False, skips=()):
    def keep(act):
        FAULTS[name] = Fault(name, shows, act, is_alone, skips)
        return act
    return keep


def chosen(text):
    """Faults by their names, separated by commas; all, none. Raises ValueError for a name that is none."""
    names = list(FAULTS) if text == "all" else [] if text == "none" else text.split(",")
    if wrong := [name for name in names if name not in FAULTS]:
        raise ValueError(f"no such fault: {', '.join(wrong)}; there are {', '.join(FAULTS)}, all, none")
    return [FAULTS[name] for name in names]


# --- the broker ---

@fault("broker-restart", "an orderly restart: what was confirmed is there again, everybody reconnects", is_alone=True)
def broker_restart(world):
    world.room.rabbit.stop()
    world.room.rabbit.start()
    yield 0


@fault("broker-silent", "a broker that stands still (SIGSTOP): 503 in time, given up after two heartbeats, work goes on when it speaks", is_alone=True)
def broker_silent(world):
    world.room.rabbit.pause()
    try:
        yield SILENCE_SECONDS
    finally:
        world.room.rabbit.resume()


@fault("broker-memory", "the memory alarm: 503 with Retry-After, consumers drain, it recovers by itself", is_alone=True)
def broker_memory(world):
    world.room.rabbit.block()
    try:
        yield 5
    finally:
        world.room.rabbit.unblock()


@fault("broker-disk", "the disk alarm: likewise", is_alone=True)
def broker_disk(world):
    world.room.rabbit.evaluate("rabbit_disk_monitor:set_disk_free_limit(1000000000000000)")
    try:
        yield 5
    finally:
        world.room.rabbit.evaluate("rabbit_disk_monitor:set_disk_free_limit(50000000)")


@fault("queues-purged", "the workers' queues lose what is ready in them: each silence is dispatched again", is_alone=True)
def queues_purged(world):
    lost = {}
    for queue in ("jira", "trello", "notifier", "mail_router", "imap_poller"):
        lost[queue] = world.room.rabbit.purge("postroom", queue)
    world.say(f"purged {', '.join(lost)}")
    yield 0


@fault("queues-full", "the queues of intake and of work take no more (a nack for every message): 503, jobs wait in the ledger, all goes out when there is room", is_alone=True)
def queues_full(world):
    full = '<<"postroom">>, <<"full">>'
    queues = '<<"^(ledger[.]intake|jira|trello|notifier|mail_router)$">>'
    world.room.rabbit.evaluate(f'ok = rabbit_policy:parse_set_op({full}, {queues}, <<"{{\\"max-length\\": 1}}">>, 0, <<"queues">>, <<"chaos">>)')
    try:
        yield 5
    finally:
        world.room.rabbit.evaluate(f'ok = rabbit_policy:delete_op({full}, <<"chaos">>)')


@fault("broker-wiped", "the broker loses everything while no promise is with it alone: queues are made anew, all unfinished work is dispatched again", is_alone=True)
def broker_wiped(world):
    clients = world.clients
    clients.may_post.clear()
    try:
        time.sleep(0.3)  # who was about to post is counted by then
        world.room.until(lambda: not clients.open_posts, "an answer to every post")
        # What was confirmed and not yet committed lives on the broker's disk alone, so it must not be there.
        world.room.until(lambda: not set(clients.promised) - {row["ticket_id"] for row in world.room.rows("SELECT ticket_id FROM arrivals")}, "the arrival of every promise")
        world.say(f"wiped with {({name: depth for name, depth in world.room.queues().items() if any(depth)})} in it")
        leaves_doubts(world, {name: pid for pid, name in world.room.pids("notifier").items()})  # an outcome may have been in the broker's hands
        world.room.rabbit.wipe()
    finally:
        clients.may_post.set()
    world.room.rabbit.start()
    yield 0


# --- the database ---

@fault("database-locked", "somebody else holds the database's write lock beyond the busy timeout: nothing is acknowledged, work goes on when it is free", is_alone=True)
def database_locked(world):
    with contextlib.closing(sqlite3.connect(world.room.home / "data" / "postroom.sqlite", timeout=30, isolation_level=None)) as other:
        other.execute("PRAGMA wal_autocheckpoint = 0")
        other.execute("BEGIN IMMEDIATE")
        try:
            yield 8
        finally:
            other.execute("ROLLBACK")


# --- mail ---

@fault("dovecot-silent", "a mailbox server that stands still (SIGSTOP): the leases end, the mails come when it speaks", skips=("dovecot",))
def dovecot_silent(world):
    world.room.mail.dovecot.pause()
    try:
        yield 10
    finally:
        world.room.mail.dovecot.resume()


@fault("uidvalidity", "the mailbox is numbered anew: every mail comes again and is a duplicate of itself", is_alone=True)
def uidvalidity(world):
    world.earlier.setdefault(world.renumbered, {}).update(renumber(world.room, world.renumbered))
    yield 0


def smtp_trouble(world, seconds, **trouble):
    path = world.room.mail.trouble_path
    path.write_text(json.dumps(trouble))
    try:
        yield seconds
    finally:
        path.unlink()


@fault("smtp-4xx", "half of the recipients are greylisted (450): the notices wait and go out once")
def smtp_4xx(world):
    yield from smtp_trouble(world, 5, at="recipient", answer="450 4.2.0 greylisted, come back", share=0.5)


@fault("smtp-5xx", "half of the recipients are refused (550): notices are given up and shown so, people's comments wait on the shelf and are sent on")
def smtp_5xx(world):
    answer = "550 5.1.1 no such person here"
    before = strikes(world, answer)
    yield from smtp_trouble(world, 3, at="recipient", answer=answer, share=0.5)
    world.driver.write("recipients refused", most=strikes(world, answer) - before)


@fault("smtp-drop", "the server keeps the mail and hangs up after the dot: assumed sent, shown, never twice")
def smtp_drop(world):
    before = strikes(world, "silence")
    yield from smtp_trouble(world, 3, at="dot", share=0.5)
    world.driver.write("doubts", most=strikes(world, "silence") - before)


def strikes(world, answer):
    """How often the SMTP server has done that so far, by its own log."""
    log = world.room.mail.trouble_path.with_name("trouble.log")
    return sum(line.endswith(answer) for line in log.read_text().splitlines()) if log.exists() else 0


# --- the far sides ---

def far_sides(world, seconds, *rules):
    make_unwell(world.room, world.trouble, first=rules)
    try:
        yield seconds
    finally:
        make_unwell(world.room, world.trouble)


TRACKERS = ("jira", "trello")


@fault("trackers-5xx", "Jira and Trello answer 500 and 503: deliveries wait, circuits open, each object is made once", skips=TRACKERS)
def trackers_5xx(world):
    yield from far_sides(world, 6, {"action": "status", "status": 500, "probability": 0.5}, {"action": "status", "status": 503})


@fault("trackers-429", "push-back in several forms: free of charge, obeyed, nothing twice", skips=TRACKERS)
def trackers_429(world):
    yield from far_sides(world, 5, {"action": "status", "status": 429, "retry_after_s": 1, "probability": 0.4}, {"action": "status", "status": 429, "reset_in_s": 1, "probability": 0.5},
                         {"action": "status", "status": 429, "probability": 0.5}, {"action": "status", "status": 429, "retry_after_s": -5})


@fault("trackers-drop", "half of the creates are committed and their answer is cut off: found again by their marker")
def trackers_drop(world):
    yield from far_sides(world, 5, {"action": "commit_then_drop", "how": "rst", "probability": 0.25}, {"action": "commit_then_drop", "how": "status", "probability": 0.35})


@fault("trackers-late", "half of the creates are committed a second after the connection was cut: still found, not made again")
def trackers_late(world):
    yield from far_sides(world, 5, {"action": "late_commit", "how": "fin", "after_ms": 1000, "probability": 0.5})


@fault("trackers-hang", "creates that are read and never answered: the deadline ends them, then resolve")
def trackers_hang(world):
    yield from far_sides(world, 5, {"action": "hang", "probability": 0.5})


@fault("trackers-garbage", "pages with status 200 after the commit, and answers of a byte each 200 ms: never taken for done")
def trackers_garbage(world):
    yield from far_sides(world, 5, {"action": "html", "status": 200, "commit": True, "probability": 0.3}, {"action": "drip", "probability": 0.4})


@fault("replay", "all creates are refused (400): they gather on the shelf and are sent on in bulk, each once", skips=TRACKERS)
def replay(world):
    yield from far_sides(world, 6, {"action": "status", "status": 400})
    shelf = world.room.rows("SELECT count(*) AS n FROM standby WHERE kind = 'delivery' AND state IN ('open', 'assigned')")[0]["n"]
    world.room.promised("POST", "/v1/standby/retry", {"filter": {"kind": "delivery", "reason_class": "invalid_data"}})
    world.say(f"{shelf} deliveries on the shelf, sent on by one filter")


# --- the processes ---

def somebody(world):
    """(name, pid) of a process that runs."""
    while True:
        name = world.chance.choice(sorted(world.room.processes.members))
        if pid := world.room.processes.members[name].pid:
            return name, pid
        time.sleep(0.02)


def leaves_doubts(world, pids):
    """Mails that these processes had in hand may be assumed to be sent."""
    world.driver.write("doubts", processes=[f"{name.rsplit('-', 1)[0]}-{pid}" for name, pid in pids.items()])


@fault("sigterm", "SIGTERM under load: work in hand is ended or given back, exit 0 within ten seconds", is_alone=True)
def sigterm(world):
    name, pid = somebody(world)
    since = time.monotonic()
    world.room.processes.signal(name, signal.SIGTERM)
    leaves_doubts(world, {name: pid})
    while not (codes := [code for died, gone, code, _ in list(world.room.processes.deaths) if gone == pid and died == name]) and time.monotonic() < since + 3 * END_LIMIT_SECONDS:
        time.sleep(0.05)
    took = time.monotonic() - since
    world.say(f"{name} ended with {codes} after {took:.1f} s")
    if codes != [0]:
        world.driver.write("trouble", text=f"{name} ended on SIGTERM with {codes} after {took:.1f} s")
    yield 0


@fault("sigterm-sigkill", "SIGTERM, and SIGKILL before it has ended: as a kill", is_alone=True)
def sigterm_sigkill(world):
    name, pid = somebody(world)
    world.room.processes.signal(name, signal.SIGTERM)
    time.sleep(world.chance.uniform(0, 0.5))
    if world.room.processes.members[name].pid == pid:
        world.room.processes.signal(name, signal.SIGKILL)
    leaves_doubts(world, {name: pid})
    world.say(f"{name} was told to end, then killed")
    yield 0


def stopped(world, names, seconds):
    """They stand still. Who has died meanwhile was brought back, and is left alone."""
    pids = {name: pid for name in names if (pid := world.room.processes.signal(name, signal.SIGSTOP))}
    leaves_doubts(world, pids)
    try:
        yield seconds
    finally:
        for name, pid in pids.items():
            if world.room.processes.members[name].pid == pid:
                world.room.processes.signal(name, signal.SIGCONT)


@fault("frozen", "every process stands still (SIGSTOP) and goes on: leases and claims are renewed or given up, nothing twice", is_alone=True)
def frozen(world):
    yield from stopped(world, list(world.room.processes.members), 8)


@fault("worker-stopped", "one worker stands still beyond every deadline and goes on: what it held was given to others, it does nothing twice")
def worker_stopped(world):
    kind = world.chance.choice(("jira", "trello", "imap_poller", "mail_router", "notifier"))
    name = world.chance.choice(world.room.names(kind))
    world.say(name)
    yield from stopped(world, [name], 10)


@fault("ledger-stopped", "the ledger stands still while a spare waits: the spare ends it and serves within ten seconds; what the first had in hand comes again", is_alone=True)
def ledger_stopped(world):
    room, path = world.room, world.room.home / "run" / "ledger.lock"
    room.add_process("ledger", len(room.names("ledger")))
    room.until(lambda: (first := lock_holder(path)) and any(has_open(pid, path) for pid in room.pids("ledger") if pid != first), "a spare that waits for the lock")
    holder = lock_holder(path)
    stopped_one = room.processes.members[room.pids("ledger")[holder]]
    stopped_one.killed_by_us.add(holder)
    since = time.monotonic()
    os.kill(holder, signal.SIGSTOP)
    room.until(lambda: lock_holder(path) not in (None, holder), "another holder of the lock")
    world.say(f"{stopped_one.name} stood still, another holds the lock after {time.monotonic() - since:.1f} s")
    yield 1
    room.until(lambda: len(room.pids("ledger")) == 2, "the one that was ended, back as a spare")
    for pid, name in room.pids("ledger").items():
        if pid != lock_holder(path) and (code := room.processes.retire(name)) != 0:
            world.driver.write("trouble", text=f"{name} waited for the lock and ended on SIGTERM with {code}")

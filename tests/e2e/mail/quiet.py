"""When a room with mail is quiet, and how a mailbox is numbered anew."""

import time

from mailservers import NO_MAIL_SERVER
from sending import listing

QUIET_LIMIT_SECONDS = 150
QUIET_HOLDS_SECONDS = 3
UNFINISHED = (("mails undecided", "mails WHERE stage <> 'decided'"), ("deliveries", "deliveries WHERE state IN ('waiting', 'dispatched', 'claimed')"), ("outgoing", "outgoing"),
              ("items to be sent on", "standby WHERE state = 'retry_pending'"))


def count(room, sql):
    return room.rows(f"SELECT count(*) AS n FROM {sql}")[0]["n"]


def what_is_under_way(room, inboxes):
    """What keeps the room from being quiet, as a text; empty when nothing does. What is cheap to ask comes first."""
    for name, rows in UNFINISHED:
        if number := count(room, rows):
            return f"{number} {name}"
    for sim in (room.jira, room.trello):
        if requests := sim.open_requests():
            return f"{len(requests)} requests at a far side"
    if waiting := room.mail.on_their_way():
        room.mail.hurry()
        return f"{waiting} mails at the SMTP server"
    for address, inbox in inboxes.items():
        validity, uids = listing(room.mail, address)
        found = {row["uid"] for row in room.rows("SELECT uid FROM mails WHERE inbox_id = ? AND uid_validity = ?", inbox, validity)} & set(uids)
        if len(found) != len(uids):
            return f"{address}: {len(found)} of {len(uids)} mails have arrived"
        if room.http("GET", f"/v1/inboxes/{inbox}/report").data["server"]["exists"] != len(uids):
            return f"{address}: the server's count was told before the last mail"
    if busy := {name: depth for name, depth in room.queues().items() if depth[0] or (depth[1] and name != "imap_poller")}:
        return f"queues {busy}"
    return ""


def wait_for_quiet(room, inboxes, limit=QUIET_LIMIT_SECONDS):
    """Seconds until it was quiet; None when it never was. What is still under way then is for the judge to find."""
    started, quiet_since, shown_at = time.monotonic(), None, time.monotonic() + 10
    while time.monotonic() < started + limit:
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
            return quiet_since - started
        time.sleep(0.3)
    print(f"never quiet: {busy}", flush=True)
    return None


def renumber(room, address):
    """The mail server forgets its numbers of one inbox; its listing of before."""
    validity, uids = listing(room.mail, address)
    room.mail.dovecot.kill()
    room.mail.reset_uids(address)
    room.mail.dovecot.start()
    now, again = listing(room.mail, address)
    print(f"{address}: UIDVALIDITY {validity} with {len(uids)} mails is now {now} with {len(again)}", flush=True)
    return {(validity, uid): number for uid, number in uids.items()}

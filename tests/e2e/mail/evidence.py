"""What the judge of mails gets to see, gathered from separate sources: the IMAP server, the front door. (The driver's file and the simulators' logs write themselves.)"""

import json

from letters import read
from mailservers import NO_MAIL_SERVER
from sending import listing, number_of


def of_the_servers(servers, inboxes, people, earlier):
    """`earlier`: listings of before, as {inbox: {(UIDVALIDITY, UID): number}}, for mails that were moved away or renumbered since."""
    found = {"inboxes": {}, "people": {}, "taken": servers.taken()}
    for address in inboxes:
        validity, uids = listing(servers, address)
        found["inboxes"][address] = {"uid_validity": validity, "uids": [[uid, number] for uid, number in uids.items()],
                                     "earlier": [[validity, uid, number] for (validity, uid), number in earlier.get(address, {}).items()]}
    for person in people:
        try:
            with servers.mailbox(person, is_readonly=True) as box:
                mails = [read(raw) for raw in box.mails("BODY.PEEK[HEADER]").values()]
        except NO_MAIL_SERVER as wrong:
            raise AssertionError(f"the mailbox of {person}: {wrong}") from wrong
        found["people"][person] = [{"message_id": str(mail["Message-ID"]), "answers": str(mail["In-Reply-To"] or ""), "subject": str(mail["Subject"]),
                                    "auto_submitted": str(mail["Auto-Submitted"] or "")} for mail in mails]
    return found


def of_the_front_door(room, inboxes):
    """`inboxes`: address → id."""
    found = {"inboxes": {}, "arrivals": [], "tickets": [], "balance": room.http("GET", "/v1/balance").data}
    for address, inbox in inboxes.items():
        found["inboxes"][address] = room.http("GET", f"/v1/inboxes/{inbox}/report").data
        for arrival in room.pages(f"/v1/arrivals?inbox={inbox}"):
            whole = room.http("GET", f"/v1/arrivals/{arrival['id']}").data
            raw = room.http("GET", whole["raw_url"]) if whole["raw_url"] else None
            found["arrivals"].append(whole | {"inbox": address, "number": number_of(raw.value.encode()) if raw and raw.status == 200 else None})
    for ticket in room.pages("/v1/tickets"):
        more = {name: room.http("GET", f"/v1/tickets/{ticket['id']}/{name}").data for name in ("comments", "notices")}
        found["tickets"].append(ticket | more)
    found["standby"] = room.pages("/v1/standby")
    return found


def write(path, value):
    path.write_text(json.dumps(value, ensure_ascii=False, indent=0))
    return path

"""The mail servers of the whole-set tests (OpenSMTPD or what this user can run, and Dovecot behind it), driven by lines for tests in C++.

Prints one JSON line when they greet: {"open", "submission", "smtps": ports, "ca_file", "account", "secret", "smtp": which server}. Then, for each line
`USER COUNT` on standard input, one JSON line with the mails in that mailbox (base64), when there are COUNT or nothing more comes. Ends with its input.
"""
import base64
import json
import pathlib
import sys
import time

sys.path[:0] = [str(pathlib.Path(__file__).parents[1] / "e2e" / "support"), str(pathlib.Path(__file__).parent)]
from mailservers import SENDER_ACCOUNT, SENDER_SECRET, MailServers  # noqa: E402  found by the line above

LIMIT = 20


def mails_of(servers, user, count):
    """In the order of their arrival. Stays a moment after the last one that was expected, so that one too many is seen."""
    deadline = time.monotonic() + LIMIT
    while True:
        with servers.mailbox(user) as box:
            found = box.mails()
        if (len(found) >= count and not servers.on_their_way()) or time.monotonic() > deadline:
            return [found[uid] for uid in sorted(found)]
        servers.hurry()
        time.sleep(0.1)


def main():
    with MailServers() as servers:
        facts = {name: servers.port(name) for name in ("open", "submission", "smtps")}
        facts |= {"ca_file": str(servers.folder / "ca.pem"), "account": SENDER_ACCOUNT, "secret": SENDER_SECRET, "smtp": servers.smtp}
        print(json.dumps(facts), flush=True)
        for line in sys.stdin:
            user, count = line.split()
            print(json.dumps([base64.b64encode(one).decode() for one in mails_of(servers, user, int(count))]), flush=True)


main()

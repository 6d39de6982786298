#!/usr/bin/env python3
"""Says what somebody needs to play with a running demo: addresses, ports and passwords of its far sides, a line that sends a mail and one that reads a mailbox.

usage: play.py --home DIR
"""

import argparse
import pathlib
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "support"))
from demo import DOOR, SENDER  # noqa: E402
from mailservers import SECRET, SENDER_ACCOUNT, SENDER_SECRET, Layout  # noqa: E402

TEXT = """
To play with it (every address is a mailbox; Postroom watches {door}):
  SMTP                   127.0.0.1:{open} from anybody; {submission} with STARTTLS, {smtps} with TLS: {account}, password {account_secret}
  IMAP                   127.0.0.1:{imap} with STARTTLS, {imaps} with TLS: any address, password {secret}; their authority is {folder}/ca.pem
  Jira, Trello           simulators at http://127.0.0.1:{jira} and http://127.0.0.1:{trello}
A mail to the desk, and what its sender got last:
  printf 'From: {sender}\\nTo: {door}\\nSubject: One more lamp\\n\\nIt is dark.\\n' | curl -sS --crlf -T - --mail-from {sender} --mail-rcpt {door} smtp://127.0.0.1:{open}
  curl -sS --cacert {folder}/ca.pem -u {sender}:{secret} 'imaps://localhost:{imaps}/INBOX;MAILINDEX=*'
"""


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--home", type=pathlib.Path, required=True)
    home = parser.parse_args().home
    mail = Layout((home / "run" / "mail-folder").read_text().strip())
    sims = {kind: int((home / "run" / f"{kind}-simulator.port").read_text()) for kind in ("jira", "trello")}
    print(TEXT.format(door=DOOR, sender=SENDER, secret=SECRET, account=SENDER_ACCOUNT, account_secret=SENDER_SECRET, folder=mail.folder, **mail.ports(), **sims))


if __name__ == "__main__":
    main()

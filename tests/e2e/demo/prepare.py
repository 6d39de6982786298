#!/usr/bin/env python3
"""Makes a home fit for the demo: short times, the far sides' addresses allowed, a port for each simulator that stays the same over restarts, mail servers.

HOME/run/mail-folder names the mail servers' folder, HOME/run/mail-servers has a file with the command line of each. A second time it finds the folder as it
was, or makes another one with the same ports: the folder lies outside the home and may have been cleared away.

usage: prepare.py HOME
"""

import json
import pathlib
import shlex
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
from mailservers import Layout  # noqa: E402
from postroom import SHORT_TIMES, set_in_toml  # noqa: E402
from rabbit import free_port  # noqa: E402


def mail_servers(run):
    folder, ports = run / "mail-folder", run / "mail-ports.json"
    if folder.exists() and (mail := Layout(folder.read_text().strip())).is_written():
        return mail.renew()
    mail = Layout(tempfile.mkdtemp(prefix="postroom-demo-mail-"))
    folder.write_text(f"{mail.folder}\n")
    mail.write(json.loads(ports.read_text()) if ports.exists() else None)
    ports.write_text(json.dumps(mail.ports()))
    return mail


def main(home):
    config = home / "etc" / "postroom.toml"
    text = config.read_text()
    mail = mail_servers(home / "run")
    (home / "run" / "mail-servers").mkdir(exist_ok=True)
    for name, command in mail.commands().items():
        (home / "run" / "mail-servers" / name).write_text(shlex.join(command) + "\n")
    # Attempts enough for a slow machine: in the story of the rotated token nothing may give up before the token is wrong.
    settings = {**SHORT_TIMES, ("outbound", "allow"): ["127.0.0.0/8"], ("outbound", "ca_file"): str(mail.folder / "ca.pem"), ("delivery", "max_attempts"): 30}
    for (section, key), value in settings.items():
        text = set_in_toml(text, section, key, value)
    config.write_text(text)
    for kind in ("jira", "trello"):
        port_file = home / "run" / f"{kind}-simulator.port"
        if not port_file.exists():
            port_file.write_text(f"{free_port()}\n")


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]))

"""A private Dovecot and SMTP servers in front of it: whatever is mailed to ANY address lands in the mailbox of that name.

    with MailServers() as servers:
        servers.send(b"Subject: Hello\\r\\n\\r\\nBody", "ann@example.test", "desk@example.test")
        with servers.mailbox("desk@example.test") as box:
            box.mails()                              # UID → bytes
        servers.dovecot.kill(); servers.dovecot.start()

As root: OpenSMTPD → Dovecot. As an ordinary user, or where OpenSMTPD cannot be had: smtp_front.py → Dovecot. Mail is taken on three ports: `open` from anybody;
`submission` with STARTTLS and a login; `smtps` with TLS from the first byte and a login. The last two are always smtp_front.py's, which hands on to OpenSMTPD,
because Debian 12's OpenSMTPD fails every TLS handshake (it was written for another OpenSSL). OpenSMTPD runs in a mount namespace of its own: its spool and its
control socket have fixed places. All on loopback, all in one folder, which every user may pass through.
"""

import contextlib
import grp
import imaplib
import importlib.util
import os
import pathlib
import pwd
import re
import shlex
import shutil
import signal
import smtplib
import socket
import ssl
import subprocess
import sys
import tempfile
import time

from processes import Guard  # first: it makes rabbit.py findable
from rabbit import free_port

SECRET = "mail-secret"  # of every mailbox
SENDER_ACCOUNT, SENDER_SECRET = "postroom@example.test", "smtp-secret"
OWNER = "mail"          # owns the mailboxes when root runs Dovecot, which never touches mail as root; present on every Debian
PORTS = ("imap", "imaps", "open", "submission", "smtps")
START_LIMIT, STOP_LIMIT = 60, 20
NO_MAIL_SERVER = (OSError, smtplib.SMTPException, imaplib.IMAP4.error)  # what a client meets that finds none, or an unwilling one

DOVECOT_CONF = """base_dir = {folder}/run
state_dir = {folder}/state
log_path = /dev/stderr
protocols = imap lmtp
listen = 127.0.0.1
ssl = required
ssl_cert = <{folder}/server.pem
ssl_key = <{folder}/server.key
disable_plaintext_auth = yes
mail_location = maildir:{folder}/mail/%Lu
first_valid_uid = 1
first_valid_gid = 1
mail_privileged_group =
mail_max_userip_connections = 200
mailbox_idle_check_interval = 1 s
recipient_delimiter = +
default_internal_user = {internal}
default_internal_group = {internal_group}
default_login_user = {login}
service imap-login {{
{chroot}  inet_listener imap {{
    port = {imap}
  }}
  inet_listener imaps {{
    port = {imaps}
    ssl = yes
  }}
}}
service imap {{
  process_limit = 1000
}}
auth_failure_delay = 0
service anvil {{
  chroot =
  unix_listener anvil-auth-penalty {{
    mode = 0
  }}
}}
service stats {{
  chroot =
}}
service lmtp {{
  unix_listener {folder}/lmtp.sock {{
    mode = 0666
  }}
}}
protocol lmtp {{
  auth_username_format = %Lu
}}
passdb {{
  driver = static
  args = password={secret}
}}
userdb {{
  driver = static
  args = uid={owner} gid={owner_group} home={folder}/mail/%Lu
}}
namespace inbox {{
  inbox = yes
}}
"""

# Its own word for this, `lmtp`, gives a mail up when Dovecot is killed while it writes: mail.lmtp ends by SIGPIPE, and only exit status 75 is "later".
SMTPD_CONF = """queue ttl 1h
smtp max-message-size "60M"
table everybody {{ "@" = "{owner}" }}
listen on 127.0.0.1 port {open} hostname localhost
action "deliver" mda "/usr/libexec/opensmtpd/mail.lmtp -d {folder}/lmtp.sock -r || exit 75" virtual <everybody>
match from any for any action "deliver"
"""


def run(*command, **more):
    return subprocess.run([str(part) for part in command], check=True, capture_output=True, **more)


def make_certificates(folder):
    """ca.pem, and server.pem with server.key for localhost and 127.0.0.1, signed by it."""
    key = ["-newkey", "rsa:2048", "-nodes", "-days", "30"]
    run("openssl", "req", "-x509", *key, "-keyout", folder / "ca.key", "-out", folder / "ca.pem", "-subj", "/CN=Test authority")
    run("openssl", "req", *key, "-keyout", folder / "server.key", "-out", folder / "server.csr", "-subj", "/CN=localhost")
    (folder / "server.ext").write_text("subjectAltName=DNS:localhost,IP:127.0.0.1\n")
    run("openssl", "x509", "-req", "-in", folder / "server.csr", "-CA", folder / "ca.pem", "-CAkey", folder / "ca.key", "-CAcreateserial", "-days", "30",
        "-extfile", folder / "server.ext", "-out", folder / "server.pem")
    os.chmod(folder / "server.key", 0o600)


def has_opensmtpd():
    """Whether it can run here: as root, with a mount namespace to hide its fixed places in."""
    if os.geteuid() != 0 or not shutil.which("smtpd", path="/usr/sbin") or not pathlib.Path("/usr/libexec/opensmtpd/mail.lmtp").exists():
        return False
    return subprocess.run(["unshare", "--mount", "true"], capture_output=True).returncode == 0


class Layout:
    """Where everything is: one folder with the settings of both servers. Written once; the ports stay the same over restarts."""

    def __init__(self, folder, smtp=None):
        """`smtp`: opensmtpd or aiosmtpd; none: what this user can run. Of a folder that was written before, clients need no more."""
        self.folder, self.smtp = pathlib.Path(folder), smtp

    def is_written(self):
        return (self.folder / "dovecot.conf").exists()

    def renew(self):
        """A folder that was written before, made fit for servers that start again: certificates end."""
        self.smtp = self.smtp or ("opensmtpd" if (self.folder / "smtpd.conf").exists() else "aiosmtpd")
        make_certificates(self.folder)
        return self

    def write(self, ports=None):
        """Writes certificates and settings; chooses the ports when none are given."""
        self.smtp = self.smtp or ("opensmtpd" if has_opensmtpd() else "aiosmtpd")
        self.folder.chmod(0o755)
        make_certificates(self.folder)
        ports = ports or {name: free_port() for name in PORTS}
        (self.folder / "mail").mkdir()
        me, is_root = pwd.getpwuid(os.geteuid()), os.geteuid() == 0
        owner = pwd.getpwnam(OWNER) if is_root else me
        if is_root:
            os.chown(self.folder / "mail", owner.pw_uid, owner.pw_gid)
        internal = {"internal": "dovecot", "internal_group": "dovecot", "login": "dovenull", "chroot": ""} if is_root else {
            "internal": me.pw_name, "internal_group": grp.getgrgid(me.pw_gid).gr_name, "login": me.pw_name, "chroot": "  chroot =\n"}
        facts = {"folder": self.folder, "owner": owner.pw_name, "owner_group": owner.pw_gid, "secret": SECRET, **internal, **ports}
        (self.folder / "dovecot.conf").write_text(DOVECOT_CONF.format(**facts))
        if self.smtp == "opensmtpd":
            (self.folder / "smtpd.conf").write_text(SMTPD_CONF.format(**facts))
            (self.folder / "resolv.conf").write_text("lookup file\n")
            for name in ("spool", "control"):
                (self.folder / name).mkdir(mode=0o711)
            pathlib.Path("/var/spool/smtpd").mkdir(mode=0o711, exist_ok=True)  # what the spool is mounted on; nothing is ever written there
        for name, port in ports.items():
            (self.folder / f"{name}.port").write_text(f"{port}\n")
        return self

    def port(self, name):
        return int((self.folder / f"{name}.port").read_text())

    def ports(self):
        return {name: self.port(name) for name in PORTS}

    @property
    def dovecot_command(self):
        return ["/usr/sbin/dovecot", "-F", "-c", str(self.folder / "dovecot.conf")]

    @property
    def smtpd_command(self):
        """OpenSMTPD's. It asks for the name of everybody who connects: here /etc/hosts alone answers, where a name server may take seconds."""
        folder = shlex.quote(str(self.folder))
        script = (f"mount --bind {folder}/spool /var/spool/smtpd && mount --bind {folder}/control /run && {{ ! test -e /etc/resolv.conf || "
                  f"mount --bind {folder}/resolv.conf /etc/resolv.conf; }} && exec /usr/sbin/smtpd -d -f {folder}/smtpd.conf")
        return ["unshare", "--mount", "sh", "-c", script]

    @property
    def front_command(self):
        options = {"certificate": self.folder / "server.pem", "key": self.folder / "server.key", "account": SENDER_ACCOUNT, "secret": SENDER_SECRET,
                   "submission": self.port("submission"), "smtps": self.port("smtps"), "taken": self.folder / "taken.log"}
        options |= {"next": self.port("open")} if self.smtp == "opensmtpd" else {"next": self.folder / "lmtp.sock", "open": self.port("open")}
        python = sys.executable if importlib.util.find_spec("aiosmtpd") else "/usr/bin/python3"  # whose packages are the system's
        return [python, "-B", str(pathlib.Path(__file__).with_name("smtp_front.py")), *(word for name, value in options.items() for word in (f"--{name}", str(value)))]

    def commands(self):
        """Of every server by its name, in the order of their start."""
        return {"dovecot": self.dovecot_command, **({"smtpd": self.smtpd_command} if self.smtp == "opensmtpd" else {}), "smtp_front": self.front_command}

    def trust(self):
        """A TLS context of a client that trusts our authority."""
        return ssl.create_default_context(cafile=str(self.folder / "ca.pem"))

    # --- clients ---

    def send(self, content, sender, recipient, timeout=60):
        """One mail by SMTP as anybody on the network sends it; returns when it was accepted. Raises smtplib.SMTPException or OSError."""
        with smtplib.SMTP("127.0.0.1", self.port("open"), timeout=timeout) as far:
            far.sendmail(sender, [recipient], content)

    @contextlib.contextmanager
    def mailbox(self, user, folder="INBOX", is_readonly=False, timeout=60):
        """A session of that user with the folder selected, over TLS."""
        far = imaplib.IMAP4_SSL("localhost", self.port("imaps"), ssl_context=self.trust(), timeout=timeout)
        try:
            far.login(user, SECRET)
            yield Mailbox(far, folder, is_readonly)
        finally:
            with contextlib.suppress(OSError, imaplib.IMAP4.error):
                far.logout()

    def reset_uids(self, user):
        """The mailbox forgets its numbers: every mail gets another UID under another UIDVALIDITY."""
        for name in ("dovecot-uidlist", "dovecot.index", "dovecot.index.log", "dovecot.index.log.2", "dovecot.index.cache"):
            (self.folder / "mail" / user.lower() / name).unlink(missing_ok=True)  # dovecot-uidvalidity stays: the next one is another for sure


class Mailbox:
    """One IMAP session of a user."""

    FETCHED = re.compile(rb"^\d+ \(.*?UID (\d+)")

    def __init__(self, far, folder, is_readonly=False):
        self.far = far
        self.select(folder, is_readonly)

    def _good(self, answer):
        status, data = answer
        if status != "OK":
            raise imaplib.IMAP4.error(f"{status}: {data}")
        return data

    def select(self, folder, is_readonly=False):
        self.exists = int(self._good(self.far.select(f'"{folder}"', readonly=is_readonly))[0])
        self.uid_validity = int(self.far.response("UIDVALIDITY")[1][0])

    def uids(self):
        """In order."""
        return [int(uid) for uid in self._good(self.far.uid("SEARCH", "ALL"))[0].split()]

    def mails(self, what="BODY.PEEK[]"):
        """UID → bytes of all mails, or of a part of each such as BODY.PEEK[HEADER]."""
        if not self.uids():
            return {}
        found = self._good(self.far.uid("FETCH", "1:*", f"(UID {what})"))
        return {int(self.FETCHED.match(item[0])[1]): item[1] for item in found if isinstance(item, tuple)}

    def flags(self):
        """UID → set of flags."""
        found = self._good(self.far.uid("FETCH", "1:*", "(UID FLAGS)")) if self.uids() else []
        return {int(re.search(rb"UID (\d+)", line)[1]): set(re.search(rb"FLAGS \((.*?)\)", line)[1].decode().split()) for line in found if line}

    def put(self, content, received_at):
        """A mail into INBOX as if it had come at that time, Unix seconds."""
        self._good(self.far.append("INBOX", None, imaplib.Time2Internaldate(received_at), content))

    def flag(self, uid, flag):
        self._good(self.far.uid("STORE", str(uid), "+FLAGS", f"({flag})"))

    def move(self, uid, folder):
        self.far.create(f'"{folder}"')
        self._good(self.far.uid("MOVE", str(uid), f'"{folder}"'))


class Server:
    """One of them, in a process group of its own: started, killed as a whole, started again."""

    def __init__(self, command, log_path, guard, ports):
        self.command, self.log_path, self.guard, self.ports, self.process = command, log_path, guard, ports, None

    def start(self):
        """Returns when it greets on all its ports."""
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen(self.command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True)
        self.guard.say("watch", self.process.pid)
        deadline = time.monotonic() + START_LIMIT
        for port, is_tls in self.ports:
            while not greets(port, is_tls):
                if time.monotonic() > deadline or self.process.poll() is not None:
                    raise RuntimeError(f"{self.command[0]} does not greet on {port}:\n{self.log_tail()}")
                time.sleep(0.05)
        return self

    def _signal(self, number):
        with contextlib.suppress(OSError):
            os.killpg(self.process.pid, number)

    def kill(self):
        """SIGKILL for all of its processes."""
        if self.process is not None:
            self._signal(signal.SIGCONT)
            self._signal(signal.SIGKILL)
            self._ended()

    def stop(self):
        if self.process is None:
            return
        self._signal(signal.SIGCONT)
        self.process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(STOP_LIMIT)
        self.kill()

    def pause(self):
        self._signal(signal.SIGSTOP)

    def resume(self):
        self._signal(signal.SIGCONT)

    def _ended(self):
        self.process.wait()
        deadline = time.monotonic() + STOP_LIMIT
        while is_group_alive(self.process.pid) and time.monotonic() < deadline:
            time.sleep(0.02)
        self.guard.say("forget", self.process.pid)
        self.process = None

    def log_tail(self, count=15):
        with contextlib.suppress(OSError):
            return "\n".join(self.log_path.read_text(errors="replace").splitlines()[-count:])
        return ""


def is_group_alive(group):
    """Whether a process of that group still does anything; the dead that nobody has collected yet do not count."""
    for entry in pathlib.Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            state, _, its_group = entry.read_text().rpartition(")")[2].split()[:3]
            if int(its_group) == group and state not in "ZX":
                return True
    return False


def greets(port, is_tls):
    """A byte comes of itself, or, where TLS is first, the connection is taken."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=5) as probe:
            return is_tls or bool(probe.recv(1))
    except OSError:
        return False


class MailServers(Layout):
    """Both servers of a test, in a new folder that goes with them."""

    def __init__(self, smtp=None, guard=None):
        super().__init__(tempfile.mkdtemp(prefix="postroom-mail-"), smtp)
        self.guard, self.is_own_guard = guard or Guard(), guard is None
        self.guard.say("folder", str(self.folder))
        self.write()
        ports = {"dovecot": [("imap", False), ("imaps", True)], "smtpd": [("open", False)], "smtp_front": [("submission", False), ("smtps", True)]}
        self.servers = {name: Server(command, self.folder / f"{name}.log", self.guard, [(self.port(port), is_tls) for port, is_tls in ports[name]])
                        for name, command in self.commands().items()}
        self.dovecot, self.front, self.smtpd = (self.servers.get(name) for name in ("dovecot", "smtp_front", "smtpd"))

    def start(self):
        for server in self.servers.values():
            server.start()
        return self

    def on_their_way(self):
        """How many mails the SMTP server has taken and not delivered."""
        return sum(1 for _ in (self.folder / "spool" / "queue").glob("*/*/*")) if self.smtpd else 0

    def taken(self):
        """Of the mails of those who logged in: the Message-ID of each time that one was answered 250."""
        path = self.folder / "taken.log"
        return path.read_text(encoding="utf-8").split() if path.exists() else []

    def given_up(self):
        """What the SMTP server took and will never deliver, a line each: such a mail is lost, and not by those who sent it."""
        if not self.smtpd:
            return []
        return [line for line in self.smtpd.log_path.read_text(errors="replace").splitlines() if "result=PermFail" in line]

    def hurry(self):
        """Deliver now what waits for its next attempt."""
        if self.smtpd:
            subprocess.run(["unshare", "--mount", "sh", "-c", f"mount --bind {shlex.quote(str(self.folder))}/control /run && exec smtpctl schedule all"], capture_output=True)

    def close(self):
        for server in reversed(self.servers.values()):
            server.stop()
        if self.is_own_guard:
            self.guard.close()
        for _ in range(20):  # somebody may still be closing files
            shutil.rmtree(self.folder, ignore_errors=True)
            if not self.folder.exists():
                break
            time.sleep(0.05)

    def __enter__(self):
        try:
            return self.start()
        except BaseException:
            self.close()
            raise

    def __exit__(self, *unused):
        self.close()

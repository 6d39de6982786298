#!/usr/bin/python3
"""An SMTP server for tests that fails on request (aiosmtpd under it, so Debian's own python3 runs it).

    /usr/bin/python3 tests/sims/smtp.py --folder DIR [--tls none|starttls|implicit] [--certificate good|other|expired] [--login USER:PASSWORD] …

Prints `listening on PORT`, serves until SIGTERM. DIR gets ca.pem, the certificates, and `log`: one JSON line per event, written before the answer leaves:
  {"event": "mail", "sender", "recipients", "content" (base64, dots undone), "login"}   a whole mail, with its final dot
  {"event": "cut", "recipients", "bytes"}                                               the client left after DATA without a final dot
  {"event": "line", "text"}                                                             a command (of AUTH only the word)

What happens is said by the local part of a recipient (or of the sender, for sender-*):
  later-450  refused-550  relay-530           at RCPT              sender-450  sender-553                at MAIL
  data-451  data-554                          at DATA              dot-451  dot-554  dot-552-late        in answer to the final dot
  drop-in-data                                closes in the middle of the mail
  leave-while-held  speak-while-held          closes (with 421, or without a word) when the mail stops short of its dot
  drop-after-dot                              throws the mail away and closes         accept-then-drop   keeps it and closes without an answer
  hang-after-dot                              keeps it and never answers              slow-after-dot     answers after a second
  hang-after-quit                             takes the mail and never answers QUIT
  endless                                     answers RCPT with lines that do not end
"""
import argparse
import asyncio
import base64
import json
import logging
import pathlib
import socket
import ssl
import subprocess
import sys

from aiosmtpd.smtp import SMTP, AuthResult

HELD_MEANS = 0.25  # seconds without a byte


def openssl(folder, *arguments):
    subprocess.run(["openssl", *arguments], cwd=folder, check=True, capture_output=True)


def make_certificates(folder):
    key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    openssl(folder, "req", "-x509", *key, "-keyout", "ca.key", "-out", "ca.pem", "-subj", "/CN=test authority", "-days", "30")
    for name, who, days in (("good", "DNS:localhost,IP:127.0.0.1", "30"), ("other", "DNS:other.example", "30"), ("expired", "DNS:localhost,IP:127.0.0.1", "-1")):
        (folder / f"{name}.ext").write_text("subjectAltName=" + who)
        openssl(folder, "req", *key, "-keyout", f"{name}.key", "-out", f"{name}.csr", "-subj", "/CN=" + name)
        openssl(folder, "x509", "-req", "-in", f"{name}.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-out", f"{name}.pem",
                "-days", days, "-extfile", f"{name}.ext")


class Server(SMTP):
    """One connection."""

    def __init__(self, options, log, **settings):
        self.options, self.log = options, log
        self.wishes = set()
        self.in_data = None  # bytes since DATA, while there is no final dot
        super().__init__(self, hostname="sim.example", ident="sim", **settings)

    def say(self, text):
        self._writer.write(text)

    def connection_lost(self, error):
        if self.in_data is not None:
            self.log(event="cut", recipients=list(self.envelope.rcpt_tos) if self.envelope else [], bytes=self.in_data)
            self.in_data = None
        super().connection_lost(error)

    def leave(self):
        self.transport.abort()

    async def never(self):
        await asyncio.Event().wait()

    # --- the commands that are not as usual ---

    async def smtp_EHLO(self, hostname):
        self.log(event="line", text="EHLO " + (hostname or ""))
        if self.options.hello:
            return await self.push(self.options.hello)
        await super().smtp_EHLO(hostname)

    async def smtp_STARTTLS(self, arg):
        self.log(event="line", text="STARTTLS")
        if self.options.starttls:
            return await self.push(self.options.starttls)
        await super().smtp_STARTTLS(arg)

    async def smtp_AUTH(self, arg):
        self.log(event="line", text="AUTH")
        if self.options.auth:
            return await self.push(self.options.auth)
        await super().smtp_AUTH(arg)

    async def smtp_NOOP(self, arg):
        self.log(event="line", text="NOOP")
        await super().smtp_NOOP(arg)

    async def smtp_QUIT(self, arg):
        self.log(event="line", text="QUIT")
        if "hang-after-quit" in self.wishes:
            await self.never()
        await super().smtp_QUIT(arg)

    async def smtp_DATA(self, arg):
        self.log(event="line", text="DATA")
        for wish, answer in (("data-451", "451 4.3.0 not now"), ("data-554", "554 5.5.1 no valid recipients")):
            if wish in self.wishes:
                return await self.push(answer)
        self.in_data = 0
        if self.wishes & {"drop-in-data", "leave-while-held", "speak-while-held"}:
            # What is not read here must not fit into the kernel's buffers, else the client is done before we leave.
            self.transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 16 << 10)
            await self.push("354 go on")
            return await self.leave_in_data()
        await super().smtp_DATA(arg)

    async def leave_in_data(self):
        try:
            while "drop-in-data" not in self.wishes or self.in_data < 1000:
                read = await asyncio.wait_for(self._reader.read(1000), HELD_MEANS)
                if not read:
                    break
                self.in_data += len(read)
        except asyncio.TimeoutError:
            pass
        self.log(event="left", bytes=self.in_data)
        if "speak-while-held" in self.wishes:
            self.say(b"421 4.3.2 closing, sorry\r\n")
            await self._writer.drain()
        self.transport.close()

    # --- aiosmtpd's hooks; this object is its own handler ---

    async def handle_MAIL(self, server, session, envelope, address, options):
        self.log(event="line", text="MAIL " + address + "".join(" " + one for one in options))
        wish = (address or "").split("@")[0]
        for name, answer in (("sender-450", "450 4.1.8 not now"), ("sender-553", "553 5.1.8 who are you")):
            if wish == name:
                return answer
        envelope.mail_from = address
        return "250 OK"

    async def handle_RCPT(self, server, session, envelope, address, options):
        self.log(event="line", text="RCPT " + address)
        wish = address.split("@")[0]
        self.wishes.add(wish)
        if wish == "endless":
            while not self.transport.is_closing():
                self.say(b"250-and so on and so on and so on\r\n" * 1000)
                await self._writer.drain()
        for name, answer in (("later-450", "450 4.2.0 greylisted, come back"), ("refused-550", "550 5.1.1 no such person here"),
                             ("relay-530", "530 5.7.0 log in first")):
            if wish == name:
                return answer
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        self.in_data = None
        wishes = self.wishes
        if not wishes & {"drop-after-dot", "dot-451", "dot-554"}:
            self.log(event="mail", sender=envelope.mail_from, recipients=envelope.rcpt_tos, login=bool(session.authenticated),
                     content=base64.b64encode(envelope.original_content).decode())
        if wishes & {"drop-after-dot", "accept-then-drop"}:
            self.leave()
        if wishes & {"drop-after-dot", "accept-then-drop", "hang-after-dot"}:
            await self.never()
        await asyncio.sleep(1 if "slow-after-dot" in wishes else self.options.after_dot)
        if "dot-451" in wishes:
            return "451 4.3.1 disk full"
        if "dot-554" in wishes:
            return "554 5.7.1 looks like spam"
        return "250 2.0.0 OK, queued as 42"


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--folder", type=pathlib.Path, required=True)
    parser.add_argument("--tls", choices=("none", "starttls", "implicit"), default="none")
    parser.add_argument("--certificate", choices=("good", "other", "expired"), default="good")
    parser.add_argument("--login", help="USER:PASSWORD that is needed; without TLS too")
    parser.add_argument("--auth", help="the answer to AUTH, whatever it says")
    parser.add_argument("--hello", help="the answer to EHLO")
    parser.add_argument("--starttls", help="the answer to STARTTLS")
    parser.add_argument("--after-dot", type=float, default=0, help="seconds until the answer to the final dot")
    parser.add_argument("--greeting", help="said at once, then the connection is closed")
    parser.add_argument("--silent", action="store_true", help="takes connections and says nothing")
    options = parser.parse_args()
    logging.getLogger("mail.log").setLevel(logging.CRITICAL)
    if not (options.folder / "ca.pem").exists():
        make_certificates(options.folder)
    file = (options.folder / "log").open("a", buffering=1)

    def log(**event):
        print(json.dumps(event), file=file, flush=True)

    def authenticate(server, session, envelope, mechanism, data):
        said = f"{(data.login or b'').decode()}:{(data.password or b'').decode()}"
        return AuthResult(success=said == options.login, handled=False)

    async def turn_away(reader, writer):
        if options.greeting:
            writer.write(options.greeting.encode() + b"\r\n")
            await writer.drain()
            writer.close()

    async def serve():
        loop = asyncio.get_running_loop()
        context = None
        if options.tls != "none":
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(options.folder / f"{options.certificate}.pem", options.folder / f"{options.certificate}.key")
        settings = {"tls_context": context if options.tls == "starttls" else None, "require_starttls": options.tls == "starttls", "timeout": 600,
                    "data_size_limit": 32 << 20, "enable_SMTPUTF8": True}
        if options.login:
            settings.update(authenticator=authenticate, auth_required=True, auth_require_tls=False)
        if options.greeting or options.silent:
            server = await asyncio.start_server(turn_away, "127.0.0.1", 0)
        else:
            server = await loop.create_server(lambda: Server(options, log, **settings), "127.0.0.1", 0, ssl=context if options.tls == "implicit" else None)
        print("listening on", server.sockets[0].getsockname()[1], flush=True)
        await server.serve_forever()

    asyncio.run(serve())


if __name__ == "__main__":
    sys.exit(main())

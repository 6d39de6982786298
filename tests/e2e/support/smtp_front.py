#!/usr/bin/env python3
"""The SMTP server of the tests where TLS and logins are wanted: takes a mail, hands it on to LMTP or to the next SMTP server, and says 250 only when that has it.

    smtp_front.py --next SOCKET|PORT --certificate PEM --key PEM --account NAME --secret SECRET --submission PORT --smtps PORT [--open PORT] [--taken FILE]

--next: the path of an LMTP socket, or the port of an SMTP server on loopback. submission: STARTTLS and a login required. smtps: TLS from the first byte and a
login required. open: anybody, STARTTLS offered. What the next server does not take now is answered 451, so the sender tries again. taken: gets the Message-ID
of each mail that is about to be answered 250 to somebody who logged in, a line each.
"""

import argparse
import asyncio
import email
import smtplib
import ssl
import warnings

from aiosmtpd.smtp import SMTP, AuthResult, LoginPassword

SIZE_LIMIT = 60 << 20


class Hand:
    """Passes a whole mail on, with a line on top that tells where it came from, as every mail server writes one."""

    def __init__(self, following, taken=None):
        self.following, self.taken = following, taken

    async def handle_DATA(self, server, session, envelope):
        received = f"Received: from {session.host_name} ([{session.peer[0]}]) by localhost with ESMTP\r\n".encode("ascii", "replace")
        try:
            refused = await asyncio.to_thread(self._pass_on, envelope.mail_from, envelope.rcpt_tos, received + envelope.original_content)
        except (OSError, smtplib.SMTPException) as wrong:
            return f"451 4.3.0 the next server does not take it now: {type(wrong).__name__}"
        if len(refused) == len(envelope.rcpt_tos):
            return f"550 5.1.1 refused: {sorted(refused)}"
        if self.taken and session.authenticated:
            with open(self.taken, "a", encoding="utf-8") as log:
                log.write(f"{email.message_from_bytes(envelope.original_content)['Message-ID']}\n")
        return "250 2.0.0 kept"

    def _pass_on(self, sender, recipients, content):
        """Who was refused for good."""
        with smtplib.SMTP("127.0.0.1", int(self.following)) if self.following.isdecimal() else smtplib.LMTP(self.following) as far:
            try:
                return far.sendmail(sender, recipients, content)
            except smtplib.SMTPRecipientsRefused as wrong:
                if any(code < 500 for code, _ in wrong.recipients.values()):
                    raise
                return wrong.recipients


async def serve(given):
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(given.certificate, given.key)
    hand = Hand(given.next, given.taken)

    def check(server, session, envelope, mechanism, data):
        is_right = isinstance(data, LoginPassword) and data == LoginPassword(given.account.encode(), given.secret.encode())
        return AuthResult(success=is_right, handled=False)

    # Neither OpenSMTPD nor Dovecot's LMTP takes addresses that are not ASCII (SMTPUTF8), so nor do we.
    common = {"hostname": "localhost", "data_size_limit": SIZE_LIMIT, "decode_data": False, "enable_SMTPUTF8": False}
    login = {"authenticator": check, "auth_required": True}
    loop = asyncio.get_running_loop()
    # Where TLS comes first, the protocol itself does not know of it.
    servers = [await loop.create_server(lambda: SMTP(hand, tls_context=context, require_starttls=True, **common, **login), "127.0.0.1", given.submission),
               await loop.create_server(lambda: SMTP(hand, auth_require_tls=False, **common, **login), "127.0.0.1", given.smtps, ssl=context)]
    if given.open:
        servers.append(await loop.create_server(lambda: SMTP(hand, tls_context=context, **common), "127.0.0.1", given.open))
    await asyncio.gather(*(server.serve_forever() for server in servers))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("next", "certificate", "key", "account", "secret"):
        parser.add_argument(f"--{name}", required=True)
    for name in ("submission", "smtps"):
        parser.add_argument(f"--{name}", type=int, required=True)
    parser.add_argument("--open", type=int)
    parser.add_argument("--taken")
    warnings.simplefilter("ignore", UserWarning)  # that a login without TLS is unwise: smtps has it, unseen
    asyncio.run(serve(parser.parse_args()))


if __name__ == "__main__":
    main()

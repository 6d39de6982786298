"""The mail servers of the tests do what a mail server does: take mail, keep it, show it, come back after SIGKILL, forget their numbers on request."""

import imaplib
import json
import pathlib
import smtplib
import sys
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
from mailservers import SECRET, SENDER_ACCOUNT, SENDER_SECRET, MailServers, has_opensmtpd, is_group_alive  # noqa: E402

LIMIT = 60


def mail(number, sender="ann@example.test"):
    return f"From: Ann <{sender}>\r\nTo: desk@example.test\r\nSubject: number {number}\r\nMessage-ID: <{number}@example.test>\r\n\r\n.A dot, and ä.\r\n".encode()


class Any:
    """Tried with each SMTP server that this user can run."""

    smtp = None

    @classmethod
    def setUpClass(cls):
        cls.servers = MailServers(cls.smtp)
        cls.addClassCleanup(cls.servers.close)
        cls.servers.start()

    def until_exists(self, user, count):
        deadline = time.monotonic() + LIMIT
        while True:
            with self.servers.mailbox(user) as box:
                if box.exists >= count or time.monotonic() > deadline:
                    self.assertEqual(box.exists, count)
                    return box.uid_validity, box.mails()
            time.sleep(0.05)

    def test_twenty_mails_are_read_back_and_survive(self):
        user = f"desk.{self.smtp}@example.test"
        for number in range(20):
            self.servers.send(mail(number), "ann@example.test", user.replace("@", f"+{number}@"))
        validity, mails = self.until_exists(user, 20)
        self.assertEqual(sorted(int(text.split(b"Subject: number ")[1].split()[0]) for text in mails.values()), list(range(20)))
        for text in mails.values():
            number = text.split(b"Subject: number ")[1].split()[0]
            self.assertIn(b"\r\n\r\n.A dot, and \xc3\xa4.\r\n", text)
            self.assertIn(user.replace("@", f"+{number.decode()}@").encode(), text.split(b"Delivered-To: ")[1].split(b"\r\n")[0])

        self.servers.dovecot.kill()
        with self.assertRaises(OSError), self.servers.mailbox(user):
            pass
        self.servers.send(mail(20), "ann@example.test", user) if self.smtp == "opensmtpd" else self.assertRaises(
            smtplib.SMTPDataError, self.servers.send, mail(20), "ann@example.test", user)
        self.servers.dovecot.start()
        if self.smtp == "aiosmtpd":
            self.servers.send(mail(20), "ann@example.test", user)
        else:
            self.servers.smtpd.stop()  # it would try again in minutes; a new one looks at once
            self.servers.smtpd.start()
        again, mails = self.until_exists(user, 21)
        self.assertEqual(again, validity)

        with self.servers.mailbox(user) as box:
            moved, flagged = box.uids()[:2]
            box.move(moved, "Done")
            box.flag(flagged, "\\Seen")
            self.assertEqual({uid for uid, flags in box.flags().items() if "\\Seen" in flags}, {flagged})
            box.select("Done")
            self.assertEqual(box.exists, 1)
        self.servers.reset_uids(user)
        with self.servers.mailbox(user) as box:
            self.assertNotEqual(box.uid_validity, validity)
            self.assertEqual((box.exists, box.uids()), (20, list(range(1, 21))))

    def test_a_wrong_secret_is_refused_and_starttls_is_offered(self):
        for name, is_tls in (("imap", False), ("imaps", True)):
            for secret in (SECRET + "x", SECRET):
                port = self.servers.port(name)
                far = imaplib.IMAP4_SSL("localhost", port, ssl_context=self.servers.trust(), timeout=LIMIT) if is_tls else imaplib.IMAP4("localhost", port, timeout=LIMIT)
                with far:
                    if not is_tls:
                        far.starttls(self.servers.trust())
                    if secret == SECRET:
                        far.login("ann@example.test", secret)
                    else:
                        self.assertRaises(imaplib.IMAP4.error, far.login, "ann@example.test", secret)

    def test_submission_wants_tls_and_a_login(self):
        for name, is_tls in (("submission", False), ("smtps", True)):
            with self.subTest(name):
                port = self.servers.port(name)
                far = smtplib.SMTP_SSL("localhost", port, timeout=LIMIT, context=self.servers.trust()) if is_tls else smtplib.SMTP("localhost", port, timeout=LIMIT)
                with far:
                    if not is_tls:
                        with self.assertRaises(smtplib.SMTPException):
                            far.sendmail("desk@example.test", [f"bob.{name}.{self.smtp}@example.test"], mail(1))
                        far.starttls(context=self.servers.trust())
                    with self.assertRaises(smtplib.SMTPException):
                        far.sendmail("desk@example.test", [f"bob.{name}.{self.smtp}@example.test"], mail(2))
                    with self.assertRaises(smtplib.SMTPAuthenticationError):
                        far.login(SENDER_ACCOUNT, "wrong")
                    far.login(SENDER_ACCOUNT, SENDER_SECRET)
                    far.sendmail("desk@example.test", [f"bob.{name}.{self.smtp}@example.test"], mail(3))
                _, mails = self.until_exists(f"bob.{name}.{self.smtp}@example.test", 1)
                self.assertIn(b"Subject: number 3", *mails.values())

    def submit(self, user, number):
        with smtplib.SMTP_SSL("localhost", self.servers.port("smtps"), timeout=LIMIT, context=self.servers.trust()) as far:
            far.login(SENDER_ACCOUNT, SENDER_SECRET)
            far.sendmail("desk@example.test", [user], mail(number))

    def test_trouble_strikes_those_who_log_in_while_it_is_there(self):
        user, trouble, log = f"eve.{self.smtp}@example.test", self.servers.trouble_path, self.servers.trouble_path.with_name("trouble.log")
        trouble.write_text(json.dumps({"at": "recipient", "answer": "450 4.2.0 later", "share": 1}))
        with self.assertRaises(smtplib.SMTPRecipientsRefused) as refused:
            self.submit(user, 1)
        self.assertEqual(refused.exception.recipients[user][0], 450)
        trouble.write_text(json.dumps({"at": "dot", "answer": "451 4.3.0 not now", "share": 1}))
        with self.assertRaises(smtplib.SMTPDataError):
            self.submit(user, 2)
        trouble.write_text(json.dumps({"at": "dot", "share": 1}))
        with self.assertRaises(smtplib.SMTPServerDisconnected):
            self.submit(user, 3)
        self.servers.send(mail(4), "ann@example.test", user)
        trouble.unlink()
        self.submit(user, 5)
        _, mails = self.until_exists(user, 3)
        self.assertEqual(sorted(int(text.split(b"Subject: number ")[1].split()[0]) for text in mails.values()), [3, 4, 5])
        self.assertEqual(log.read_text().splitlines(), ["recipient 450 4.2.0 later", "dot 451 4.3.0 not now", "dot silence"])

    def test_nothing_is_left(self):
        servers = MailServers(self.smtp).start()
        groups = [server.process.pid for server in servers.servers.values()]
        self.assertTrue(all(is_group_alive(group) for group in groups))
        servers.close()
        self.assertEqual(([group for group in groups if is_group_alive(group)], servers.folder.exists()), ([], False))


class WithAiosmtpd(Any, unittest.TestCase):
    smtp = "aiosmtpd"


if has_opensmtpd():
    class WithOpenSmtpd(Any, unittest.TestCase):
        smtp = "opensmtpd"


if __name__ == "__main__":
    unittest.main(verbosity=2)

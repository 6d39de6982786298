"""Mails as the suites write them, and mails as they find them in a mailbox."""

import email
import email.policy
import email.utils
import uuid


def new_id(host="laptop.example.test"):
    return f"<{uuid.uuid4()}@{host}>"


def letter(sender, recipient, subject, text="Hello.", *, message_id=None, answer_to=None, name=None, headers=None):
    """A plain mail as bytes. `answer_to`: a Message-ID; `headers`: more of them, or None to leave one out."""
    fields = {"From": email.utils.formataddr((name or "", sender)), "To": recipient, "Subject": subject, "Date": email.utils.formatdate(localtime=True),
              "Message-ID": message_id or new_id(), "MIME-Version": "1.0", "Content-Type": "text/plain; charset=utf-8", "Content-Transfer-Encoding": "8bit"}
    if answer_to:
        fields |= {"In-Reply-To": answer_to, "References": answer_to}
    fields |= headers or {}
    head = "".join(f"{field}: {value}\r\n" for field, value in fields.items() if value is not None)
    return head.encode() + b"\r\n" + text.replace("\n", "\r\n").encode() + b"\r\n"


def attached(sender, recipient, subject, text, files, message_id=None):
    """A mail with attachments (name → bytes), an HTML part too."""
    mail = email.message.EmailMessage(policy=email.policy.SMTP)
    mail["From"], mail["To"], mail["Subject"], mail["Message-ID"], mail["Date"] = sender, recipient, subject, message_id or new_id(), email.utils.formatdate(localtime=True)
    mail.set_content(text)
    mail.add_alternative(f"<html><body><p>{text}</p></body></html>", subtype="html")
    for file, content in files.items():
        mail.add_attachment(content, maintype="application", subtype="octet-stream", filename=file)
    return mail.as_bytes()


def bounce(recipient, failed, original_id, postmaster="mailer-daemon@mx.example.test"):
    """A delivery report (RFC 3464) about a mail that `recipient` sent to `failed`."""
    boundary = uuid.uuid4().hex
    lines = [f"From: Mail Delivery System <{postmaster}>", f"To: {recipient}", "Subject: Undelivered Mail Returned to Sender", f"Message-ID: {new_id('mx.example.test')}",
             f"Date: {email.utils.formatdate(localtime=True)}", "Auto-Submitted: auto-replied", "MIME-Version: 1.0",
             f'Content-Type: multipart/report; report-type=delivery-status; boundary="{boundary}"', "", f"--{boundary}", "Content-Type: text/plain", "",
             f"<{failed}>: host mx.example.test said: 550 5.1.1 No such user", "", f"--{boundary}", "Content-Type: message/delivery-status", "",
             "Reporting-MTA: dns; mx.example.test", "", f"Final-Recipient: rfc822; {failed}", "Action: failed", "Status: 5.1.1",
             "Diagnostic-Code: smtp; 550 5.1.1 No such user", "", f"--{boundary}", "Content-Type: text/rfc822-headers", "", f"From: {recipient}", f"To: {failed}",
             f"Message-ID: {original_id}", "Subject: what was sent", "", f"--{boundary}--", ""]
    return "\r\n".join(lines).encode()


# A multipart without boundary whose Content-Type has a parameter name that is not ASCII: Debian 12's GMime loops on it until memory ends.
KILLER = b"Content-Type: multipart/mixed;\r\n " + "\u045c".encode() * 30 + b'="' + "\u045c".encode() + b'"\r\n\r\n'


def read(raw):
    """A mail of a mailbox, with decoded header fields."""
    return email.message_from_bytes(raw, policy=email.policy.default)


def plain_text(mail):
    part = mail.get_body(("plain",))
    return part.get_content() if part else ""


def answers(mails, message_id):
    """Those among raw mails that answer a Message-ID, each distinct one once: their Message-ID → mail."""
    found = {}
    for raw in mails:
        mail = read(raw)
        if message_id in f"{mail['In-Reply-To'] or ''} {mail['References'] or ''}":
            found[str(mail["Message-ID"])] = mail
    return found

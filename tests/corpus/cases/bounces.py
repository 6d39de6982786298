"""Reports about mails that we sent, by the book and in prose."""
from builder import *

SENT = "t1.d1.abc@desk.example"


def bounced(recipient, status, action, reason):
    return {"recipient": recipient, "status": status, "action": action, "reason": reason}


def why(recipient, status, action, reason):
    return f"a report about a mail, ours or another's, to {recipient}: {action}" + (f" {status}" if status else "") + (f", {reason}" if reason else "")


def dsn(name, prose, fields, bounce, original=True, sender="MAILER-DAEMON@mx.example", **more):
    ours = f"Message-ID: <{SENT}>\nFrom: support@desk.example\nTo: gone@example.net\nSubject: Hello\n\nour text\n"
    returned = part(ours, "message/rfc822")
    if original == "headers":
        returned = part(f"Message-ID: <{SENT}>\nSubject: Hello\n", "text/rfc822-headers")
    parts = [text(prose), part(fields, "message/delivery-status"), returned]
    ct, body = multipart("report", parts, params="; report-type=delivery-status")
    case(name, body, content_type=ct, subject=more.pop("subject", "Undelivered Mail Returned to Sender"), sender=f"Mail Delivery System <{sender}>", body_text=prose.strip(),
         verdict="bounce", bounce=bounce, why=why(*[bounce[k] for k in ("recipient", "status", "action", "reason")]), auto_reason=more.pop("auto_reason", f"From: {sender.lower()}"),
         attachments=[("Hello.eml", wire(ours), "message/rfc822")] if original is True else [], **more)
    came_from(sender)


dsn("bounce-postfix", "This is the mail system at host mx.example.\n\n<gone@example.net>: host mx.example.net said: 550 5.1.1 no such user\n",
    "Reporting-MTA: dns; mx.example\nX-Postfix-Queue-ID: ABC\nArrival-Date: Fri, 20 Nov 2026 09:59:00 +0000\n\nFinal-Recipient: rfc822; gone@example.net\n"
    "Original-Recipient: rfc822;gone@example.net\nAction: failed\nStatus: 5.1.1\nRemote-MTA: dns; mx.example.net\nDiagnostic-Code: smtp; 550 5.1.1 no such user\n",
    bounced("gone@example.net", "5.1.1", "failed", "550 5.1.1 no such user"))
dsn("bounce-postfix-delayed", "Your message could not be delivered for 4 hours. It will be retried.\n",
    "Reporting-MTA: dns; mx.example\n\nFinal-Recipient: rfc822; gone@example.net\nAction: delayed\nStatus: 4.4.1\nDiagnostic-Code: X-Postfix; connect to mx.example.net: timed out\n",
    bounced("gone@example.net", "4.4.1", "delayed", "connect to mx.example.net: timed out"), original="headers", subject="Delayed Mail (still being retried)")
dsn("report-delivered", "Your message was delivered.\n", "Reporting-MTA: dns; mx.example\n\nFinal-Recipient: rfc822; ann@example.org\nAction: delivered\nStatus: 2.1.5\n",
    bounced("ann@example.org", "2.1.5", "delivered", ""), subject="Successful Mail Delivery Report")
dsn("bounce-two-recipients", "Two recipients.\n",
    "Reporting-MTA: dns; mx.example\n\nFinal-Recipient: rfc822; slow@example.net\nAction: delayed\nStatus: 4.2.2\n\nFinal-Recipient: rfc822; gone@example.net\nAction: failed\n"
    "Status: 5.7.1\nDiagnostic-Code: smtp; 550 5.7.1 refused\n", bounced("gone@example.net", "5.7.1", "failed", "550 5.7.1 refused"))
dsn("bounce-exchange", "Delivery has failed to these recipients or groups:\n\ngone@example.net\n",
    "Reporting-MTA: dns;mail.example.net\n\nFinal-recipient: RFC822;gone@example.net\nAction: failed\nStatus: 5.1.10\nDiagnostic-code: smtp;550 5.1.10 RESOLVER.ADR.RecipientNotFound\n",
    bounced("gone@example.net", "5.1.10", "failed", "550 5.1.10 RESOLVER.ADR.RecipientNotFound"), sender="postmaster@mail.example.net", subject="Undeliverable: Hello")
dsn("bounce-gmail", "Address not found\n\nYour message wasn't delivered to gone@example.net because the address couldn't be found.\n",
    "Reporting-MTA: dns; googlemail.example\n\nFinal-Recipient: rfc822; gone@example.net\nAction: failed\nStatus: 5.1.1\nDiagnostic-Code: smtp; 550-5.1.1 The account does not exist.\n"
    " 550 5.1.1 Please check.\n", bounced("gone@example.net", "5.1.1", "failed", "550-5.1.1 The account does not exist. 550 5.1.1 Please check."), sender="mailer-daemon@googlemail.example",
    headers=[("X-Failed-Recipients", "gone@example.net"), ("Auto-Submitted", "auto-replied")], auto_reason="Auto-Submitted: auto-replied", subject="Delivery Status Notification (Failure)")


def prose(name, body, bounce, sender="mailer-daemon@mx.example", headers=(), subject="failure notice", auto_reason=None):
    case(name, body, headers, "text/plain; charset=utf-8", "8bit", subject=subject, sender=sender, body_text=body.strip(), verdict="bounce", bounce=bounce,
         why=why(*[bounce[k] for k in ("recipient", "status", "action", "reason")]), auto_reason=auto_reason or f"From: {sender}")
    came_from(sender)


prose("bounce-qmail", "Hi. This is the qmail-send program at mx.example.\nI'm afraid I wasn't able to deliver your message to the following addresses.\n"
      "This is a permanent error; I've given up. Sorry it didn't work out.\n\n<gone@example.net>:\n192.0.2.1 does not like recipient.\nRemote host said: 550 5.1.1 unknown user\n"
      f"Giving up on 192.0.2.1.\n\n--- Below this line is a copy of the message.\n\nReturn-Path: <support@desk.example>\nMessage-ID: <{SENT}>\nTo: gone@example.net\n",
      bounced("gone@example.net", "5.1.1", "failed", "Remote host said: 550 5.1.1 unknown user"))
prose("bounce-exim", "This message was created automatically by mail delivery software.\n\nA message that you sent could not be delivered to one or more of its\nrecipients. "
      "This is a permanent error. The following address(es) failed:\n\n  gone@example.net\n    host mx.example.net [192.0.2.1]\n    SMTP error from remote mail server after RCPT TO:<gone@example.net>:\n"
      f"    550 No such user here\n\n------ This is a copy of the message, including all the headers. ------\n\nMessage-ID: <{SENT}>\n",
      bounced("gone@example.net", None, "failed", "550 No such user here"), headers=[("X-Failed-Recipients", "gone@example.net")], subject="Mail delivery failed: returning message to sender")
prose("bounce-sendmail", "The original message was received at Fri, 20 Nov 2026 09:59:00 GMT\nfrom desk.example [192.0.2.7]\n\n   ----- The following addresses had permanent fatal errors -----\n"
      "<gone@example.net>\n    (reason: 550 5.1.1 <gone@example.net>... User unknown)\n"
      f"\n   ----- Original message follows -----\n\nMessage-ID: <{SENT}>\n", bounced("gone@example.net", "5.1.1", "failed", "(reason: 550 5.1.1 <gone@example.net>... User unknown)"),
      subject="Returned mail: see transcript for details")
prose("bounce-yahoo", "Sorry, we were unable to deliver your message to the following address.\n\n<gone@example.net>:\n554: delivery error: dd This user doesn't have an account\n"
      f"\n--- Below this line is a copy of the message.\n\nMessage-ID: <{SENT}>\n",
      bounced("gone@example.net", None, "failed", "554: delivery error: dd This user doesn't have an account"), subject="Failure Notice")
prose("bounce-german", f"Die folgende Nachricht konnte nicht zugestellt werden:\n\ngone@example.net: 550 5.2.2 Postfach voll\n\nMessage-ID: <{SENT}>\n",
      bounced("gone@example.net", "5.2.2", "failed", "gone@example.net: 550 5.2.2 Postfach voll"), sender="postmaster@mx.example", subject="Unzustellbar: Hello")
prose("bounce-delay-prose", "This is a warning message only. Your message to gone@example.net has not yet been delivered. No action is required on your part.\n"
      f"\nThe following is a copy of the message's header.\n\nMessage-ID: <{SENT}>\n",
      bounced("gone@example.net", None, "delayed", ""), subject="Warning: message delayed 24 hours")
# A person who writes about delivery is a person.
case("human-about-delivery", "My parcel could not be delivered: 550 5.1.1.\n", subject="Undeliverable parcel", body_text="My parcel could not be delivered: 550 5.1.1.")


# So do machines: what only its words make a report, and names no mail of ours, is somebody's business.
def machine(name, body, subject, sender, auto_reason, headers=()):
    case(name, body, headers, subject=subject, sender=sender, body_text=body.strip(), auto_reason=auto_reason)
    came_from(sender)


machine("form-about-delay", "Where is it?\n", "My order is delayed", "shop@example.org", "Return-Path: <>", [("Return-Path", "<>")])
machine("job-that-will-be-retried", "The nightly import failed and will be retried.\n", "Import", "jobs@example.org", "Return-Path: <>", [("Return-Path", "<>")])
machine("postmaster-about-delivery", "Two parcels are undeliverable.\n", "Undeliverable parcels", "postmaster@example.org", "From: postmaster@example.org")
machine("daemon-that-names-no-mail", "The following message could not be delivered:\n\ngone@example.net: 550 5.2.2 mailbox full\n", "Undeliverable: Hello", "mailer-daemon@mx.example",
        "From: mailer-daemon@mx.example")


# Who passes a report on, with words of his own, is a person; what he passes on is attached.
STATUS = "Reporting-MTA: dns; mx.example\n\nFinal-Recipient: rfc822; gone@example.net\nAction: failed\nStatus: 5.1.1\n"
passed_on, passed_on_body = multipart("mixed", [text("What does this mean?\n"), part(STATUS, "message/delivery-status"),
                                                part(f"Message-ID: <{SENT}>\nSubject: Hello\n", "text/rfc822-headers")])
case("human-who-passes-a-report-on", passed_on_body, content_type=passed_on, subject="Fwd: Undelivered", body_text="What does this mean?",
     attachments=[("attachment-1.bin", wire(STATUS), "message/delivery-status"), ("attachment-2.bin", wire(f"Message-ID: <{SENT}>\nSubject: Hello\n"), "text/rfc822-headers")])
within, within_body = multipart("mixed", [text("And this?\n"), nested("report", [text("Undelivered.\n"), part(STATUS, "message/delivery-status")], "=_b2", "; report-type=delivery-status")])
case("human-with-a-whole-report", within_body, content_type=within, subject="Fwd: Undelivered", body_text="And this?\n\nUndelivered.",
     attachments=[("attachment-1.bin", wire(STATUS), "message/delivery-status")])
# A mail server that wraps its report in a footer's multipart is one all the same.
footer, footer_body = multipart("mixed", [text("Undelivered.\n"), part(STATUS, "message/delivery-status"), text("Scanned.\n")])
case("bounce-in-a-wrapper", footer_body, content_type=footer, subject="Undelivered", sender="mailer-daemon@mx.example", body_text="Undelivered.\n\nScanned.", verdict="bounce",
     bounce=bounced("gone@example.net", "5.1.1", "failed", ""), why=why("gone@example.net", "5.1.1", "failed", ""), auto_reason="From: mailer-daemon@mx.example")
came_from("mailer-daemon@mx.example")

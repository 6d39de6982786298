"""Machines, lists and ourselves."""
from builder import *


def automatic(name, headers, reason, body="I am a machine.\n", **more):
    case(name, body, headers, auto_reason=reason, body_text=body.strip(), **more)


automatic("vacation-rfc3834", [("Auto-Submitted", "auto-replied (vacation)"), ("In-Reply-To", "<m1@x.example>")], "Auto-Submitted: auto-replied (vacation)",
          "I am away until Monday.\n", in_reply_to="m1@x.example")
automatic("vacation-exchange", [("X-Auto-Response-Suppress", "All"), ("auto-submitted", "auto-generated"), ("X-MS-Exchange-Inbox-Rules-Loop", "ann@example.org")],
          "Auto-Submitted: auto-generated", subject="Automatic reply: Question")
automatic("vacation-gmail", [("Auto-Submitted", "auto-replied"), ("Precedence", "bulk"), ("X-Autoreply", "yes")], "Auto-Submitted: auto-replied")
automatic("vacation-old-unix", [("Precedence", "junk")], "Precedence: junk")
automatic("autoreply-header", [("X-Autoreply", "yes")], "X-Autoreply: yes")
automatic("autorespond-header", [("X-Autorespond", "Question")], "X-Autorespond: Question")
automatic("suppress-outlook", [("X-Auto-Response-Suppress", "DR, RN, NRN, OOF, AutoReply")], "X-Auto-Response-Suppress: DR, RN, NRN, OOF, AutoReply")
automatic("cron", [("Auto-Submitted", "auto-generated"), ("X-Cron-Env", "<SHELL=/bin/sh>")], "Auto-Submitted: auto-generated", sender="Cron <cron@host.example>")
came_from("cron@host.example")
automatic("bulk", [("Precedence", "bulk")], "Precedence: bulk")
automatic("empty-return-path", [("Return-Path", "<>")], "Return-Path: <>")
automatic("list-mailman", [("List-Id", "<users.lists.example>"), ("List-Post", "<mailto:users@lists.example>"), ("Precedence", "list")], "Precedence: list", is_list=True)
automatic("list-without-precedence", [("List-Id", "Users <users.lists.example>")], "List-Id: Users <users.lists.example>", is_list=True)
automatic("list-old", [("Mailing-List", "contact users-help@lists.example; run by ezmlm")], "Mailing-List: contact users-help@lists.example; run by ezmlm", is_list=True)
automatic("newsletter", [("List-Unsubscribe", "<https://news.example/u?x>")], "List-Unsubscribe: <https://news.example/u?x>", is_list=True)
automatic("tracker-notification", [("Auto-Submitted", "auto-generated"), ("Precedence", "bulk"), ("X-JIRA-FingerPrint", "x")], "Auto-Submitted: auto-generated",
          sender="Tracker <jira@tracker.example>")
came_from("jira@tracker.example")
automatic("daemon-without-report", [], "From: mailer-daemon@mx.example", sender="MAILER-DAEMON@mx.example", body="Queue summary for today.\n")
came_from("MAILER-DAEMON@mx.example")
# Not automatic, though it may look so.
case("human-with-auto-submitted-no", "text\n", [("Auto-Submitted", "no")], body_text="text")
case("human-suppresses-receipts", "text\n", [("X-Auto-Response-Suppress", "DR, RN, NRN")], body_text="text")
case("human-from-noreply", "text\n", sender="Shop <no-reply@shop.example>", body_text="text")
came_from("no-reply@shop.example")
# A read receipt is a machine's, but no bounce.
receipt = "Final-Recipient: rfc822; ann@example.org\nDisposition: manual-action/MDN-sent-manually; displayed\n"
ct, body = multipart("report", [text("Your message was displayed.\n"), part(receipt, "message/disposition-notification")], params="; report-type=disposition-notification")
case("read-receipt", body, content_type=ct, subject="Read: Question", body_text="Your message was displayed.", auto_reason="Content-Type: multipart/report; report-type=disposition-notification",
     attachments=[("attachment-1.bin", wire(receipt), "message/disposition-notification")])
ct, body = multipart("report", [text("This is an abuse report.\n"), part("Feedback-Type: abuse\nVersion: 1\n", "message/feedback-report"),
                                part("Message-ID: <t@desk.example>\nSubject: Hello\n", "text/rfc822-headers")], params="; report-type=feedback-report")
case("abuse-report", body, content_type=ct, subject="FW: Hello", body_text="This is an abuse report.", auto_reason="Content-Type: multipart/report; report-type=feedback-report",
     attachments=[("attachment-1.bin", wire("Feedback-Type: abuse\nVersion: 1\n"), "message/feedback-report")])
# Ourselves.
case("own-loop-header", "text\n", [("X-Postroom-Loop", "11111111-2222-4333-8444-555555555555")], body_text="text", verdict="own",
     auto_reason="X-Postroom-Loop: 11111111-2222-4333-8444-555555555555", why="our own mail came back (X-Postroom-Loop: 11111111-2222-4333-8444-555555555555): ignored")
case("own-address", "text\n", sender="Desk <Support@desk.example>", body_text="text", auto_reason="sent from our own address support@desk.example")
came_from("Support@desk.example")
case("another-postroom", "text\n", [("X-Postroom-Loop", "99999999-2222-4333-8444-555555555555")], body_text="text")

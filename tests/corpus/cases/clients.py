"""Mails as the common programs write them, new and in answer."""
from builder import *

OURS = "mail-1@desk.example"
REPLY = dict(headers=[("In-Reply-To", f"<{OURS}>"), ("References", f"<{OURS}>")], in_reply_to=OURS, references=[OURS], subject="Re: Question")


def reply(name, body, reply_text, **more):
    merged = dict(REPLY)
    extra = more.pop("headers", [])
    merged["headers"] = list(REPLY["headers"]) + list(extra)
    more.setdefault("body_text", body if isinstance(body, str) else None)
    merged.update(more)
    case(name, body, reply_text=reply_text, content_type=merged.pop("content_type", "text/plain; charset=utf-8"),
         encoding=merged.pop("encoding", "8bit"), **merged)


# Outlook for Windows: alternative, the HTML full of Office markup.
ct, body = multipart("alternative", [
    text("Good morning,\n\nthe printer on floor 3 does not answer.\n\nAnn\n"),
    html('<html xmlns:o="urn:schemas-microsoft-com:office:office"><head><style><!-- p.MsoNormal {margin:0cm} --></style></head><body lang=EN-GB>'
         '<div class=WordSection1><p class=MsoNormal>Good morning,<o:p></o:p></p><p class=MsoNormal><o:p>&nbsp;</o:p></p></div></body></html>'),
], "----=_NextPart_000_0012_01DD5A4E.1A2B3C40")
case("outlook-new", body, [("X-Mailer", "Microsoft Outlook 16.0"), ("Thread-Index", "AdxaTg==")], ct, subject="Printer floor 3",
     body_text="Good morning,\n\nthe printer on floor 3 does not answer.\n\nAnn", board="Hardware", why=keyword("printer", "Hardware"))

reply("outlook-reply", "It prints again.\n\nRegards,\nAnn\n\nFrom: Support <support@desk.example>\nSent: Friday, November 20, 2026 9:00 AM\nTo: Ann Lee\n"
      "Subject: Question\n\nDoes it print?", "It prints again.\n\nRegards,\nAnn")
reply("outlook-reply-rule", "Done.\n\n________________________________\nFrom: Support <support@desk.example>\nSent: Friday, November 20, 2026 9:00 AM\n"
      "To: Ann Lee <ann@example.org>\nSubject: Question\n\nDoes it print?", "Done.")
reply("outlook-reply-original-message", "Done.\n\n-----Original Message-----\nFrom: Support\nSent: Friday\nTo: Ann\nSubject: Question\n\nDoes it print?", "Done.")
reply("outlook-reply-german", "Geht wieder.\n\nVon: Support <support@desk.example>\nGesendet: Freitag, 20. November 2026 09:00\nAn: Ann Lee\n"
      "Betreff: Question\n\nDruckt er?", "Geht wieder.", subject="AW: Question")
reply("outlook-reply-french", "C'est bon.\n\nDe : Support <support@desk.example>\nEnvoyé : vendredi 20 novembre 2026 09:00\nÀ : Ann Lee\nObjet : Question\n\n"
      "Ça imprime ?", "C'est bon.", subject="RE: Question")
reply("outlook-mobile-reply", "Yes, thanks.\n\nGet Outlook for iOS<https://aka.example/ios>\n________________________________\nFrom: Support <support@desk.example>\n"
      "Sent: Friday, November 20, 2026 9:00:00 AM\nTo: Ann <ann@example.org>\nSubject: Question\n\nDoes it print?", "Yes, thanks.")

# Outlook on the web answers in HTML; the quote is a div of its own behind a rule.
ct, body = multipart("alternative", [
    text("Works.\n________________________________\nFrom: Support <support@desk.example>\nSent: Friday, November 20, 2026 9:00 AM\nTo: Ann\nSubject: Question\n\n"
         "Does it print?\n"),
    html('<html><body><div>Works.</div><hr tabindex="-1"><div id="divRplyFwdMsg"><b>From:</b> Support<br><b>Sent:</b> Friday<br></div><div>Does it print?</div></body></html>'),
], "_000_AB12_")
reply("owa-reply", body, "Works.", content_type=ct, encoding=None,
      body_text="Works.\n________________________________\nFrom: Support <support@desk.example>\nSent: Friday, November 20, 2026 9:00 AM\nTo: Ann\n"
                "Subject: Question\n\nDoes it print?")

# Gmail: both forms, the quote introduced by a line that may be wrapped.
ct, body = multipart("alternative", [text("Hello,\n\nmy laptop is slow.\n"), html("<div dir=\"ltr\">Hello,<div><br></div><div>my laptop is slow.</div></div>\n")],
                     "000000000000a1b2c3062bf0e1d2")
case("gmail-new", body, [("Received", "by 2002:a05:6402:1 with SMTP id x")], ct, subject="Laptop slow", body_text="Hello,\n\nmy laptop is slow.", board="Hardware",
     why=keyword("laptop", "Hardware"))
ct, body = multipart("alternative", [
    text("Thanks, solved.\n\nOn Fri, Nov 20, 2026 at 9:00 AM Support <support@desk.example> wrote:\n\n> Does it print?\n>\n"),
    html('<div dir="ltr">Thanks, solved.</div><br><div class="gmail_quote"><div dir="ltr" class="gmail_attr">On Fri wrote:<br></div><blockquote>Does it print?</blockquote></div>'),
], "000000000000d4e5")
reply("gmail-reply", body, "Thanks, solved.", content_type=ct, encoding=None,
      body_text="Thanks, solved.\n\nOn Fri, Nov 20, 2026 at 9:00 AM Support <support@desk.example> wrote:\n\n> Does it print?\n>")
reply("gmail-reply-wrapped-introduction", "Thanks.\n\nOn Fri, Nov 20, 2026 at 9:00 AM The Support Team of Example <\nsupport@desk.example> wrote:\n\n> Does it print?",
      "Thanks.")
reply("gmail-html-only-reply",
      '<div dir="ltr">Thanks, solved.</div><br><div class="gmail_quote"><div dir="ltr" class="gmail_attr">On Fri, Nov 20, 2026 at 9:00 AM Support &lt;'
      '<a href="mailto:support@desk.example">support@desk.example</a>&gt; wrote:<br></div><blockquote class="gmail_quote" style="margin:0">Does it print?</blockquote></div>',
      "Thanks, solved.", content_type="text/html; charset=utf-8",
      body_text="Thanks, solved.\n\nOn Fri, Nov 20, 2026 at 9:00 AM Support <support@desk.example> wrote:\n\n> Does it print?")

# Apple Mail: text, picture, text in one mixed; the answer with both forms.
ct, body = multipart("mixed", [
    part("The screen shows this:\n", "text/plain; charset=us-ascii", "7bit"),
    part(b64(b"\x89PNG\r\n\x1a\n" + b"0" * 92), "image/png; name=shot.png", "base64", "inline; filename=shot.png"),
    part("Any idea?\n", "text/plain; charset=us-ascii", "7bit"),
], "Apple-Mail=_A1B2")
case("apple-mail-text-picture-text", body, [("X-Mailer", "Apple Mail (2.3826)")], ct, body_text="The screen shows this:\n\nAny idea?",
     attachments=[("shot.png", 100, "image/png")])
reply("apple-mail-reply", "All fine.\n\n> On 20 Nov 2026, at 09:00, Support <support@desk.example> wrote:\n> \n> Does it print?", "All fine.")
reply("apple-mail-reply-bare-introduction", "All fine.\n\nOn 20 Nov 2026, at 09:00, Support <support@desk.example> wrote:\n\n> Does it print?\n", "All fine.",
      body_text="All fine.\n\nOn 20 Nov 2026, at 09:00, Support <support@desk.example> wrote:\n\n> Does it print?")
reply("iphone-reply", "Yes\n\nSent from my iPhone\n\n> On 20 Nov 2026, at 09:00, Support <support@desk.example> wrote:\n> \n> Does it print?", "Yes")
case("iphone-new", "The door is stuck.\n\nSent from my iPhone\n", content_type="text/plain; charset=utf-8", encoding="8bit",
     body_text="The door is stuck.\n\nSent from my iPhone", reply_text="The door is stuck.")

# Thunderbird: flowed text, answers below or between.
case("thunderbird-flowed", "This is a long paragraph that the program \nwrapped for us when it was sent.\n\nA second one.\n-- \nAnn Lee\n",
     [("User-Agent", "Mozilla Thunderbird")], "text/plain; charset=UTF-8; format=flowed", "7bit",
     body_text="This is a long paragraph that the program wrapped for us when it was sent.\n\nA second one.\n-- \nAnn Lee",
     reply_text="This is a long paragraph that the program wrapped for us when it was sent.\n\nA second one.")
reply("thunderbird-bottom-posting", "On 20/11/2026 09:00, Support wrote:\n> Does it print?\n> Please tell us.\n\nYes, it prints.\n", "Yes, it prints.",
      body_text="On 20/11/2026 09:00, Support wrote:\n> Does it print?\n> Please tell us.\n\nYes, it prints.")
interleaved = "On 20/11/2026 09:00, Support wrote:\n> Which floor?\n\nThe third.\n\n> Which room?\n\n312."
reply("thunderbird-interleaved", interleaved, interleaved)
reply("thunderbird-delsp", "日本語の文章は \n途中で折り返されます。\n", "日本語の文章は途中で折り返されます。", content_type="text/plain; charset=UTF-8; format=flowed; delsp=yes",
      body_text="日本語の文章は途中で折り返されます。")

reply("k9-reply", "Ok.\n-- \nDiese Nachricht wurde von meinem Android-Gerät mit K-9 Mail gesendet.", "Ok.")
reply("samsung-reply", "Ok, thank you\n\nSent from my Galaxy\n\n-------- Original message --------\nFrom: Support <support@desk.example>\nDate: 20/11/2026 09:00 (GMT+00:00)\n"
      "To: Ann <ann@example.org>\nSubject: Question\n\nDoes it print?", "Ok, thank you")
reply("yahoo-reply", "Fine now.\n\n    On Friday, 20 November 2026 at 09:00:00 GMT, Support <support@desk.example> wrote:\n\n Does it print?", "Fine now.")
reply("proton-reply", "Fine now.\n\nSent with Proton Mail secure email.\n\nOn Friday, November 20th, 2026 at 9:00 AM, Support <support@desk.example> wrote:\n\n> Does it print?",
      "Fine now.")
reply("roundcube-reply", "Am 2026-11-20 09:00, schrieb Support:\n> Druckt er?\n\nJa.", "Ja.", subject="Re: Question")
reply("mutt-reply", "On Fri, Nov 20, 2026 at 09:00:00AM +0000, Support wrote:\n> Does it print?\n\nIt does.\n\n-- \nAnn", "It does.")
reply("alpine-reply", "On Fri, 20 Nov 2026, Support wrote:\n\n> Does it print?\n\nIt does.", "It does.")
reply("qq-reply", "好的，谢谢。\n\n\n------------------ 原始邮件 ------------------\n发件人: \"Support\" <support@desk.example>;\n发送时间: 2026年11月20日(星期五) 下午5:00\n"
      "收件人: \"Ann\"<ann@example.org>;\n主题: Question\n\nDoes it print?", "好的，谢谢。", subject="回复：Question", raw_subject=b_word("回复：Question"))
reply("naver-reply", "감사합니다.\n\n-----Original Message-----\nFrom: \"Support\"<support@desk.example>\nTo: \"Ann\"<ann@example.org>;\nCc:\nSent: 2026-11-20 (금) 18:00:00\n"
      "Subject: Question\n\nDoes it print?", "감사합니다.")
reply("gmx-reply", "Danke!\n \n \n\nGesendet: Freitag, 20. November 2026 um 10:00 Uhr\nVon: \"Support\" <support@desk.example>\nAn: ann@example.org\nBetreff: Question\nDruckt er?",
      "Danke!", subject="Aw: Question")
reply("reply-above-this-line", "It is fixed.\n\n##- Please type your reply above this line -##\n\nTicket 4711: Does it print?", "It is fixed.")
reply("reply-only-quote", "> Does it print?", "> Does it print?")
reply("reply-empty-above-outlook", "From: Support <support@desk.example>\nSent: Friday\nTo: Ann\nSubject: Question\n\nDoes it print?",
      "From: Support <support@desk.example>\nSent: Friday\nTo: Ann\nSubject: Question\n\nDoes it print?")
forward = "Please see below.\n\n---------- Forwarded message ---------\nFrom: Bob <bob@example.net>\nDate: Fri, Nov 20, 2026 at 8:00 AM\nSubject: Noise\nTo: Ann <ann@example.org>\n\nThe fan is loud."
case("gmail-forward", forward, content_type="text/plain; charset=utf-8", encoding="8bit", subject="Fwd: Noise", body_text=forward)
forward = "Bitte ansehen.\n\nAnfang der weitergeleiteten Nachricht:\n\nVon: Bob <bob@example.net>\nBetreff: Lärm\nDatum: 20. November 2026\nAn: Ann\n\nDer Lüfter ist laut."
case("apple-forward-german", forward, content_type="text/plain; charset=utf-8", encoding="8bit", subject="Fwd: Lärm", raw_subject=q_word("Fwd: Lärm"), body_text=forward)
new = "He said:\n> it burns\nand left."
case("new-mail-with-quote-marks", new, content_type="text/plain; charset=utf-8", body_text=new)

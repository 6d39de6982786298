"""Answers in many languages: the line that introduces the quote differs."""
from builder import *

LINES = {
    "german": ("Danke, es geht.", "Am 20.11.26 um 10:00 schrieb Support:"),
    "german-gmail": ("Danke, es geht.", "Am Fr., 20. Nov. 2026 um 10:00 Uhr schrieb Support <support@desk.example>:"),
    "french": ("Merci, c'est réglé.", "Le ven. 20 nov. 2026 à 10:00, Support <support@desk.example> a écrit :"),
    "spanish": ("Gracias, ya funciona.", "El vie, 20 nov 2026 a las 10:00, Support (<support@desk.example>) escribió:"),
    "italian": ("Grazie, funziona.", "Il giorno ven 20 nov 2026 alle ore 10:00 Support <support@desk.example> ha scritto:"),
    "portuguese": ("Obrigado, funciona.", "Em sex., 20 de nov. de 2026 às 10:00, Support <support@desk.example> escreveu:"),
    "dutch": ("Bedankt, het werkt.", "Op vr 20 nov 2026 om 10:00 schreef Support <support@desk.example>:"),
    "swedish": ("Tack, det fungerar.", "Den fre 20 nov. 2026 kl 10:00 skrev Support <support@desk.example>:"),
    "danish": ("Tak, det virker.", "Den fre. 20. nov. 2026 kl. 10.00 skrev Support <support@desk.example>:"),
    "norwegian": ("Takk, det virker.", "fre. 20. nov. 2026 kl. 10:00 skrev Support <support@desk.example>:"),
    "polish": ("Dziękuję, działa.", "pt., 20 lis 2026 o 10:00 Support <support@desk.example> napisał(a):"),
    "czech": ("Děkuji, funguje.", "pá 20. 11. 2026 v 10:00 odesílatel Support <support@desk.example> napsal:"),
    "finnish": ("Kiitos, toimii.", "pe 20. marrask. 2026 klo 10.00 Support (support@desk.example) kirjoitti:"),
    "hungarian": ("Köszönöm, működik.", "Support <support@desk.example> ezt írta (időpont: 2026. nov. 20., P, 10:00):"),
    "romanian": ("Mulțumesc, merge.", "În vin., 20 nov. 2026 la 10:00, Support <support@desk.example> a scris:"),
    "russian": ("Спасибо, работает.", "пт, 20 нояб. 2026 г. в 10:00, Support <support@desk.example>:\n> написал"),
    "russian-client": ("Спасибо, работает.", "20.11.2026 10:00, Support пишет:"),
    "ukrainian": ("Дякую, працює.", "пт, 20 лист. 2026 р. о 10:00 Support <support@desk.example> пише:"),
    "greek": ("Ευχαριστώ, δουλεύει.", "Στις Παρ 20 Νοε 2026 στις 10:00 π.μ., ο/η Support <support@desk.example> έγραψε:"),
    "turkish": ("Teşekkürler, çalışıyor.", "Support <support@desk.example>, 20 Kas 2026 Cum, 10:00 tarihinde şunu yazdı:"),
    "japanese": ("ありがとうございます。", "2026年11月20日(金) 10:00 Support <support@desk.example>のメール:"),
    "chinese": ("谢谢，好了。", "Support <support@desk.example> 于2026年11月20日周五 10:00写道："),
    "chinese-traditional": ("謝謝，好了。", "Support <support@desk.example> 於 2026年11月20日 週五 上午10:00寫道："),
    "korean": ("감사합니다.", "2026년 11월 20일 (금) 오전 10:00, Support <support@desk.example>님이 작성:"),
    "vietnamese": ("Cảm ơn.", "Vào Th 6, 20 thg 11, 2026 vào lúc 10:00 Support <support@desk.example> đã viết:"),
}
for language, (answer, line) in LINES.items():
    body = f"{answer}\n\n{line}\n> Does it print?"
    expected = answer
    if language == "russian":  # the verb stands below the line; the quote marks alone tell that this is quoted
        expected = f"{answer}\n\nпт, 20 нояб. 2026 г. в 10:00, Support <support@desk.example>:"
    case(f"reply-{language}", body, [("In-Reply-To", "<mail-1@desk.example>")], "text/plain; charset=utf-8", "8bit", subject="Re: Question", body_text=body,
         reply_text=expected, in_reply_to="mail-1@desk.example")

for language, line in {"french": "Envoyé de mon iPhone", "spanish": "Enviado desde mi iPhone", "italian": "Inviato da iPhone", "portuguese": "Enviado do meu iPhone",
                       "dutch": "Verzonden vanaf mijn iPhone", "swedish": "Skickat från min iPhone", "polish": "Wysłane z iPhone'a", "russian": "Отправлено с iPhone",
                       "japanese": "iPhoneから送信", "chinese": "发自我的iPhone"}.items():
    body = f"Hello there.\n\n{line}"
    case(f"device-{language}", body, content_type="text/plain; charset=utf-8", encoding="8bit", body_text=body, reply_text="Hello there.")

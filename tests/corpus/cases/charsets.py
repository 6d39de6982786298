"""One text for each charset, with labels that are right, loose, wrong, absent and refused."""
from builder import *

RIGHT = {
    "utf-8": ("utf-8", "Grüße, 你好, привет"),
    "iso-8859-1": ("latin-1", "Grüße aus Köln"),
    "iso-8859-2": ("iso8859-2", "Zażółć gęślą jaźń"),
    "iso-8859-4": ("iso8859-4", "Šiauliai ģimene"),
    "iso-8859-5": ("iso8859-5", "Привет, мир"),
    "iso-8859-6": ("iso8859-6", "مرحبا"),
    "iso-8859-7": ("iso8859-7", "Καλημέρα κόσμε"),
    "iso-8859-8": ("iso8859-8", "שלום עולם"),
    "iso-8859-9": ("iso8859-9", "İyi günler şöyle"),
    "iso-8859-13": ("iso8859-13", "Ačiū, labas"),
    "iso-8859-15": ("iso8859-15", "100 € für Œuvre"),
    "windows-1250": ("cp1250", "Příliš žluťoučký kůň"),
    "windows-1251": ("cp1251", "Не работает принтер"),
    "windows-1252": ("cp1252", "“Quoted” – 5 €"),
    "windows-1253": ("cp1253", "Ελληνικά κείμενα"),
    "windows-1254": ("cp1254", "Çağrı merkezi ğüş"),
    "windows-1255": ("cp1255", "שלום"),
    "windows-1256": ("cp1256", "السلام عليكم"),
    "windows-1257": ("cp1257", "Ģimenes ārsts"),
    "koi8-r": ("koi8-r", "Здравствуйте, принтер сломан"),
    "koi8-u": ("koi8-u", "Їжак і ґава"),
    "cp866": ("cp866", "Старый текст"),
    "macintosh": ("mac-roman", "Café déjà vu"),
    "tis-620": ("cp874", "สวัสดีครับ"),
    "shift_jis": ("cp932", "プリンタが動きません"),
    "euc-jp": ("euc-jp", "こんにちは世界"),
    "iso-2022-jp": ("iso-2022-jp", "お世話になっております。"),
    "euc-kr": ("euc-kr", "안녕하세요 여러분"),
    "gb2312": ("gb2312", "你好，世界"),
    "gbk": ("gbk", "繁體與简体，镕"),
    "gb18030": ("gb18030", "你好𠀀"),
    "big5": ("big5", "您好，世界"),
    "utf-16": ("utf-16", "sixteen bits ü"),
    "utf-16le": ("utf-16-le", "sixteen bits ü"),
    "utf-16be": ("utf-16-be", "sixteen bits ü"),
}
for label, (codec, body) in RIGHT.items():
    case(f"charset-{label}", b64(body.encode(codec)), content_type=f"text/plain; charset={label}", encoding="base64", body_text=body)

# Loose labels: what programs mean by them.
case("charset-windows-quotes-as-latin1", "It’s “fine” – 5 €".encode("cp1252"), content_type="text/plain; charset=iso-8859-1", encoding="8bit", body_text="It’s “fine” – 5 €")
case("charset-gbk-as-gb2312", "镕基".encode("gbk"), content_type="text/plain; charset=gb2312", encoding="8bit", body_text="镕基")
case("charset-uhc-as-ks_c_5601-1987", "똠방각하 펲시".encode("cp949"), content_type='text/plain; charset="ks_c_5601-1987"', encoding="8bit", body_text="똠방각하 펲시")
case("charset-quoted-and-capital", "Zażółć".encode("cp1250"), content_type="TEXT/PLAIN; CharSet=\"Windows-1250\"", encoding="8BIT", body_text="Zażółć")

# Wrong and absent labels.
case("charset-utf8-as-latin1", "Grüße 你好", content_type="text/plain; charset=iso-8859-1", encoding="8bit", body_text="Grüße 你好")
case("charset-utf8-as-ascii", "Grüße", content_type="text/plain; charset=us-ascii", encoding="8bit", body_text="Grüße")
case("charset-utf8-as-windows-1251", "Привет", content_type="text/plain; charset=windows-1251", encoding="8bit", body_text="Привет")
case("charset-latin1-as-utf8", "Grüße".encode("latin-1"), content_type="text/plain; charset=utf-8", encoding="8bit", body_text="Grüße")
case("charset-damaged-utf8", "Grüße, schöne Tage im Süden".encode() + b"\xc3", content_type="text/plain; charset=utf-8", encoding="8bit",
     body_text="Grüße, schöne Tage im Süden\ufffd")
case("charset-none-utf8", "Grüße", content_type="text/plain", encoding="8bit", body_text="Grüße")
case("charset-none-latin1", "Grüße".encode("latin-1"), content_type="text/plain", encoding="8bit", body_text="Grüße")
case("charset-no-content-type-latin1", "Grüße".encode("latin-1"), body_text="Grüße")
case("charset-none-iso-2022-jp", "お世話になっております。".encode("iso-2022-jp"), content_type="text/plain", body_text="お世話になっております。")
case("charset-unknown-label", "Grüße".encode("latin-1"), content_type="text/plain; charset=x-unknown-thing", encoding="8bit", body_text="Grüße")
case("charset-utf8-bom", "\ufeffHello".encode(), content_type="text/plain; charset=utf-8", encoding="8bit", body_text="Hello")
# UTF-7 is not decoded: text must not hide from what looks at bytes.
case("charset-utf7-refused", "+ADw-script+AD4- Gr+APwA3w-e", content_type="text/plain; charset=utf-7", body_text="+ADw-script+AD4- Gr+APwA3w-e")
case("charset-html-meta", '<html><head><meta charset="windows-1251"></head><body>Привет</body></html>'.encode("cp1251"), content_type="text/html", encoding="8bit",
     body_text="Привет")

# Subjects.
for label, codec, words in (("iso-8859-1", "latin-1", "Grüße"), ("iso-2022-jp", "iso-2022-jp", "会議の件"), ("shift_jis", "cp932", "会議の件"), ("euc-kr", "euc-kr", "회의 안내"),
                            ("gb2312", "gbk", "会议通知"), ("big5", "big5", "會議通知"), ("koi8-r", "koi8-r", "Совещание"), ("windows-1256", "cp1256", "اجتماع")):
    coded = f"=?{label}?B?{base64.b64encode(words.encode(codec)).decode()}?="
    case(f"subject-{label}", "text\n", raw_subject=coded, subject=words, body_text="text")
case("subject-raw-utf8", "text\n", raw_subject="Grüße aus Köln", subject="Grüße aus Köln", body_text="text")
case("subject-raw-latin1", "text\n", raw_subject="Grüße aus Köln".encode("latin-1"), subject="Grüße aus Köln", body_text="text")
case("subject-utf7-word", "text\n", raw_subject="=?utf-7?Q?+AGEAYg-?=", subject="+AGEAYg-", body_text="text")

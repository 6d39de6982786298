#include "common/mail/reply_text.hpp"

#include <doctest/doctest.h>

#include <algorithm>

#include "common/base/text.hpp"
#include "common/mail/plain_text.hpp"

using namespace postroom::mail;

namespace {

std::vector<std::string> sorted_lines(std::string_view text) {
  std::vector<std::string> lines;
  for (const std::string_view line : postroom::split(text, '\n')) {
    if (!postroom::trimmed(line).empty()) lines.emplace_back(postroom::trimmed(line));
  }
  std::sort(lines.begin(), lines.end());
  return lines;
}

ReplyText checked(std::string_view body, bool is_answer = true) {
  const ReplyText parts = split_reply(body, is_answer);
  CHECK(sorted_lines(parts.reply + "\n" + parts.quoted + "\n" + parts.signature) ==
        sorted_lines(body));  // nothing is thrown away
  return parts;
}

}  // namespace

TEST_CASE("introductions of many clients and languages end the reply") {
  const std::string_view introductions[] = {
      "On Fri, Nov 20, 2026 at 10:00 AM Postroom <desk@postroom.example> wrote:\n> old",
      "On Fri, Nov 20, 2026 at 10:00 AM Postroom\n<desk@postroom.example> wrote:\n\n> old",
      "Am 20.11.2026 um 10:00 schrieb Postroom:\n> old",
      "Am Fr., 20. Nov. 2026 um 10:00 Uhr schrieb Postroom <desk@postroom.example>:\n\n> old",
      "Le ven. 20 nov. 2026 à 10:00, Postroom <desk@postroom.example> a écrit :\n> old",
      "El vie, 20 nov 2026 a las 10:00, Postroom (<desk@postroom.example>) escribió:\n> old",
      "Il giorno ven 20 nov 2026 alle ore 10:00 Postroom <desk@postroom.example> ha scritto:\n> old",
      "Em sex., 20 de nov. de 2026 às 10:00, Postroom <desk@postroom.example> escreveu:\n> old",
      "Op vr 20 nov 2026 om 10:00 schreef Postroom <desk@postroom.example>:\n> old",
      "Den fre 20 nov. 2026 kl 10:00 skrev Postroom <desk@postroom.example>:\n> old",
      "pt., 20 lis 2026 o 10:00 Postroom <desk@postroom.example> napisał(a):\n> old",
      "W dniu 20.11.2026 o 10:00, Postroom pisze:\n> old",
      "пт, 20 нояб. 2026 г. в 10:00, Postroom <desk@postroom.example> написал:\n> old",
      "20 Kas 2026 Cum 10:00 tarihinde Postroom <desk@postroom.example> şunu yazdı:\n> old",
      "在 2026年11月20日，Postroom <desk@postroom.example> 写道：\n> old",
      "2026年11月20日(金) 10:00 Postroom <desk@postroom.example> のメール:\n> old",
      "-----Original Message-----\nFrom: Postroom\nold",
      "-----Ursprüngliche Nachricht-----\nVon: Postroom\nold",
      "________________________________\nFrom: Postroom <desk@postroom.example>\nSent: Friday, November 20, 2026 "
      "10:00\nTo: Ann\nSubject: x\n\nold",
      "Von: Postroom <desk@postroom.example>\nGesendet: Freitag, 20. November 2026 10:00\nAn: Ann\nBetreff: x\n\nold",
      "De : Postroom <desk@postroom.example>\nEnvoyé : vendredi 20 novembre 2026 10:00\nÀ : Ann\nObjet : x\n\nold",
      "*From:* Postroom\n*Sent:* Friday\n*To:* Ann\n*Subject:* x\n\nold",
      "发件人: Postroom\n发送时间: 2026年11月20日\n收件人: Ann\n主题: x\n\nold",
      "------------------ 原始邮件 ------------------\nold",
      "##- Please type your reply above this line -##\nold",
  };
  for (const std::string_view introduction : introductions) {
    CAPTURE(introduction);
    const ReplyText parts = checked("It works now.\n\n" + std::string{introduction});
    CHECK(parts.reply == "It works now.");
    CHECK(parts.quoted.find("old") != std::string::npos);
  }
}

TEST_CASE("an answer below the quote is the reply") {
  const ReplyText parts = checked("On Fri, 20 Nov 2026, Postroom wrote:\n> Does it work?\n> Regards\n\nYes, thanks.");
  CHECK(parts.reply == "Yes, thanks.");
  CHECK(checked("> Does it work?\n\nYes, thanks.").reply == "Yes, thanks.");
}

TEST_CASE("answers between the quoted lines are kept with them") {
  const std::string_view body =
      "On Fri, 20 Nov 2026, Postroom wrote:\n> Which floor?\nThe third.\n> Which printer?\nThe left one.";
  CHECK(checked(body).reply == body);
  const std::string_view both = "Hello,\n\nOn Fri, 20 Nov 2026, Postroom wrote:\n> Which floor?\nThe third.";
  CHECK(checked(both).reply == both);
}

TEST_CASE("quote marks alone are enough in an answer, not in a new mail") {
  const std::string_view body = "Yes.\n\n> Does it work?";
  CHECK(checked(body, true).reply == "Yes.");
  CHECK(checked(body, false).reply == body);
}

TEST_CASE("a forwarded mail is the message") {
  for (const std::string_view line : {"---------- Forwarded message ---------",
                                      "Begin forwarded message:", "-------- Weitergeleitete Nachricht --------",
                                      "---------- 转发的邮件 ----------"}) {
    const std::string body =
        "Please look.\n\n" + std::string{line} + "\nFrom: Ann\nDate: today\nTo: x\nSubject: y\n\nIt burns.";
    const ReplyText parts = checked(body);
    CHECK(parts.is_forward);
    CHECK(parts.reply == body);
  }
}

TEST_CASE("signatures are set apart") {
  CHECK(checked("It works.\n\n-- \nAnn Lee\nExample Ltd", false).signature == "-- \nAnn Lee\nExample Ltd");
  for (const std::string_view line :
       {"Sent from my iPhone", "Von meinem iPhone gesendet", "Envoyé de mon iPad",
        "Get Outlook for Android<https://x.example>", "发自我的 iPhone", "iPhoneから送信"}) {
    CAPTURE(line);
    const ReplyText parts = checked("It works.\n\n" + std::string{line});
    CHECK(parts.reply == "It works.");
    CHECK(parts.signature == line);
  }
  const ReplyText below = checked("Yes.\n\nOn Fri, 20 Nov 2026, Postroom wrote:\n> Does it?\n\n-- \nAnn");
  CHECK(below.reply == "Yes.");
  CHECK(below.signature == "-- \nAnn");
}

TEST_CASE("on doubt everything is new") {
  for (const std::string_view body :
       {"-- \nAnn", "Sent from my iPhone", "> only a quote", "On Fri, 20 Nov 2026, Ann wrote:\n> only a quote",
        "From: the third floor\nto: the second", "He wrote:\nnothing", "", "-----Original Message-----\nFrom: x"}) {
    CAPTURE(body);
    CHECK(checked(body).reply == postroom::mail::normalised_text(body));
  }
}

TEST_CASE("a million quote marks take linear time") {
  std::string body = "x\n";
  for (int i = 0; i < 200'000; ++i) body += "> y\n";
  CHECK(split_reply(body, true).reply == "x");
  std::string colons;
  for (int i = 0; i < 200'000; ++i) colons += "a wrote:\n";
  CHECK_FALSE(split_reply(colons, true).reply.empty());
}

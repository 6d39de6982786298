// mail_sandbox_bench [MAILS]: mails of 11 kB in process and through the sandbox, one after the other in the same run.

#include <fmt/format.h>

#include <chrono>
#include <cstdlib>

#include "common/mail_sandbox/child/charsets.hpp"
#include "common/mail_sandbox/child/mime_reader.hpp"
#include "common/mail_sandbox/sandbox.hpp"

using namespace postroom;
using namespace postroom::mail_sandbox;

namespace {

std::vector<std::string> mails(int count) {
  std::vector<std::string> made;
  const std::string_view charsets[] = {"utf-8",      "iso-8859-1", "windows-1251", "koi8-r",
                                       "iso-8859-2", "gb18030",    "shift_jis",    "us-ascii"};
  for (int i = 0; i < count; ++i) {
    std::string plain;
    std::string html = "<html><body>";
    std::string data;
    for (int line = 0; line < 40; ++line) {
      plain += fmt::format("Line {} of mail {}: the printer on the third floor says {}.\r\n", line, i, i * line);
      html += fmt::format(
          "<p class=\"x\">Line <b>{}</b> of mail {}: the <a href=\"https://example.org/{}\">printer</a> says "
          "{}.</p>\r\n",
          line, i, line, i * line);
    }
    for (int line = 0; line < 40; ++line) data += std::string(76, static_cast<char>('A' + (i + line) % 26)) + "\r\n";
    made.push_back(
        fmt::format("From: =?utf-8?Q?Ann_L=C3=A9e?= <ann{}@example.org>\r\nTo: support@desk.example\r\nSubject: "
                    "Printer {}\r\nDate: Fri, 20 Nov 2026 10:00:00 "
                    "+0000\r\nMessage-ID: <{}@example.org>\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; "
                    "boundary=m\r\n\r\n--m\r\nContent-Type: "
                    "multipart/alternative; boundary=a\r\n\r\n--a\r\nContent-Type: text/plain; "
                    "charset={}\r\n\r\n{}\r\n--a\r\nContent-Type: text/html; "
                    "charset={}\r\n\r\n{}</body></html>\r\n--a--\r\n--m\r\nContent-Type: application/pdf; "
                    "name=a.pdf\r\nContent-Transfer-Encoding: "
                    "base64\r\n\r\n{}--m--\r\n",
                    i, i, i, charsets[i % 8], i % 2 == 0 ? plain : "", charsets[i % 8], html,
                    data));  // every second one is read from its HTML
  }
  return made;
}

template <class Work>
double per_second(std::size_t count, Work work) {
  const auto begin = std::chrono::steady_clock::now();
  work();
  return static_cast<double>(count) / std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

double in_process(const std::vector<std::string>& all) {
  static const Charsets charsets;
  return per_second(all.size(), [&] {
    for (const std::string& one : all) {
      std::string bytes = one;
      std::size_t attached = 0;
      if (!read_mail(bytes, charsets, [&](std::size_t, std::string_view piece) { attached += piece.size(); }))
        std::abort();
    }
  });
}

double in_sandbox(const std::vector<std::string>& all, std::size_t ahead) {
  loop::Loop loop;
  Options options;
  options.mails_ahead = ahead;
  Sandbox sandbox{loop, options};
  std::size_t answered = 0;
  return per_second(all.size(), [&] {
    loop.post([&] {
      for (const std::string& one : all) {
        sandbox.submit({one, {}, {}, [&](Result<mail::Message> result) {
                          if (!result) std::abort();
                          if (++answered == all.size()) loop.stop();
                        }});
      }
    });
    loop.run();
  });
}

}  // namespace

int main(int count, char** arguments) {
  const auto all = mails(count > 1 ? std::atoi(arguments[1]) : 4'000);
  start_gmime();
  in_process({all.begin(), all.begin() + static_cast<std::ptrdiff_t>(all.size() / 10)});  // warm
  const double here = in_process(all);
  const double ahead = in_sandbox(all, 1);
  const double lock_step = in_sandbox(all, 0);
  fmt::print(
      "{} mails of {} bytes\nin process             {:8.0f} mails/s\nsandbox, one ahead     {:8.0f} mails/s  ({:.2f} "
      "of in process)\nsandbox, lock-step     {:8.0f} mails/s  ({:.2f})\n",
      all.size(), all[0].size(), here, ahead, ahead / here, lock_step, lock_step / here);
}

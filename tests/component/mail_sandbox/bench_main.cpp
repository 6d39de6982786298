// mail_sandbox_bench [MAILS]: mails of 10 kB in process and through the sandbox, one after the other in the same run.
// Shows the rate by the wall clock, which other work on the machine disturbs, and processor time, which it does not:
// with two free cores the sandbox is as fast as the slower of its two processes.

#include <fmt/format.h>
#include <time.h>

#include <algorithm>
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

double seconds_of(clockid_t clock) {
  timespec time{};
  clock_gettime(clock, &time);
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) * 1e-9;
}

struct Cost {
  double rate = 0;
  double parent_seconds = 1e9;  // of processor time, for all mails
  double child_seconds = 1e9;
};

Cost in_sandbox(const std::vector<std::string>& all, std::size_t ahead) {
  loop::Loop loop;
  Options options;
  options.mails_ahead = ahead;
  options.recycle_after = all.size() + 1;
  Sandbox sandbox{loop, options};
  std::size_t answered = 0;
  Cost cost;
  const double begin = seconds_of(CLOCK_PROCESS_CPUTIME_ID);
  cost.rate = per_second(all.size(), [&] {
    loop.post([&] {
      for (const std::string& one : all) {
        sandbox.submit({one, {}, {}, [&](Result<mail::Message> result) {
                          if (!result) std::abort();
                          if (++answered < all.size()) return;
                          clockid_t child{};
                          if (clock_getcpuclockid(sandbox.child_pid(), &child) == 0)
                            cost.child_seconds = seconds_of(child);
                          loop.stop();
                        }});
      }
    });
    loop.run();
  });
  cost.parent_seconds = seconds_of(CLOCK_PROCESS_CPUTIME_ID) - begin;
  return cost;
}

void keep_best(Cost& best, const Cost& cost) {
  best.rate = std::max(best.rate, cost.rate);
  best.parent_seconds = std::min(best.parent_seconds, cost.parent_seconds);
  best.child_seconds = std::min(best.child_seconds, cost.child_seconds);
}

}  // namespace

int main(int count, char** arguments) {
  const auto all = mails(count > 1 ? std::atoi(arguments[1]) : 4'000);
  start_gmime();
  in_process({all.begin(), all.begin() + static_cast<std::ptrdiff_t>(all.size() / 10)});  // warm
  // The best of seven rounds, taken in turn, so that other work on the machine disturbs all alike.
  Cost here;
  Cost ahead;
  Cost lock_step;
  for (int round = 0; round < 7; ++round) {
    const double begin = seconds_of(CLOCK_PROCESS_CPUTIME_ID);
    const double rate = in_process(all);
    keep_best(here, {rate, 0, seconds_of(CLOCK_PROCESS_CPUTIME_ID) - begin});
    keep_best(ahead, in_sandbox(all, 1));
    keep_best(lock_step, in_sandbox(all, 0));
  }
  const auto count_of_mails = static_cast<double>(all.size());
  fmt::print("{} mails of {} bytes, best of 7 rounds\n", all.size(), all[0].size());
  fmt::print("                        mails/s by wall clock   µs of processor time for a mail: parser, parent\n");
  const auto show = [&](std::string_view name, const Cost& cost) {
    fmt::print("{:<22} {:8.0f} ({:.2f} of in process)   {:8.0f} {:8.0f}\n", name, cost.rate, cost.rate / here.rate,
               cost.child_seconds / count_of_mails * 1e6, cost.parent_seconds / count_of_mails * 1e6);
  };
  show("in process", here);
  show("sandbox, one ahead", ahead);
  show("sandbox, lock-step", lock_step);
  fmt::print("with two free cores, one ahead: {:.2f} of in process\n",
             here.child_seconds / std::max(ahead.child_seconds, ahead.parent_seconds));
}

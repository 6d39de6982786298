#include "common/mail_sandbox/sandbox.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>
#include <unistd.h>

#include <csignal>
#include <map>

#include "common/loop/child_process.hpp"

using namespace postroom;
using namespace postroom::mail_sandbox;
using namespace std::chrono_literals;

namespace {

const std::filesystem::path binaries = POSTROOM_BINARY_DIR;

struct Answer {
  Result<mail::Message> result = Error{Code::bug, "never answered"};
  std::map<std::size_t, std::string> pieces;
  int restarts = 0;
};

// All mails through one sandbox, answers in the order of the mails.
struct Run {
  std::vector<Answer> answers;
  std::vector<std::size_t> order;  // in which they were answered
  Counts counts;

  Run(Options options, const std::vector<std::string>& mails) : answers(mails.size()) {
    loop::Loop loop;
    Sandbox sandbox{loop, std::move(options)};
    loop.post([&] {
      for (std::size_t i = 0; i < mails.size(); ++i) {
        Job job;
        job.mail = mails[i];
        job.on_attachment_bytes = [this, i](std::size_t index, std::string_view bytes) {
          answers[i].pieces[index] += bytes;
        };
        job.on_restart = [this, i] {
          ++answers[i].restarts;
          answers[i].pieces.clear();
        };
        job.on_done = [this, i, &loop](Result<mail::Message> result) {
          answers[i].result = std::move(result);
          order.push_back(i);
          if (order.size() == answers.size()) loop.stop();
        };
        sandbox.submit(std::move(job));
      }
    });
    loop.run();
    counts = sandbox.counts();
  }

  std::string why(std::size_t i) const { return answers[i].result.ok() ? "" : answers[i].result.error().what(); }
};

Options real() {
  Options options;
  options.executable = binaries / "postroom-mail-sandbox";
  return options;
}

Options breaking() {
  Options options;
  options.executable = binaries / "mail_breaking_child";
  return options;
}

std::string good_mail(int number) {
  return fmt::format("From: ann@example.org\r\nSubject: mail {}\r\n\r\ntext\r\n", number);
}

std::string killer() {
  std::string name;
  for (int i = 0; i < 28; ++i) name += "\u045c";
  const std::string mail = "Content-Type: multipart/mixed;\n " + name + "=\"\u045c\"\n\n";
  return mail;
}

}  // namespace

TEST_CASE("a killer of 115 bytes among 49 good mails: 49 results, one unparsable") {
  std::vector<std::string> mails;
  for (int i = 0; i < 50; ++i) mails.push_back(i == 20 ? killer() : good_mail(i));
  CHECK(mails[20].size() <= 115);
  const int before = getpid();
  const Run run{real(), mails};
  CHECK(getpid() == before);
  for (std::size_t i = 0; i < 50; ++i) {
    CAPTURE(i);
    if (i == 20) {
      REQUIRE_FALSE(run.answers[i].result.ok());
      CHECK(run.answers[i].result.error().code() == Code::bad_message);
    } else {
      REQUIRE(run.answers[i].result.ok());
      CHECK(run.answers[i].result->subject == fmt::format("mail {}", i));
    }
  }
  CHECK(run.counts.children == 1);
}

TEST_CASE("a mail that breaks its child is named, its neighbours never notice") {
  struct Case {
    std::string mail;
    std::string why;
  };
  const Case cases[] = {{"abort", "SIGABRT"},         {"crash", "SIGSEGV"},
                        {"exit", "status 7"},         {"nonsense", "no sense"},
                        {"truncated", "not whole"},   {"piece then crash", "SIGSEGV"},
                        {"lying about size", "size"}, {"unknown attachment", "without a name"}};
  for (const Case& one : cases) {
    CAPTURE(one.mail);
    std::vector<std::string> mails;
    for (int i = 0; i < 50; ++i) mails.push_back(i == 20 ? one.mail : fmt::format("good {}", i));
    const Run run{breaking(), mails};
    for (std::size_t i = 0; i < 50; ++i) {
      CAPTURE(i);
      CHECK(run.order[i] == i);
      CHECK(run.answers[i].result.ok() == (i != 20));
    }
    CHECK(run.why(20).find(one.why) != std::string::npos);
    CHECK(run.answers[20].result.error().code() == Code::bad_message);
    CHECK(run.counts.breaches == 1);
    CHECK(run.counts.children == 2);
  }
}

TEST_CASE("a mail that spins ends by its processor time, one that hangs by the wall clock") {
  Options options = breaking();
  options.cpu_limit = 1s;
  const Run spinning{options, {"good", "spin", "good"}};
  CHECK(spinning.why(1).find("1 s of processor time") != std::string::npos);
  CHECK(spinning.answers[2].result.ok());
  options.wall_limit = 200ms;
  const Run hanging{options, {"good", "hang", "good"}};
  CHECK(hanging.why(1).find("200 ms") != std::string::npos);
  CHECK(hanging.answers[2].result.ok());
}

TEST_CASE("a parent that stood still reads what its child has answered meanwhile, and blames no mail") {
  Options options = real();
  options.wall_limit = 300ms;
  loop::Loop loop;
  Sandbox sandbox{loop, options};
  std::vector<bool> answers;
  loop.post([&] {
    for (int i = 0; i < 2; ++i) {
      Job job;
      job.mail = good_mail(i);
      job.on_done = [&](Result<mail::Message> result) {
        answers.push_back(result.ok());
        if (answers.size() == 1) usleep(600'000);  // with the second mail sent and its clock running
        if (answers.size() == 2) loop.stop();
      };
      sandbox.submit(std::move(job));
    }
  });
  loop.run();
  CHECK(answers == std::vector<bool>{true, true});
  CHECK(sandbox.counts().breaches == 0);
}

TEST_CASE("processor time is counted for each mail, not for the child's life") {
  // Six seconds of limits are set one after another; none of them may end a child that does little.
  Options options = breaking();
  options.cpu_limit = 1s;
  std::vector<std::string> mails(3'000, "good");
  const Run run{options, mails};
  CHECK(run.counts.breaches == 0);
}

TEST_CASE("an answer that nobody asked for ends the child, not the next mail") {
  const Run run{breaking(), {"twice", "good", "good"}};
  CHECK(run.answers[0].result.ok());
  CHECK(run.counts.parsed + run.counts.breaches == 3);
  CHECK(run.order.size() == 3);
}

TEST_CASE("names from the child are made safe once more") {
  const Run run{breaking(), {"with piece"}};
  REQUIRE(run.answers[0].result.ok());
  CHECK(run.answers[0].result->attachments[0].name == "evil");
  CHECK(run.answers[0].pieces.at(0) == "four");
}

TEST_CASE("children are recycled") {
  Options options = real();
  options.recycle_after = 3;
  std::vector<std::string> mails;
  for (int i = 0; i < 10; ++i) mails.push_back(good_mail(i));
  const Run run{options, mails};
  for (std::size_t i = 0; i < 10; ++i) CHECK(run.answers[i].result.ok());
  CHECK(run.counts.children == 4);
  CHECK(run.counts.breaches == 0);
}

TEST_CASE("without an executable, or with one that dies at once, nothing is said about the mails") {
  for (const std::string executable : {"/nonexistent/postroom-mail-sandbox", "/bin/false", "/bin/true"}) {
    CAPTURE(executable);
    Options options;
    options.executable = executable;
    const Run run{options, {good_mail(1), good_mail(2)}};
    for (const Answer& answer : run.answers) {
      REQUIRE_FALSE(answer.result.ok());
      CHECK(answer.result.error().code() == Code::unavailable);
    }
  }
}

TEST_CASE("a sandbox may go while mails are under way") {
  loop::Loop loop;
  bool is_called = false;
  {
    Sandbox sandbox{loop, breaking()};
    for (const std::string mail : {"hang", "good"}) {
      Job job;
      job.mail = mail;
      job.on_done = [&](auto) { is_called = true; };
      sandbox.submit(std::move(job));
    }
    CHECK(sandbox.unfinished() == 2);
  }
  CHECK_FALSE(is_called);
}

TEST_CASE("attachments come back byte by byte, also a large one") {
  std::string data;
  for (int i = 0; i < 1'000'000; ++i) data.push_back(static_cast<char>(i * 7 + i / 251));
  std::string encoded;
  const char digits[] = "0123456789ABCDEF";
  for (const char c : data) {
    encoded.push_back('=');
    encoded.push_back(digits[static_cast<unsigned char>(c) >> 4]);
    encoded.push_back(digits[static_cast<unsigned char>(c) & 15]);
    if (encoded.size() % 76 > 72) encoded += "=\r\n";
  }
  const Run run{real(),
                {"From: ann@example.org\r\nContent-Type: multipart/mixed; "
                 "boundary=b\r\n\r\n--b\r\n\r\ntext\r\n--b\r\nContent-Type: application/octet-stream; "
                 "name=data.bin\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n" +
                     encoded + "\r\n--b\r\nContent-Type: image/png\r\n\r\nraw\r\n--b--\r\n",
                 good_mail(2)}};
  REQUIRE(run.answers[0].result.ok());
  const auto& attachments = run.answers[0].result->attachments;
  REQUIRE(attachments.size() == 2);
  CHECK(attachments[0].size == data.size());
  CHECK(run.answers[0].pieces.at(0) == data);
  CHECK(run.answers[0].pieces.at(1) == "raw");
  CHECK(run.answers[1].result.ok());
}

TEST_CASE("a mail of 50 MB fits into the limits; one above the limit is refused") {
  std::string body(49 << 20, 'A');
  for (std::size_t i = 76; i < body.size(); i += 78) body.replace(i, 2, "\r\n");
  std::string large =
      "From: ann@example.org\r\nContent-Type: application/octet-stream; name=x.bin\r\nContent-Transfer-Encoding: "
      "base64\r\n\r\n" +
      body;
  const Run run{real(), {large, good_mail(1), std::string(65 << 20, 'x')}};
  CAPTURE(run.why(0));
  REQUIRE(run.answers[0].result.ok());
  CHECK(run.answers[0].result->attachments[0].size > 36'000'000);
  CHECK(run.answers[1].result.ok());
  CHECK(run.why(2).find("bytes") != std::string::npos);
  CHECK(run.counts.breaches == 0);
}

TEST_CASE("large hostile mails end as a refusal or a breach, never as a lost neighbour") {
  const auto repeated = [](std::string_view what, int count) {
    std::string out;
    for (int i = 0; i < count; ++i) out += what;
    return out;
  };
  const std::string head = "From: ann@example.org\nContent-Type: text/html\n\n";
  const std::vector<std::string> hostile = {
      "From: " + repeated("a:", 60'000) + "\n\nx",
      "Content-Type: multipart/mixed; boundary=b\n\n" + repeated("--b\n\n", 1'000'000),
      "To: " + repeated("ann@example.org,", 100'000) + "\n\nx",
      repeated("X: y\n", 300'000) + "\nx",
      "Content-Type: text/plain" + repeated(";a*1*=b", 30'000) + "\n\nx",
      repeated("Content-Type: message/rfc822\n\n", 100'000),
      "Subject: " + repeated("=?utf-8?Q?x?= ", 18'000) + "\n\nx",
      "References: " + repeated("<a@b> ", 40'000) + "\n\nx",
      head + repeated("<div>", 200'000),
      head + repeated("<b><i><p>", 100'000),
      head + repeated("<table><tr><td>", 60'000),
      head + "<a" + repeated(" b", 300'000) + ">",
      head + repeated("<p>x", 500'000),
      head + repeated("&", 2'000'000),
      "Content-Transfer-Encoding: quoted-printable\n\n" + repeated("=\n", 10'000'000),
      "Content-Type: text/plain; format=flowed\n\n" + repeated("> \n", 3'000'000),
  };
  std::vector<std::string> mails;
  for (const std::string& one : hostile) {
    mails.push_back(one);
    mails.push_back(good_mail(0));
  }
  const Run run{real(), mails};
  for (std::size_t i = 0; i < mails.size(); ++i) {
    CAPTURE(i / 2);
    CAPTURE(run.why(i));
    if (i % 2 == 1) CHECK(run.answers[i].result.ok());
    if (!run.answers[i].result.ok()) {
      CHECK(run.answers[i].result.error().code() == Code::bad_message);
      CHECK_FALSE(run.why(i).empty());
    }
  }
  CHECK(run.answers[0].result.ok() == false);
  CHECK(run.answers[2].result.ok() == false);
}

TEST_CASE("under the real filter the child cannot open, connect, execute, fork or raise its limits") {
  struct Case {
    std::string what;
    bool is_killed;
  };
  const Case cases[] = {{"open", false}, {"create", false}, {"stat", false},    {"socket", true},     {"exec", true},
                        {"fork", true},  {"kill", true},    {"map-code", true}, {"raise-limit", true}};
  for (const Case& one : cases) {
    CAPTURE(one.what);
    loop::Loop loop;
    loop::ChildProcess::Ending ending{-1, -1};
    auto child = loop::ChildProcess::start(
        loop, real().executable.string(), {"--attempt=" + one.what}, [](std::string_view) {},
        [&](auto how) {
          ending = how;
          loop.stop();
        });
    REQUIRE(child.ok());
    loop.run();
    if (one.is_killed) {
      CHECK(ending.signal == SIGSYS);
    } else {
      CHECK(ending.exit_status == 1);  // refused, harmlessly
      CHECK(ending.signal == 0);
    }
  }
  CHECK(access("/tmp/postroom-was-here", F_OK) != 0);
}

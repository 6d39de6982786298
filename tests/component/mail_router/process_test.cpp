// The real postroom-mail_router with a real broker, a real store and the real sandbox; the test plays the ledger.

#include <doctest/doctest.h>
#include <fmt/format.h>
#include <unistd.h>

#include <fstream>
#include <map>
#include <set>
#include <sstream>

#include "common/crypto/crypto.hpp"
#include "common/mail/threading.hpp"
#include "tests/component/mail_router/stage.hpp"

using namespace postroom;
using namespace postroom::mail_router;
using std::chrono::milliseconds;
using std::chrono::seconds;

namespace {

namespace fs = std::filesystem;

std::string good_mail(int number) { return fmt::format("From: Ann <ann@example.org>\r\nSubject: mail {}\r\n\r\nhello {}\r\n", number, number); }

// 115 bytes at which Debian 12's GMime loops until the memory is gone.
std::string killer() {
  std::string name;
  for (int i = 0; i < 28; ++i) name += "\u045c";
  return "Content-Type: multipart/mixed;\n " + name + "=\"\u045c\"\n\n";
}

std::string repeated(std::string_view what, int count) {
  std::string out;
  out.reserve(what.size() * static_cast<std::size_t>(count));
  for (int i = 0; i < count; ++i) out += what;
  return out;
}

std::string with_attachment(std::string_view name, std::string_view base64) {
  return fmt::format("From: ann@example.org\r\nSubject: files\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\ntext\r\n"
                     "--b\r\nContent-Type: application/octet-stream; name=\"{}\"\r\nContent-Transfer-Encoding: base64\r\n\r\n{}\r\n--b--\r\n",
                     name, base64);
}

// The parser that the router has started; 0 when there is none.
pid_t child_of(pid_t router) {
  for (const auto& entry : fs::directory_iterator{"/proc"}) {
    const std::string name = entry.path().filename().string();
    if (name.find_first_not_of("0123456789") != std::string::npos) continue;
    std::ifstream file{entry.path() / "stat"};
    std::string text{std::istreambuf_iterator<char>{file}, {}};
    const auto after_name = text.rfind(')');
    if (after_name == std::string::npos) continue;
    std::istringstream words{text.substr(after_name + 1)};
    std::string state;
    pid_t parent = 0;
    words >> state >> parent;
    if (parent == router) return std::stoi(name);
  }
  return 0;
}

struct Use {
  double cpu_seconds = 0;
  long peak_kib = 0;  // of the address space
};

Use use_of(pid_t pid) {
  Use use;
  std::ifstream stat{fmt::format("/proc/{}/stat", pid)};
  std::string text{std::istreambuf_iterator<char>{stat}, {}};
  std::istringstream words{text.substr(std::min(text.size(), text.rfind(')') + 1))};
  std::string word;
  for (int i = 0; i < 13 && words >> word; ++i) {
    if (i >= 11) use.cpu_seconds += std::stod(word) / static_cast<double>(sysconf(_SC_CLK_TCK));
  }
  std::ifstream status{fmt::format("/proc/{}/status", pid)};
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with("VmPeak:")) use.peak_kib = std::stol(line.substr(line.find_first_of("0123456789")));
  }
  return use;
}

long resident_kib(pid_t pid) {
  std::ifstream status{fmt::format("/proc/{}/status", pid)};
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with("VmRSS:")) return std::stol(line.substr(line.find_first_of("0123456789")));
  }
  return 0;
}

}  // namespace

TEST_CASE("a killer of 115 bytes among 49 good mails: 49 parsed, one in trouble, the same worker and the same child") {
  Stage stage;
  const auto router = stage.start_router();
  std::vector<std::string> arrivals;
  REQUIRE(killer().size() <= 115);
  for (int i = 0; i < 50; ++i) arrivals.push_back(stage.publish_mail(i == 20 ? killer() : good_mail(i)));
  stage.run_until([&] { return stage.told.size() == 50; });
  for (std::size_t i = 0; i < 50; ++i) {
    CAPTURE(i);
    const auto* told = stage.of(arrivals[i]);
    REQUIRE(told != nullptr);
    CHECK(told->parse_no == 1);
    if (i == 20) {
      CHECK_FALSE(told->mail.has_value());
      CHECK_FALSE(told->trouble.empty());
    } else {
      REQUIRE(told->mail.has_value());
      CHECK(told->mail->subject == fmt::format("mail {}", i));
      CHECK(told->mail->text == fmt::format("hello {}", i));
      CHECK(told->mail->sender_address == "ann@example.org");
      CHECK(told->mail->may_be_confirmed);
    }
  }
  for (const auto& one : stage.told) CHECK(one.envelope.correlation_id == one.parsed.arrival_id);
  CHECK_FALSE(router->has_ended());
  CHECK(stage.health(*router).find(R"("status":"ok")") != std::string::npos);
  stage.run_until([&] { return stage.queue_depths() == "0 0"; });
}

TEST_CASE("a mail that breaks the child in any way costs one child and one mail, never the worker") {
  Stage stage;
  const auto router = stage.start_router({}, stage.programs_with("mail_breaking_child"));
  const std::vector<std::string> breaking{"abort", "crash", "exit", "nonsense", "truncated", "piece then crash", "lying about size"};
  std::map<std::string, std::string> arrivals;  // mail → arrival
  int good = 0;
  for (const auto& one : breaking) {
    for (int i = 0; i < 7; ++i) {
      const std::string mail = fmt::format("good {}", ++good);
      arrivals[mail] = stage.publish_mail(mail);
    }
    arrivals[one] = stage.publish_mail(one);
  }
  stage.run_until([&] { return stage.told.size() == arrivals.size(); }, seconds{40});
  for (const auto& [mail, arrival] : arrivals) {
    CAPTURE(mail);
    const auto* told = stage.of(arrival);
    REQUIRE(told != nullptr);
    CHECK(told->mail.has_value() == mail.starts_with("good"));
    if (!told->mail) CHECK(told->trouble.find("broke the parser") != std::string::npos);
  }
  CHECK_FALSE(router->has_ended());
  stage.run_until([&] { return stage.queue_depths() == "0 0"; });
}

TEST_CASE("hostile and huge mails end as parsed or in trouble, within the child's memory and time, in small messages") {
  Stage stage;
  const auto router = stage.start_router();
  struct Row {
    std::string name;
    std::string mail;
    bool is_parsed;
  };
  std::string large(49 << 20, 'A');
  for (std::size_t i = 76; i < large.size(); i += 78) large.replace(i, 2, "\r\n");
  const std::string head = "From: ann@example.org\nSubject: large\n";
  const Row rows[] = {
      {"50 MB", with_attachment("film.bin", large), true},
      {"10,000 parts", head + "Content-Type: multipart/mixed; boundary=b\n\n" + repeated("--b\n\npart\n", 10'000) + "--b--\n", false},
      {"900 attachments", head + "Content-Type: multipart/mixed; boundary=b\n\n" +
                              repeated("--b\nContent-Type: image/png; name=\"" + std::string(140, 'n') + ".png\"\n\nbytes\n", 900) + "--b--\n", true},
      {"100,000 recipients", head + "To: " + repeated("ann@example.org, ", 100'000) + "bob@example.org\n\ntext\n", false},
      {"1,500 recipients", head + "To: " + repeated("ann@example.org,\n ", 1'500) + "bob@example.org\n\ntext\n", true},
      {"an unknown charset", head + "Content-Type: text/plain; charset=x-no-such\n\n" + repeated("caf\xe9 ", 10'000), true},
      {"a lying charset", head + "Content-Type: text/plain; charset=utf-8\n\n" + repeated("\xff\xfe\x80 caf\xe9\n", 10'000), true},
      {"control bytes", head + "\n" + repeated("\x01\x02\"\\\x7f\t", 200'000), true},
      {"quotes that double", head + "\n" + repeated("\"\\\n", 500'000), true},
      {"no header", "only words\nand nothing else\n", true},
      {"nothing", "", true},
      {"deep", head + "Content-Type: message/rfc822\n\n" + repeated("Content-Type: message/rfc822\n\n", 10'000), false},
      {"a subject of 60 kB", "From: ann@example.org\nSubject: " + repeated("word \n ", 9'000) + "\n\ntext\n", true},
      {"500 notes", head + "Content-Type: multipart/mixed; boundary=b\n\n" + repeated("--b\nContent-Type: text/plain; charset=x-no-such\n\n\xe9\n", 500) + "--b--\n", true},
  };
  pid_t child = 0;
  for (const Row& row : rows) {
    CAPTURE(row.name);
    const double before = child == 0 ? 0 : use_of(child).cpu_seconds;
    const std::string arrival = stage.publish_mail(row.mail);
    stage.run_until([&] { return stage.of(arrival) != nullptr; }, seconds{30});
    const auto* told = stage.of(arrival);
    CHECK(told->mail.has_value() == row.is_parsed);
    CHECK(told->trouble.empty() == row.is_parsed);
    CHECK(stage.told.back().byte_count < (1 << 20));
    const pid_t now = child_of(router->pid());
    if (now != 0) {
      const Use use = use_of(now);
      const double spent = use.cpu_seconds - (now == child ? before : 0);
      MESSAGE(row.name << ": " << spent << " s of processor time, peak " << use.peak_kib / 1'024 << " MiB, router resident "
                       << resident_kib(router->pid()) / 1'024 << " MiB, message " << stage.told.back().byte_count << " bytes");
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
      CHECK(spent < 2.5);  // the limit counts whole seconds of the child's life
      CHECK(use.peak_kib <= 320 * 1'024);
#endif
    }
    child = now;
    if (row.name == "50 MB") {
      REQUIRE(told->mail->attachments.size() == 1);
      CHECK(told->mail->attachments[0].name == "film.bin");
      CHECK(stage.content(told->mail->attachments[0].blob).size() > 36'000'000);
    }
    if (row.name == "900 attachments") {
      CHECK(told->mail->attachments.size() > 300);
      CHECK(told->mail->notes.back().find("900 attachments") != std::string::npos);
      CHECK(stage.content(told->mail->attachments[300].blob) == "bytes");
    }
    const std::string after = stage.publish_mail(good_mail(1));
    stage.run_until([&] { return stage.of(after) != nullptr; });
    CHECK(stage.of(after)->mail.has_value());
  }
  CHECK_FALSE(router->has_ended());
  stage.run_until([&] { return stage.queue_depths() == "0 0"; });
}

TEST_CASE("attachments are in the store before they are told of, one without bytes too") {
  Stage stage;
  const auto router = stage.start_router();
  const std::string data = "bytes of the attachment";
  const std::string arrival = stage.publish_mail(
      "From: ann@example.org\r\nSubject: files\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\ntext\r\n"
      "--b\r\nContent-Type: text/plain; name=empty.txt\r\nContent-Disposition: attachment\r\n\r\n"
      "--b\r\nContent-Type: image/png; name=\"../../etc/a.png\"\r\nContent-ID: <pic@x>\r\nContent-Disposition: inline\r\nContent-Transfer-Encoding: base64\r\n\r\n" +
      crypto::to_base64(data) + "\r\n--b--\r\n");
  stage.run_until([&] { return stage.told.size() == 1; });
  const auto& mail = stage.of(arrival)->mail;
  REQUIRE(mail.has_value());
  REQUIRE(mail->attachments.size() == 2);
  CHECK(stage.content(mail->attachments[0].blob).empty());
  CHECK(mail->attachments[1].name == "a.png");
  CHECK(mail->attachments[1].content_id == "pic@x");
  CHECK(stage.content(mail->attachments[1].blob) == data);
  CHECK(mail->attachments[1].blob.sha256 == crypto::to_hex(crypto::sha256(data)));
}

TEST_CASE("our own signed id names the conversation, a forged one does not") {
  Stage stage;
  const auto router = stage.start_router();
  const mail::SignedId id{"01920000-0000-7000-8000-000000000001", "01920000-0000-7000-8000-000000000002"};
  const auto signed_by = [&](std::string key) {
    return mail::signed_message_id(id, mail::message_id_host(Stage::installation),
                                   [key](std::string_view data) { return crypto::hmac_sha256(key, data); });
  };
  const auto answer_to = [](const std::string& message_id) {
    return "From: ann@example.org\r\nSubject: Re: printer\r\nIn-Reply-To: <" + message_id + ">\r\n\r\nthanks\r\n";
  };
  const auto ours = stage.publish_mail(answer_to(signed_by(Stage::message_id_key())));
  const auto forged = stage.publish_mail(answer_to(signed_by(std::string(32, 'x'))));
  const auto own = stage.publish_mail("From: desk@example.org\r\nSubject: loop\r\nMessage-ID: <" + signed_by(Stage::message_id_key()) + ">\r\n\r\ntext\r\n");
  const auto form = stage.publish_mail("From: desk@example.org\r\nSubject: form\r\n\r\ntext\r\n");
  stage.run_until([&] { return stage.told.size() == 4; });
  REQUIRE(stage.of(ours)->mail->thread.has_value());
  CHECK(stage.of(ours)->mail->thread->ticket_id == id.ticket_id);
  CHECK(stage.of(ours)->mail->thread->delivery_id == id.delivery_id);
  CHECK_FALSE(stage.of(forged)->mail->thread.has_value());
  CHECK(stage.of(own)->mail->is_own);
  CHECK_FALSE(stage.of(form)->mail->is_own);
  CHECK(stage.of(form)->mail->is_auto);
}

TEST_CASE("without its child the router says nothing about mails, tells its health, and goes on when the child is there") {
  Stage stage;
  const auto router = stage.start_router({}, stage.programs_with(""));
  const std::string arrival = stage.publish_mail(good_mail(1));
  stage.run_until([&] { return stage.health(*router).find("mails wait") != std::string::npos; });
  CHECK(stage.told.empty());
  stage.programs_with("postroom-mail-sandbox");
  stage.run_until([&] { return stage.told.size() == 1; });
  CHECK(stage.of(arrival)->mail.has_value());
  CHECK(stage.health(*router).find(R"("status":"ok")") != std::string::npos);
}

TEST_CASE("a mail whose blob is missing is told so; one whose blob comes back is read") {
  Stage stage;
  const auto router = stage.start_router();
  const auto lost = stage.publish({std::string(64, 'a'), 10});
  const auto odd = stage.publish({"../../etc/passwd", 10});
  const auto ref = stage.store(good_mail(1));
  const fs::path file = stage.home() / "blobs" / ref.sha256.substr(0, 2) / ref.sha256;
  fs::resize_file(file, 5);
  const auto damaged = stage.publish(ref);
  stage.run_until([&] { return stage.told.size() == 2; });
  for (const auto& arrival : {lost, odd}) {
    CHECK_FALSE(stage.of(arrival)->mail.has_value());
    CHECK(stage.of(arrival)->trouble.find("blob store") != std::string::npos);
  }
  CHECK(stage.of(damaged) == nullptr);
  stage.store(good_mail(1));  // the same bytes heal it
  stage.run_until([&] { return stage.of(damaged) != nullptr; });
  CHECK(stage.of(damaged)->mail.has_value());
}

TEST_CASE("SIGTERM: the mail that is being read is told, the others come to the next router") {
  Stage stage;
  std::vector<std::string> arrivals;
  for (int i = 0; i < 300; ++i) arrivals.push_back(stage.publish_mail(with_attachment("a.bin", crypto::to_base64(std::string(20'000, static_cast<char>('a' + i % 26))))));
  auto router = stage.start_router();
  stage.run_until([&] { return stage.told.size() >= 5; });
  const auto told_at = SystemClock{}.steady();
  router->send_signal(SIGTERM);
  CHECK(router->wait() == 0);
  CHECK(SystemClock{}.steady() - told_at < seconds{10});
  router = stage.start_router();
  stage.run_until([&] { return stage.told.size() >= 300; }, seconds{60});
  std::set<std::string> seen;
  for (const auto& one : stage.told) seen.insert(one.parsed.arrival_id);
  CHECK(seen == std::set<std::string>(arrivals.begin(), arrivals.end()));
  CHECK(stage.told.size() == 300);  // what was told was acknowledged
  stage.run_until([&] { return stage.queue_depths() == "0 0"; });
}

TEST_CASE("a router killed at any point: the mail comes again, and says the same") {
  for (const std::string point : {"router_before_parse", "router_after_parse", "router_before_keep", "blob_before_flush", "blob_after_flush", "blob_after_rename",
                                  "router_after_keep", "router_before_publish", "router_before_ack"}) {
    CAPTURE(point);
    Stage stage;
    const auto victim = stage.start_router({"POSTROOM_CRASH_AT=" + point});
    const auto arrival = stage.publish_mail(with_attachment("a.bin", crypto::to_base64("bytes")));
    stage.run_until([&] { return victim->has_ended(); });
    CHECK(victim->wait() == 137);
    const auto next = stage.start_router();
    const std::size_t expected = point == "router_before_ack" ? 2 : 1;
    stage.run_until([&] { return stage.told.size() >= expected && stage.queue_depths() == "0 0"; });
    CHECK(stage.told.size() == expected);
    for (const auto& one : stage.told) {
      CHECK(one.parsed.arrival_id == arrival);
      CHECK(one.parsed == stage.told[0].parsed);
      REQUIRE(one.parsed.mail.has_value());
      CHECK(stage.content(one.parsed.mail->attachments[0].blob) == "bytes");
    }
  }
}

TEST_CASE("a mail that kills every router ends on the shelf, alone: its neighbours are read") {
  Stage stage;
  std::map<std::string, std::string> arrivals;  // mail → arrival
  for (int i = 0; i < 40; ++i) {
    const std::string mail = i == 8 ? "end the parent" : fmt::format("good {}", i);
    arrivals[mail] = stage.publish_mail(mail);
  }
  const fs::path programs = stage.programs_with("mail_breaking_child");
  int deaths = 0;
  auto router = stage.start_router({}, programs);
  stage.run_until(
      [&] {
        if (router->has_ended()) {
          ++deaths;
          router = stage.start_router({}, programs);
        }
        return stage.shelved > 0 && stage.told.size() >= 39 && stage.queue_depths() == "0 0";
      },
      seconds{240});
  CHECK(stage.shelved == 1);
  CHECK(stage.of(arrivals["end the parent"]) == nullptr);
  for (const auto& [mail, arrival] : arrivals) {
    CAPTURE(mail);
    if (mail != "end the parent") CHECK(stage.of(arrival) != nullptr);
  }
  MESSAGE(deaths << " routers died of it");
  CHECK(deaths >= 20);  // the broker's limit, not fewer: a router may also die of something else
}

TEST_CASE("a killed router takes its child with it") {
  Stage stage;
  const auto router = stage.start_router();
  stage.publish_mail(good_mail(1));
  stage.run_until([&] { return stage.told.size() == 1; });
  const pid_t child = child_of(router->pid());
  REQUIRE(child != 0);
  router->send_signal(SIGKILL);
  CHECK(router->wait() == 128 + SIGKILL);
  stage.run_until([&] { return !fs::exists(fmt::format("/proc/{}/exe", child)) || !fs::is_symlink(fmt::format("/proc/{}/exe", child)); });
}

TEST_CASE("the broker dies under a mail: it is told when the link is back") {
  Stage stage;
  support::Restored restored{support::Rabbit::shared()};
  const auto router = stage.start_router();
  stage.publish_mail(good_mail(1));
  stage.run_until([&] { return stage.told.size() == 1; });
  support::Rabbit::shared().kill();
  support::Rabbit::shared().start();
  const auto arrival = stage.publish_mail(good_mail(2));
  stage.run_until([&] { return stage.of(arrival) != nullptr; }, seconds{30});
  stage.run_until([&] { return stage.queue_depths() == "0 0"; }, seconds{30});
}

TEST_CASE("what cannot be read goes to the standby shelf") {
  Stage stage;
  const auto router = stage.start_router();
  stage.publish_raw("mail.parse.v9", R"({"arrival_id":"x"})");
  stage.publish_raw(messages::MailParse::type, R"({"arrival_id":)");
  stage.run_until([&] { return stage.shelved == 2; });
  CHECK(stage.told.empty());
  stage.run_until([&] { return stage.queue_depths() == "0 0"; });
}

TEST_CASE("wrong arguments and a home without its key end with status 2 and a word") {
  support::Child odd{{POSTROOM_BINARY_DIR "/postroom-mail_router", "--verbose"}, support::Child::Ending::terminate, {"POSTROOM_ALLOW_ROOT=1"}, "/dev/null"};
  CHECK(odd.wait() == 2);
  Stage stage;
  fs::remove(stage.home() / "secrets" / "key-message-id");
  const auto router = stage.start_router();
  CHECK(router->wait() == 2);
  CHECK(stage.router_log().find("key-message-id") != std::string::npos);
}

TEST_CASE("two routers share the mails, and 2,000 of them leave memory as it was") {
  Stage stage;
  const auto first = stage.start_router();
  const auto second = stage.start_router();
  const auto publish = [&](int count) {
    const auto ref = stage.store(with_attachment("a.bin", crypto::to_base64(std::string(5'000, 'x'))));
    for (int i = 0; i < count; ++i) stage.publish(ref);
  };
  publish(200);
  stage.run_until([&] { return stage.told.size() == 200; }, seconds{30});
  const long before = resident_kib(first->pid());
  const auto begun = SystemClock{}.steady();
  publish(1'800);
  stage.run_until([&] { return stage.told.size() == 2'000; }, seconds{60});
  const double took = std::chrono::duration<double>(SystemClock{}.steady() - begun).count();
  const double rate = 1'800 / took;
  MESSAGE(rate << " mails/s by two routers; resident " << before << " KiB, then " << resident_kib(first->pid()) << " KiB");
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
  CHECK(resident_kib(first->pid()) < before + 8'192);
#endif
}

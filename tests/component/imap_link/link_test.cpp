// The real links against a real Dovecot, and against servers that only listen.

#include <arpa/inet.h>
#include <doctest/doctest.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <map>
#include <optional>

#include "common/imap_link/link.hpp"
#include "tests/support/dovecot.hpp"

using namespace postroom;
using namespace postroom::imap_link;
using fixtures::Dovecot;
using std::chrono::milliseconds;
using std::chrono::seconds;

namespace {

struct Bench {
  explicit Bench(Settings settings = {}) {
    signal(SIGPIPE, SIG_IGN);
    auto made = make_links(loop, std::move(settings));
    REQUIRE(made.ok());
    links = std::move(*made);
  }

  struct Talk {
    std::unique_ptr<Link> link;
    std::optional<Standing> standing;
    std::optional<Ending> ending;
    std::string received;
  };

  Talk& open(Account account) {
    Talk& talk = talks[++last];
    talk.link = links->open(std::move(account), {[&talk](const Standing& standing) { talk.standing = standing; },
                                                 [&talk](std::string_view bytes) { talk.received += bytes; },
                                                 [&talk](const Ending& ending) { talk.ending = ending; }});
    CHECK_FALSE(talk.ending.has_value());  // never from inside open
    return talk;
  }
  bool run_until(const std::function<bool()>& is_there, milliseconds limit = seconds{20}) {
    const auto until = std::chrono::steady_clock::now() + limit;
    loop::Timer look{loop, [&] { loop.stop(); }};
    while (!is_there()) {
      if (std::chrono::steady_clock::now() > until) return false;
      look.after(milliseconds{5});
      loop.run();
    }
    return true;
  }
  Ending fails(Account account) {
    Talk& talk = open(std::move(account));
    REQUIRE(run_until([&] { return talk.ending || talk.standing; }));
    REQUIRE_FALSE(talk.standing.has_value());
    return *talk.ending;
  }

  loop::Loop loop;
  std::unique_ptr<Links> links;
  std::map<int, Talk> talks;
  int last = 0;
};

Settings trusting(const Dovecot& dovecot) {
  Settings settings;
  settings.allow = {"127.0.0.0/8", "::1"};
  settings.ca_file = dovecot.certificate();
  return settings;
}

Account account(std::string_view scheme, std::uint16_t port, std::string_view password = Dovecot::password, std::string_view host = "localhost") {
  return {fmt::format("{}://{}:{}", scheme, host, port), "desk", std::string{password}};
}

// Takes connections and says nothing, or what it is told to.
struct Listener {
  Listener() {
    fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    REQUIRE(::bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
    REQUIRE(::listen(fd, 5) == 0);
    socklen_t length = sizeof address;
    ::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &length);
    port = ntohs(address.sin_port);
  }
  ~Listener() { ::close(fd); }
  // Takes the one that has connected, and answers.
  int take(std::string_view words) const {
    const int taken = ::accept(fd, nullptr, nullptr);
    CHECK(::send(taken, words.data(), words.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(words.size()));
    return taken;
  }
  int fd = -1;
  std::uint16_t port = 0;
};

}  // namespace

TEST_CASE("TLS and STARTTLS: logged in, commands out, answers in") {
  Dovecot dovecot{Dovecot::Encryption::offered};
  Bench bench{trusting(dovecot)};
  auto& tls = bench.open(account("imaps", dovecot.tls_port()));
  auto& starttls = bench.open(account("imap", dovecot.port()));
  for (auto* talk : {&tls, &starttls}) {
    REQUIRE(bench.run_until([&] { return talk->standing || talk->ending; }));
    REQUIRE(talk->standing.has_value());
    CHECK(talk->standing->is_encrypted);
    CHECK((talk->standing->address == "127.0.0.1" || talk->standing->address == "::1"));
    talk->link->send("a NOOP\r\n");
    REQUIRE(bench.run_until([&] { return talk->received.find("a OK") != std::string::npos; }));
  }
  // The other one's bytes, and its age, harm nobody: each has its own curl handles.
  tls.link->send("b SELECT INBOX\r\n");
  auto& third = bench.open(account("imaps", dovecot.tls_port()));
  REQUIRE(bench.run_until([&] { return third.standing.has_value(); }));
  REQUIRE(bench.run_until([&] { return tls.received.find("b OK") != std::string::npos; }));
  CHECK_FALSE(tls.ending.has_value());
}

TEST_CASE("more bytes than TLS hands out at once all come") {
  Dovecot dovecot{Dovecot::Encryption::offered};
  const std::string body(3'000'000, 'x');
  dovecot.deliver("desk", "Subject: large\r\n\r\n" + body);
  Bench bench{trusting(dovecot)};
  auto& talk = bench.open(account("imaps", dovecot.tls_port()));
  REQUIRE(bench.run_until([&] { return talk.standing.has_value(); }));
  talk.link->send("a SELECT INBOX\r\nb UID FETCH 1 BODY.PEEK[]\r\n");
  REQUIRE(bench.run_until([&] { return talk.received.find("b OK") != std::string::npos; }));
  CHECK(talk.received.size() > body.size());
}

TEST_CASE("more bytes than a socket takes at once are all sent") {
  Dovecot dovecot{Dovecot::Encryption::offered};
  Bench bench{trusting(dovecot)};
  auto& talk = bench.open(account("imaps", dovecot.tls_port()));
  REQUIRE(bench.run_until([&] { return talk.standing.has_value(); }));
  const std::string body(6'000'000, 'y');
  talk.link->send(fmt::format("a APPEND INBOX {{{}+}}\r\n", body.size()));
  talk.link->send(body);
  talk.link->send("\r\n");
  REQUIRE(bench.run_until([&] { return talk.received.find("a OK") != std::string::npos; }));
}

TEST_CASE("a wrong password, a wrong certificate and a wrong name are told apart") {
  Dovecot dovecot{Dovecot::Encryption::offered};
  Settings strangers = trusting(dovecot);
  strangers.ca_file.clear();
  Bench trusts{trusting(dovecot)};
  Bench does_not{strangers};
  for (const auto& [scheme, port] : {std::pair<std::string, std::uint16_t>{"imaps", dovecot.tls_port()}, {"imap", dovecot.port()}}) {
    CAPTURE(scheme);
    const Ending denied = trusts.fails(account(scheme, port, "wrong"));
    CHECK(denied.trouble == Trouble::credentials);
    CHECK(denied.text.find("[AUTHENTICATIONFAILED] Authentication failed") != std::string::npos);
    CHECK(denied.text.find("wrong") == std::string::npos);
    CHECK(denied.is_reached);
    CHECK(denied.is_secured);
    const Ending untrusted = does_not.fails(account(scheme, port));
    CHECK(untrusted.trouble == Trouble::certificate);
    CHECK(untrusted.is_reached);
    CHECK_FALSE(untrusted.is_secured);
    CHECK(untrusted.text.find("certificate") != std::string::npos);
    CHECK(trusts.fails(account(scheme, port, Dovecot::password, "127.0.0.1")).trouble == Trouble::certificate);  // it is for localhost
  }
}

TEST_CASE("nobody there, a private address, a name that is none") {
  std::uint16_t closed = 0;
  {
    Listener listener;
    closed = listener.port;
  }
  Bench bench{[] {
    Settings settings;
    settings.allow = {"127.0.0.1"};
    return settings;
  }()};
  const Ending nobody = bench.fails(account("imaps", closed, "x", "127.0.0.1"));
  CHECK(nobody.trouble == Trouble::unreachable);
  CHECK_FALSE(nobody.is_reached);
  const Ending unknown = bench.fails({"imaps://postroom.invalid", "desk", "x"});
  CHECK(unknown.trouble == Trouble::unreachable);
  Bench careful;
  for (const char* host : {"127.0.0.1", "localhost", "[::1]", "10.1.2.3", "169.254.169.254"}) {
    CAPTURE(host);
    const Ending blocked = careful.fails(account("imaps", closed, "x", host));
    CHECK(blocked.trouble == Trouble::blocked_address);
    CHECK_FALSE(blocked.is_reached);
    CHECK(blocked.text.find("outbound.allow") != std::string::npos);
  }
}

TEST_CASE("control bytes and missing parts never reach a socket") {
  Listener listener;
  Bench bench{[] {
    Settings settings;
    settings.allow = {"127.0.0.1"};
    return settings;
  }()};
  const std::string url = fmt::format("imap://127.0.0.1:{}", listener.port);
  for (const Account& wrong : {Account{url, "desk\r\nA1 LOGOUT", "x"}, Account{url, "desk", "x\r\n"}, Account{url, std::string{"de\0sk", 5}, "x"},
                               Account{url, "", "x"}, Account{url, "desk", ""}, Account{url + "/INBOX", "desk", "x"}}) {
    CHECK(bench.fails(wrong).trouble == Trouble::refused_account);
  }
}

TEST_CASE("without encryption only where the configuration says so, and only when the server offers none") {
  Dovecot plain{Dovecot::Encryption::none};
  Bench allowed{[] {
    Settings settings;
    settings.allow = {"127.0.0.1"};
    return settings;
  }()};
  auto& talk = allowed.open(account("imap", plain.port(), Dovecot::password, "127.0.0.1"));
  REQUIRE(allowed.run_until([&] { return talk.standing || talk.ending; }));
  REQUIRE(talk.standing.has_value());
  CHECK_FALSE(talk.standing->is_encrypted);
  talk.link->send("a NOOP\r\n");
  REQUIRE(allowed.run_until([&] { return talk.received.find("a OK") != std::string::npos; }));
  // What speaks no TLS at the TLS port.
  const Ending garbled = allowed.fails(account("imaps", plain.port(), Dovecot::password, "127.0.0.1"));
  CHECK(garbled.trouble == Trouble::no_encryption);
  CHECK(garbled.text.find("imap:// begins in the clear") != std::string::npos);

  Dovecot encrypted{Dovecot::Encryption::offered};
  const Ending untrusted = allowed.fails(account("imap", encrypted.port(), Dovecot::password, "127.0.0.1"));
  CHECK(untrusted.trouble == Trouble::certificate);  // it offers STARTTLS: there is no way around it
}

TEST_CASE("servers that are silent, busy, strange or gone") {
  Listener listener;
  Settings settings;
  settings.allow = {"127.0.0.1"};
  settings.login_limit = milliseconds{400};
  Bench bench{settings};
  const Account there = account("imap", listener.port, "x", "127.0.0.1");
  const auto met_with = [&](std::string_view words) {
    auto& talk = bench.open(there);
    int taken = -1;
    bench.run_until([] { return false; }, milliseconds{50});
    taken = listener.take(words);
    REQUIRE(bench.run_until([&] { return talk.ending.has_value(); }, seconds{5}));
    ::close(taken);
    return *talk.ending;
  };
  const Ending silent = met_with("");
  CHECK(silent.trouble == Trouble::timeout);
  CHECK(silent.is_reached);
  CHECK(silent.text.find("then the address begins with imaps://") != std::string::npos);
  CHECK(met_with("* OK hello\r\n* CAPABILITY IMAP4rev1 STARTTLS\r\nA001 OK done\r\n").trouble == Trouble::timeout);
  CHECK(met_with("* BYE too many connections\r\n").trouble == Trouble::server);
  CHECK(met_with("220 mail.example.org ESMTP\r\n").trouble == Trouble::protocol);
}

TEST_CASE("STARTTLS at the port for TLS: both wait for the other's word, which is said, whichever limit comes first") {
  Dovecot dovecot{Dovecot::Encryption::offered};
  for (const bool connects_last : {true, false}) {
    Settings settings = trusting(dovecot);
    settings.connect_limit = milliseconds{connects_last ? 20'000 : 700};
    settings.login_limit = milliseconds{connects_last ? 700 : 20'000};
    Bench bench{settings};
    const Ending ending = bench.fails(account("imap", dovecot.tls_port()));
    CHECK(ending.trouble == Trouble::timeout);
    CHECK(ending.is_reached);
    CHECK(ending.text.starts_with("no greeting from localhost:"));
  }
}

TEST_CASE("logging in by SASL or by the plain command, as the server can; and a server that cannot now is not a wrong password") {
  Listener listener;
  Settings settings;
  settings.allow = {"127.0.0.1"};
  Bench bench{settings};
  struct Row {
    std::string capabilities;
    std::string answer;           // to the login
    std::string commands;         // that the server got, without tags, before the answer
    std::optional<Trouble> trouble;
  };
  // The first connection of each looks for STARTTLS, which the listener does not have.
  const Row rows[] = {
      {"IMAP4rev1 AUTH=PLAIN SASL-IR", "OK in", "CAPABILITY|CAPABILITY|AUTHENTICATE PLAIN AGRlc2sAeA==|", {}},
      {"IMAP4rev1 AUTH=GSSAPI AUTH=NTLM AUTH=PLAIN", "OK in", "CAPABILITY|CAPABILITY|AUTHENTICATE PLAIN|AGRlc2sAeA==|", {}},
      {"IMAP4rev1", "OK in", "CAPABILITY|CAPABILITY|CAPABILITY|LOGIN \"desk\" \"x\"|", {}},
      {"IMAP4rev1 AUTH=GSSAPI AUTH=PLAIN-CLIENTTOKEN", "OK in", "CAPABILITY|CAPABILITY|CAPABILITY|LOGIN \"desk\" \"x\"|", {}},
      {"IMAP4rev1", "NO wrong", "CAPABILITY|CAPABILITY|CAPABILITY|LOGIN \"desk\" \"x\"|", Trouble::credentials},
      {"IMAP4rev1", "NO [UNAVAILABLE] later", "CAPABILITY|CAPABILITY|CAPABILITY|LOGIN \"desk\" \"x\"|", Trouble::server},
      {"IMAP4rev1 LOGINDISABLED", "OK in", "CAPABILITY|CAPABILITY|", Trouble::credentials},
      {"IMAP4rev1 AUTH=PLAIN", "NO [UNAVAILABLE] the user store is away", "CAPABILITY|CAPABILITY|AUTHENTICATE PLAIN|AGRlc2sAeA==|", Trouble::server},
      {"IMAP4rev1 AUTH=PLAIN", "NO wrong", "CAPABILITY|CAPABILITY|AUTHENTICATE PLAIN|AGRlc2sAeA==|", Trouble::credentials}};
  for (const Row& row : rows) {
    CAPTURE(row.capabilities);
    auto& talk = bench.open(account("imap", listener.port, "x", "127.0.0.1"));
    int fd = -1;
    std::string got;
    std::string commands;
    std::string tag;
    const auto say = [&](const std::string& words) { CHECK(::send(fd, words.data(), words.size(), MSG_NOSIGNAL) > 0); };
    const auto hear = [&](const std::string& line) {
      const auto blank = line.find(' ');
      const bool is_command = blank != std::string::npos;
      if (is_command) tag = line.substr(0, blank);
      const std::string command = is_command ? line.substr(blank + 1) : line;
      commands += command + "|";
      if (command == "CAPABILITY") return say("* CAPABILITY " + row.capabilities + "\r\n" + tag + " OK done\r\n");
      if (command == "AUTHENTICATE PLAIN") return say("+ \r\n");
      say(tag + " " + row.answer + "\r\n");
    };
    const bool is_over = bench.run_until([&] {
      pollfd waiting{listener.fd, POLLIN, 0};
      if (::poll(&waiting, 1, 0) == 1) {
        if (fd >= 0) ::close(fd);
        got.clear();
        fd = listener.take("* OK hello\r\n");
      }
      char part[512];
      const ssize_t count = fd < 0 ? -1 : ::recv(fd, part, sizeof part, MSG_DONTWAIT);
      if (count > 0) got.append(part, static_cast<std::size_t>(count));
      for (auto end = got.find("\r\n"); end != std::string::npos; end = got.find("\r\n")) {
        const std::string line = got.substr(0, end);
        got.erase(0, end + 2);
        hear(line);
      }
      return talk.ending || talk.standing;
    });
    REQUIRE(is_over);
    CHECK(commands == row.commands);
    CHECK(talk.standing.has_value() == !row.trouble.has_value());
    if (row.trouble) {
      REQUIRE(talk.ending.has_value());
      CHECK(talk.ending->trouble == *row.trouble);
      CHECK(talk.ending->is_reached);
    }
    talk.link.reset();
    ::close(fd);
  }
}

TEST_CASE("a connection that ends is told once, and hanging up never waits for a silent server") {
  Dovecot dovecot{Dovecot::Encryption::offered};
  Bench bench{trusting(dovecot)};
  auto& kicked = bench.open(account("imaps", dovecot.tls_port()));
  auto& left = bench.open(account("imap", dovecot.port()));
  REQUIRE(bench.run_until([&] { return kicked.standing && left.standing; }));
  dovecot.pause();
  const auto begun = std::chrono::steady_clock::now();
  left.link.reset();
  CHECK(std::chrono::steady_clock::now() - begun < milliseconds{500});
  dovecot.resume();
  dovecot.kick("desk");
  REQUIRE(bench.run_until([&] { return kicked.ending.has_value(); }));
  CHECK(kicked.ending->trouble == Trouble::unreachable);
  CHECK(kicked.ending->is_reached);
  kicked.link->send("late\r\n");  // no harm
  CHECK_FALSE(left.ending.has_value());
}

TEST_CASE("a link may be destroyed by its own handlers, and before it ever stood") {
  Dovecot dovecot{Dovecot::Encryption::offered};
  Bench bench{trusting(dovecot)};
  int told = 0;
  std::unique_ptr<Link> link;
  const auto open = [&](Handlers handlers, std::string_view password = Dovecot::password) {
    told = 0;
    link = bench.links->open(account("imaps", dovecot.tls_port(), password), std::move(handlers));
    REQUIRE(bench.run_until([&] { return told > 0; }));
    CHECK_FALSE(link);
  };
  const auto leave = [&] {
    ++told;
    link.reset();
  };
  open({[&](const Standing&) { leave(); }, [](std::string_view) {}, [](const Ending&) {}});
  open({[&](const Standing&) { link->send("a NOOP\r\n"); }, [&](std::string_view) { leave(); }, [](const Ending&) {}});
  open({[](const Standing&) {}, [](std::string_view) {}, [&](const Ending&) { leave(); }}, "wrong");
  for (const int rounds : {0, 1, 5, 20, 60}) {
    auto& talk = bench.open(account("imaps", dovecot.tls_port()));
    for (int i = 0; i < rounds; ++i) bench.run_until([] { return false; }, milliseconds{0});
    talk.link.reset();
    bench.run_until([] { return false; }, milliseconds{10});
    CHECK_FALSE(talk.ending.has_value());
  }
}

TEST_CASE("settings that make no sense are told at the start") {
  loop::Loop loop;
  Settings block;
  block.allow = {"127.0.0.0/99"};
  CHECK_FALSE(make_links(loop, block).ok());
  Settings file;
  file.ca_file = "/nonexistent/ca.pem";
  CHECK_FALSE(make_links(loop, file).ok());
}

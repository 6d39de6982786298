// The connection test: which check fails, and what a person is told.

#include "workers/imap_poller/trial.hpp"

#include <doctest/doctest.h>

using namespace postroom;
using namespace postroom::imap_poller;
using imap_link::Trouble;
using messages::ReasonClass;

namespace {

const SteadyTime now{std::chrono::hours{1}};

messages::ImapPollerTest test_of(std::optional<std::string> folder = std::nullopt) {
  return {"test", {"connection", "imaps://mail.example.org", "desk", "sealed"}, std::move(folder)};
}

std::string shown(const Trial& trial) {
  if (!trial.result()) return "nothing yet";
  std::string text;
  for (const auto& check : trial.result()->checks) text += (check.passed ? "+" : "-") + check.name + " ";
  return text + std::string{messages::name_of(trial.result()->reason_class)};
}

}  // namespace

TEST_CASE("all checks pass, and the abilities are told") {
  Trial trial{test_of("Support")};
  CHECK(trial.on_connected({"192.0.2.1", true}, now) == "P1 CAPABILITY\r\n");
  CHECK(trial.on_bytes("* CAPABILITY IMAP4rev1 IDLE MOVE\r\nP1 OK done\r\n", now) == "P2 EXAMINE \"Support\"\r\n");
  CHECK(trial.on_bytes("* 12 EXISTS\r\n* OK [UIDVALIDITY 9] ok\r\nP2 OK [READ-ONLY] done\r\n", now) == "");
  CHECK(shown(trial) == "+reach +certificate +log in +folder +abilities none");
  const auto& outcome = *trial.result();
  CHECK(outcome.passed);
  CHECK(outcome.test_id == "test");
  CHECK(outcome.connection_id == "connection");
  CHECK(outcome.summary == "Support is open: 12 mails");
  CHECK(outcome.checks[4].detail == "new mail is told at once (IDLE); mails can be moved and deleted after they were taken over");
  trial.on_disconnected({});
  trial.on_too_late();
  CHECK(outcome.passed);  // what comes later changes nothing
}

TEST_CASE("a folder that is not there, and a server that gives up") {
  Trial missing{test_of("Nowhere")};
  missing.on_connected({"192.0.2.1", true}, now);
  missing.on_bytes("* CAPABILITY IMAP4rev1\r\nP1 OK done\r\n", now);
  missing.on_bytes("P2 NO [NONEXISTENT] unknown\r\n", now);
  CHECK(shown(missing) == "+reach +certificate +log in -folder not_found");
  CHECK(missing.result()->summary == "the login works, but there is no folder Nowhere: the mailbox cannot be opened: unknown");
  Trial gone{test_of()};
  gone.on_connected({"192.0.2.1", false}, now);
  gone.on_disconnected({Trouble::unreachable, "it closed the connection", "192.0.2.1", true, false});
  CHECK(shown(gone) == "+reach +certificate +log in -folder unreachable");
}

TEST_CASE("every trouble fails the check that it belongs to") {
  struct Row {
    imap_link::Ending ending;
    const char* shown;
  };
  const Row rows[] = {{{Trouble::refused_account, "", "", false, false}, "-reach invalid_data"},
                      {{Trouble::unreachable, "", "", false, false}, "-reach unreachable"},
                      {{Trouble::blocked_address, "", "", false, false}, "-reach blocked_address"},
                      {{Trouble::timeout, "", "", false, false}, "-reach timeout"},
                      {{Trouble::protocol, "", "192.0.2.1", true, false}, "-reach protocol"},
                      {{Trouble::certificate, "", "192.0.2.1", true, false}, "+reach -certificate certificate"},
                      {{Trouble::no_encryption, "", "192.0.2.1", true, false}, "+reach -certificate certificate"},
                      {{Trouble::credentials, "", "192.0.2.1", true, true}, "+reach +certificate -log in credentials"},
                      {{Trouble::server, "", "192.0.2.1", true, true}, "+reach +certificate -log in server_error"},
                      {{Trouble::timeout, "", "192.0.2.1", true, true}, "+reach +certificate -log in timeout"}};
  for (const auto& row : rows) {
    Trial trial{test_of()};
    trial.on_disconnected(row.ending);
    CHECK(shown(trial) == row.shown);
    CHECK_FALSE(trial.result()->passed);
  }
}

TEST_CASE("a person does not wait for ever, and a secret that does not open is told") {
  Trial late{test_of()};
  late.on_too_late();
  CHECK(shown(late) == "-reach timeout");
  Trial later{test_of()};
  later.on_connected({"192.0.2.1", true}, now);
  later.on_too_late();
  CHECK(shown(later) == "+reach +certificate +log in -folder timeout");
  Trial sealed{test_of()};
  sealed.on_no_secret();
  CHECK(shown(sealed) == "-secret credentials");
}

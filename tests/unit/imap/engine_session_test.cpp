#include <doctest/doctest.h>

#include "tests/unit/imap/dialogue.hpp"

using namespace postroom::imap;

namespace {
Task once() {
  Task task;
  task.is_watching = false;
  task.capabilities = {"IMAP4REV1"};
  return task;
}
}  // namespace

TEST_CASE("an authenticated session asks for capabilities, opens the mailbox, finds it empty and leaves") {
  Task task;
  task.is_watching = false;
  play(R"(
    C: P1 CAPABILITY
    S: * CAPABILITY IMAP4rev1 IDLE
    S: P1 OK done
    C: P2 SELECT "INBOX"
    S: * 0 EXISTS
    S: * 0 RECENT
    S: * FLAGS (\Answered \Seen)
    S: * OK [UIDVALIDITY 7] valid
    S: * OK [UIDNEXT 1] next
    S: P2 OK [READ-WRITE] selected
    A: selected 7 next=1 exists=0
    A: caught up 7/0
    C: P3 LOGOUT
    S: * BYE see you
    S: P3 OK done
    A: done
  )",
       task);
}

TEST_CASE("a server that wants to know who we are and offers CONDSTORE gets both, and their answers do not matter") {
  Task task = once();
  task.capabilities.clear();
  play(R"(
    C: P1 CAPABILITY
    S: * CAPABILITY IMAP4rev1 ID ENABLE CONDSTORE
    S: P1 OK done
    C: P2 ID ("name" "Postroom")
    C: P3 ENABLE CONDSTORE
    S: * ID NIL
    S: P2 OK done
    S: P3 BAD not today
    C: P4 SELECT "INBOX"
    S: * 0 EXISTS
    S: * OK [UIDVALIDITY 7]
    S: * OK [HIGHESTMODSEQ 715194045007]
    S: P4 OK done
    A: selected 7 next=? exists=0 modseq=715194045007
    A: caught up 7/0
    C: P5 LOGOUT
    X:
    A: done
  )",
       task);
}

TEST_CASE("a greeting must say that we are logged in") {
  Task task = once();
  task.expects_greeting = true;
  task.capabilities.clear();
  play(R"(
    S: * PREAUTH [CAPABILITY IMAP4rev1] welcome
    C: P1 SELECT "INBOX"
    X:
    A: failed unavailable: the connection was closed while selecting
  )",
       task);
  play(R"(
    S: * OK who are you
    A: failed unauthorized: the server wants to be logged in to, and the transport has not done it
  )",
       task);
  play(R"(
    S: * BYE no
    A: failed unavailable: the server says goodbye while greeting: no
  )",
       task);
  play(R"(
    T: wake +60s
    A: failed timeout: the server did not greet in time
  )",
       task);
}

TEST_CASE("a read-only task uses EXAMINE, and a mailbox name goes out in modified UTF-7") {
  Task task = once();
  task.is_read_only = true;
  task.mailbox = "Entw\xc3\xbcrfe";
  play(R"(
    C: P1 EXAMINE "Entw&APw-rfe"
    S: * 0 EXISTS
    S: * OK [UIDVALIDITY 7]
    S: P1 OK done
    A: selected 7 next=? exists=0 read-only
    A: caught up 7/0
    C: P2 LOGOUT
    S: P2 OK
    A: done
  )",
       task);
}

TEST_CASE("a mailbox that cannot be named or opened ends the session with the reason") {
  struct Row {
    const char* answer;
    const char* failure;
  };
  for (const Row& row : {
           Row{"P1 NO [NONEXISTENT] no such mailbox", "not_found: the mailbox cannot be opened: no such mailbox"},
           Row{"P1 NO [NOPERM] not yours", "unauthorized: the mailbox cannot be opened: not yours"},
           Row{"P1 NO [UNAVAILABLE] later", "unavailable: the mailbox cannot be opened: later"},
           Row{"P1 NO [LIMIT] too many connections",
               "rate_limited: the mailbox cannot be opened: too many connections"},
           Row{"P1 BAD what", "bad_message: the mailbox cannot be opened: what"},
           Row{"P1 OK done", "bad_message: the server names no UIDVALIDITY: mails could not be told apart"},
       }) {
    play(std::string{"C: P1 SELECT \"INBOX\"\nS: "} + row.answer + "\nA: failed " + row.failure + "\n", once());
  }
  Task task = once();
  task.mailbox = "a\r\nP2 DELETE INBOX";
  play("A: failed bad_message: the mailbox name contains control bytes", task);
}

TEST_CASE("a silent server is given up after the command's time") {
  play(R"(
    C: P1 SELECT "INBOX"
    T: wake +60s
    A: failed timeout: the server did not answer in time while selecting
  )",
       once());
}

TEST_CASE("a stop while the mailbox is being opened logs out") {
  play(R"(
    C: P1 SELECT "INBOX"
    Q:
    S: * OK [UIDVALIDITY 7]
    S: P1 OK done
    A: selected 7 next=? exists=0
    C: P2 LOGOUT
    T: wake +60s
    A: done
  )",
       once());
}

TEST_CASE("answers that belong to nothing end the session") {
  play("C: P1 SELECT \"INBOX\"\nS: P9 OK done\nA: failed bad_message: the server answers a command that was not sent\n",
       once());
  play("C: P1 SELECT \"INBOX\"\nS: + go on\nA: failed bad_message: the server goes on with what was not begun\n",
       once());
  play(
      "C: P1 SELECT \"INBOX\"\nS: hello there\nA: failed bad_message: the line is no IMAP response: hello "
      "there\\r\\n\n",
      once());
}

TEST_CASE("an alert is passed on, goodbye is not argued with") {
  play(R"(
    C: P1 SELECT "INBOX"
    S: * OK [ALERT] disk full soon
    A: notice disk full soon
    S: * BYE going down
    A: failed unavailable: the server says goodbye while selecting: going down
  )",
       once());
}

#include <doctest/doctest.h>
#include <fmt/format.h>

#include "tests/unit/imap/dialogue.hpp"

using namespace postroom;
using namespace postroom::imap;

namespace {

Task watching(std::vector<std::string> capabilities = {"IMAP4REV1", "IDLE", "UIDPLUS"}) {
  Task task;
  task.capabilities = std::move(capabilities);
  task.cursor = Cursor{7, 10};
  return task;
}

std::string opened(std::string_view rest) {
  return fmt::format(
      "C: P1 SELECT \"INBOX\"\nS: * 1 EXISTS\nS: * OK [UIDVALIDITY 7]\nS: P1 OK [READ-WRITE] done\nA: selected 7 "
      "next=? exists=1\n"
      "C: P2 UID SEARCH UID 11:*\nS: * SEARCH 10\nS: P2 OK done\nA: caught up 7/10\n{}",
      rest);
}

}  // namespace

TEST_CASE("IDLE is ended when mail comes, and begun again when it is fetched") {
  play(opened(R"(
    C: P3 IDLE
    S: + idling
    S: * OK still here
    S: * 1 FETCH (FLAGS (\Seen))
    T: wake +540s
    C: DONE
    S: P3 OK done
    C: P4 UID SEARCH UID 11:*
    S: * SEARCH 10
    S: P4 OK done
    A: caught up 7/10
    C: P5 IDLE
    S: + idling
    S: * 2 EXISTS
    C: DONE
    S: * 2 RECENT
    S: P5 OK done
    T: wake +1s
    C: P6 NOOP
    S: P6 OK done
    C: P7 UID SEARCH UID 11:*
    S: * SEARCH 11
    S: P7 OK done
    C: P8 UID FETCH 11 (UID RFC822.SIZE INTERNALDATE FLAGS)
    S: * 2 FETCH (UID 11 RFC822.SIZE 1)
    S: P8 OK done
    C: P9 UID FETCH 11 (UID BODY.PEEK[])
    S: * 2 FETCH (UID 11 BODY[] {1}
    S: a)
    A: mail 11 size=1 "a"
    S: P9 OK done
    A: progress 7/11
    A: caught up 7/11
    C: P10 IDLE
    S: + idling
    Q:
    C: DONE
    S: P10 OK done
    C: P11 LOGOUT
    S: * BYE
    S: P11 OK
    A: done
  )"),
       watching());
}

TEST_CASE("mail that comes before IDLE is accepted is not missed, and DONE waits for the server's word") {
  play(opened(R"(
    C: P3 IDLE
    S: * 2 EXISTS
    S: + idling
    C: DONE
    S: P3 OK done
    T: wake +1s
    C: P4 NOOP
  )"),
       watching());
}

TEST_CASE("an expunge does not end IDLE, and the mail after it is noticed") {
  play(opened(R"(
    C: P3 IDLE
    S: + idling
    S: * 1 EXPUNGE
    S: * 0 EXISTS
    S: * 1 EXISTS
    C: DONE
  )"),
       watching());
}

TEST_CASE("a connection that died silently is found when DONE is not answered") {
  play(opened(R"(
    C: P3 IDLE
    S: + idling
    T: wake +540s
    C: DONE
    T: wake +60s
    A: failed timeout: the server did not answer in time while idling
  )"),
       watching());
  play(opened(R"(
    C: P3 IDLE
    T: wake +60s
    A: failed timeout: the server did not answer in time while idling
  )"),
       watching());
}

TEST_CASE("a server that refuses IDLE or ends it by itself is looked at now and then") {
  play(opened(R"(
    C: P3 IDLE
    S: P3 NO not for you
    T: wake +60s
    C: P4 NOOP
    S: P4 OK done
    C: P5 UID SEARCH UID 11:*
    S: * SEARCH
    S: P5 OK done
    A: caught up 7/10
    T: wake +60s
    C: P6 NOOP
  )"),
       watching());
  play(opened(R"(
    C: P3 IDLE
    S: + idling
    S: P3 OK enough
    T: wake +60s
    C: P4 NOOP
    S: P4 OK done
    C: P5 UID SEARCH UID 11:*
    S: P5 OK done
    A: caught up 7/10
    C: P6 IDLE
  )"),
       watching());
}

TEST_CASE("without IDLE the mailbox is looked at after the poll interval, or when the server tells of mail by itself") {
  play(opened(R"(
    T: wake +60s
    C: P3 NOOP
    S: * 2 EXISTS
    S: P3 OK done
    C: P4 UID SEARCH UID 11:*
    S: * SEARCH 10
    S: P4 OK done
    A: caught up 7/10
    S: * 3 EXISTS
    T: wake +1s
    C: P5 NOOP
    S: P5 NO whatever
    C: P6 UID SEARCH UID 11:*
    S: P6 OK done
    A: caught up 7/10
    Q:
    C: P7 LOGOUT
  )"),
       watching({"IMAP4REV1"}));
}

TEST_CASE("IDLE is renewed before a server may hang up, whatever the settings say") {
  Settings settings;
  settings.idle_renew = std::chrono::hours{2};
  play(opened("C: P3 IDLE\nS: + idling\nT: wake +1680s\nC: DONE\n"), watching(), settings);
}

TEST_CASE("IDLE can be switched off") {
  Settings settings;
  settings.uses_idle = false;
  settings.poll_interval = std::chrono::seconds{300};
  play(opened("T: wake +300s\nC: P3 NOOP\n"), watching(), settings);
}

TEST_CASE("chores that come while it watches are done at once") {
  play(opened(R"(
    C: P3 IDLE
    S: + idling
    H: flag 7/10 \Seen
    C: DONE
    S: P3 OK done
    C: P4 UID STORE 10 +FLAGS.SILENT (\Seen)
    S: P4 OK done
    A: flag 10 done
    C: P5 IDLE
  )"),
       watching());
  play(opened(R"(
    H: flag 7/10 \Seen
    C: P3 UID STORE 10 +FLAGS.SILENT (\Seen)
    S: P3 OK done
    A: flag 10 done
    T: wake +60s
    C: P4 NOOP
  )"),
       watching({"IMAP4REV1"}));
}

TEST_CASE("a goodbye or a closed connection while idling is a failure that says so") {
  play(opened("C: P3 IDLE\nS: + idling\nS: * BYE idle for too long\nA: failed unavailable: the server says goodbye "
              "while idling: idle for too long\n"),
       watching());
  play(opened("C: P3 IDLE\nS: + idling\nX:\nA: failed unavailable: the connection was closed while idling\n"),
       watching());
}

TEST_CASE("a server that talks without end while nothing is asked is cut off") {
  Settings settings;
  settings.chatter_limit = 300;
  play(opened(R"(
    C: P3 IDLE
    S: + idling
    S: * OK 0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789
    S: * OK 0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789
    S: * OK 0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789
    A: failed bad_message: the server talks without end and answers nothing
  )"),
       watching(), settings);
  settings = {};
  settings.malformed_limit = 1;
  play(opened(R"(
    C: P3 IDLE
    S: + idling
    S: * FLAGS x
    A: notice '(' is missing: * FLAGS x
    S: * FLAGS x
    A: failed bad_message: too many lines without sense: '(' is missing: * FLAGS x
  )"),
       watching(), settings);
}

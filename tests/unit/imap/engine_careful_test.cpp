// Breaks amid several mails, and the careful session after them: one mail at a time, each written down before it is asked for.

#include <doctest/doctest.h>
#include <fmt/format.h>

#include "tests/unit/imap/dialogue.hpp"

using namespace postroom;
using namespace postroom::imap;

namespace {

Task once() {
  Task task;
  task.is_watching = false;
  task.capabilities = {"IMAP4REV1"};
  task.cursor = Cursor{7, 10};
  return task;
}

// The opening that most of these talks share.
std::string opened(std::string_view rest, int exists = 3, int next = 100) {
  return fmt::format(
      "C: P1 SELECT \"INBOX\"\nS: * {} EXISTS\nS: * OK [UIDVALIDITY 7]\nS: * OK [UIDNEXT {}]\nS: P1 OK [READ-WRITE] "
      "done\n"
      "A: selected 7 next={} exists={}\n{}",
      exists, next, next, exists, rest);
}

}  // namespace

TEST_CASE("a conversation that breaks while several mails are asked for blames none of them, and says that it may be one") {
  const std::string start = opened(R"(
    C: P2 UID SEARCH UID 11:*
    S: * SEARCH 11 12
    S: P2 OK done
    C: P3 UID FETCH 11:12 (UID RFC822.SIZE INTERNALDATE FLAGS)
)");
  play(start + "X:\nA: failed unavailable: the connection was closed while fetching (amid mails)\n", once());
  const std::string measured = start + R"(
    S: * 1 FETCH (UID 11 RFC822.SIZE 1)
    S: * 2 FETCH (UID 12 RFC822.SIZE 1)
    S: P3 OK done
    C: P4 UID FETCH 11:12 (UID BODY.PEEK[])
)";
  play(measured + "S: * BYE FETCH failed\nA: failed unavailable: the server says goodbye while fetching: FETCH failed (amid mails)\n", once());
  play(measured + "T: wake +60s\nA: failed timeout: the server did not answer in time while fetching (amid mails)\n", once());
  play(measured + "S: P4 NO [UNAVAILABLE] storage is away\nA: failed unavailable: the server gives no mail now: storage is away\n", once());
}

TEST_CASE("careful: a mail is begun when it is written down, and when the one before it is kept") {
  Settings careful;
  careful.is_careful = true;
  careful.measure_count = careful.batch_count = 1;
  Task task = once();
  task.skip = {12};
  play(opened(R"(
    C: P2 UID SEARCH UID 11:*
    S: * SEARCH 11 12 13
    S: P2 OK done
    C: P3 UID FETCH 11 (UID RFC822.SIZE INTERNALDATE FLAGS)
    S: * 1 FETCH (UID 11 RFC822.SIZE 1)
    S: P3 OK done
    A: asking 11
    N: 13
    N: 11
    C: P4 UID FETCH 11 (UID BODY.PEEK[])
    S: * 1 FETCH (UID 11 BODY[] {1}
    S: a)
    A: mail 11 size=1 "a"
    S: P4 OK done
    A: progress 7/11
    K: 11
    A: skipped 12: the conversation broke at this mail before
    C: P5 UID FETCH 13 (UID RFC822.SIZE INTERNALDATE FLAGS)
    A: progress 7/12
    S: * 3 FETCH (UID 13 RFC822.SIZE 1)
    S: P5 OK done
    A: asking 13
    N: 13
    C: P6 UID FETCH 13 (UID BODY.PEEK[])
    X:
    A: failed unavailable: the connection was closed while fetching (at 13)
  )"),
       task, careful);
}

TEST_CASE("careful: a mail that the server refuses is held until another one comes, and is not asked to be written down again") {
  Settings careful;
  careful.is_careful = true;
  careful.measure_count = careful.batch_count = 1;
  play(opened(R"(
    C: P2 UID SEARCH UID 11:*
    S: * SEARCH 11 12
    S: P2 OK done
    C: P3 UID FETCH 11 (UID RFC822.SIZE INTERNALDATE FLAGS)
    S: * 1 FETCH (UID 11 RFC822.SIZE 1)
    S: P3 OK done
    A: asking 11
    N: 11
    C: P4 UID FETCH 11 (UID BODY.PEEK[])
    S: P4 NO broken
    C: P5 NOOP
    C: P6 UID FETCH 11 (UID RFC822.SIZE INTERNALDATE FLAGS)
    S: P5 OK done
    S: * 1 FETCH (UID 11 RFC822.SIZE 1)
    S: P6 OK done
    C: P7 UID FETCH 12 (UID RFC822.SIZE INTERNALDATE FLAGS)
    S: * 2 FETCH (UID 12 RFC822.SIZE 1)
    S: P7 OK done
    A: asking 12
    N: 12
    C: P8 UID FETCH 12 (UID BODY.PEEK[])
    S: * 2 FETCH (UID 12 BODY[] {1}
    S: b)
    A: mail 12 size=1 "b"
    A: unfetchable 11: broken
    S: P8 OK done
    A: progress 7/12
    A: caught up 7/12
    C: P9 LOGOUT
  )"),
       once(), careful);
}

TEST_CASE("careful: told to stop while it waits for the word, it leaves") {
  Settings careful;
  careful.is_careful = true;
  careful.measure_count = careful.batch_count = 1;
  play(opened(R"(
    C: P2 UID SEARCH UID 11:*
    S: * SEARCH 11
    S: P2 OK done
    C: P3 UID FETCH 11 (UID RFC822.SIZE INTERNALDATE FLAGS)
    S: * 1 FETCH (UID 11 RFC822.SIZE 1)
    S: P3 OK done
    A: asking 11
    Q:
    C: P4 LOGOUT
    N: 11
    S: P4 OK bye
    A: done
  )"),
       once(), careful);
}

TEST_CASE("careful: mails that are too old are measured one by one, without a word for each") {
  Settings careful;
  careful.is_careful = true;
  careful.measure_count = careful.batch_count = 1;
  Task task = once();
  task.cursor.reset();
  task.since = from_micros(1'795'168'800'000'000);  // 20 November 2026, 10:00
  play(opened(R"(
    C: P2 UID SEARCH UID 1:*
    S: * SEARCH 11 12
    S: P2 OK done
    C: P3 UID FETCH 11 (UID RFC822.SIZE INTERNALDATE FLAGS)
    S: * 1 FETCH (UID 11 RFC822.SIZE 1 INTERNALDATE "20-Nov-2026 09:59:59 +0000")
    S: P3 OK done
    C: P4 UID FETCH 12 (UID RFC822.SIZE INTERNALDATE FLAGS)
    A: progress 7/11 older=1
    S: * 2 FETCH (UID 12 RFC822.SIZE 1 INTERNALDATE "20-Nov-2026 10:00:00 +0000")
    S: P4 OK done
    A: asking 12
    N: 12
    C: P5 UID FETCH 12 (UID BODY.PEEK[])
    X:
    A: failed unavailable: the connection was closed while fetching (at 12)
  )"),
       task, careful);
}

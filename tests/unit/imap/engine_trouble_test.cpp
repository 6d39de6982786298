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

TEST_CASE("a mail that somebody else removes meanwhile is gone, and its neighbours come") {
  play(opened(R"(
    C: P2 UID SEARCH UID 11:*
    S: * SEARCH 11 12 13
    S: P2 OK done
    C: P3 UID FETCH 11:13 (UID RFC822.SIZE INTERNALDATE FLAGS)
    S: * 1 EXPUNGE
    S: * 1 FETCH (UID 12 RFC822.SIZE 1)
    S: * 2 FETCH (UID 13 RFC822.SIZE 1)
    S: P3 OK done
    C: P4 UID FETCH 11 (UID RFC822.SIZE INTERNALDATE FLAGS)
    C: P5 UID FETCH 12:13 (UID BODY.PEEK[])
    S: P4 OK done
    A: gone 11: the server does not know it any more
    A: progress 7/11
    S: * VANISHED 12
    S: * 2 FETCH (FLAGS (\Seen))
    S: * 1 FETCH (UID 13 BODY[] {1}
    S: c)
    A: mail 13 size=1 "c"
    S: P5 OK done
    C: P6 UID FETCH 12 (UID RFC822.SIZE INTERNALDATE FLAGS)
    S: P6 OK done
    C: P7 UID FETCH 12 (UID RFC822.SIZE INTERNALDATE FLAGS)
    S: P7 OK done
    A: gone 12: the server does not know it any more
    A: progress 7/13
    A: caught up 7/13
    C: P8 LOGOUT
  )"),
       once());
}

TEST_CASE("a mail that the server refuses is tried alone and then reported by itself") {
  play(opened(R"(
    C: P2 UID SEARCH UID 11:*
    S: * SEARCH 11 12 13
    S: P2 OK done
    C: P3 UID FETCH 11:13 (UID RFC822.SIZE INTERNALDATE FLAGS)
    S: * 1 FETCH (UID 11 RFC822.SIZE 1)
    S: * 2 FETCH (UID 12 RFC822.SIZE 1)
    S: * 3 FETCH (UID 13 RFC822.SIZE 1)
    S: P3 OK done
    C: P4 UID FETCH 11:13 (UID BODY.PEEK[])
    S: * 1 FETCH (UID 11 BODY[] {1}
    S: a)
    A: mail 11 size=1 "a"
    S: P4 NO [SERVERBUG] something is broken
    C: P5 UID FETCH 12 (UID BODY.PEEK[])
    C: P6 UID FETCH 13 (UID BODY.PEEK[])
    A: progress 7/11
    S: P5 NO [SERVERBUG] something is broken
    C: P7 NOOP
    C: P8 UID FETCH 12 (UID RFC822.SIZE INTERNALDATE FLAGS)
    S: * 3 FETCH (UID 13 BODY[] {1}
    S: c)
    A: mail 13 size=1 "c"
    S: P6 OK done
    S: P7 OK done
    S: * 2 FETCH (UID 12 RFC822.SIZE 1)
    S: P8 OK done
    A: unfetchable 12: something is broken
    A: progress 7/13
    A: caught up 7/13
    C: P9 LOGOUT
  )"),
       once());
}

TEST_CASE("a lone mail that is refused with a NO that may pass ends the session and is named, not given up") {
  const auto refused_with = [](std::string_view answer, std::string_view end) {
    return opened(R"(
    C: P2 UID SEARCH UID 11:*
    S: * SEARCH 11
    S: P2 OK done
    C: P3 UID FETCH 11 (UID RFC822.SIZE INTERNALDATE FLAGS)
    S: * 1 FETCH (UID 11 RFC822.SIZE 1)
    S: P3 OK done
    C: P4 UID FETCH 11 (UID BODY.PEEK[])
    S: P4 )" + std::string{answer} +
                  R"(
    C: P5 NOOP
    C: P6 UID FETCH 11 (UID RFC822.SIZE INTERNALDATE FLAGS)
    S: P5 OK done
    S: * 1 FETCH (UID 11 RFC822.SIZE 1)
    S: P6 OK done
)" + std::string{end});
  };
  for (const std::string_view code : {"", "[SERVERBUG] "}) {
    play(refused_with(fmt::format("NO {}storage is away", code),
                      "    A: failed unavailable: the server refuses the mail: storage is away (at 11)\n"),
         once());
  }
  for (const std::string_view answer : {"NO [CORRUPTION] broken", "BAD broken"}) {
    play(refused_with(answer,
                      "    A: unfetchable 11: broken\n    A: progress 7/11\n    A: caught up 7/11\n    C: P7 LOGOUT\n"),
         once());
  }
}

TEST_CASE("a removed mail that the server still shows, without a body, is gone after NOOP") {
  play(opened(R"(
    C: P2 UID SEARCH UID 11:*
    S: * SEARCH 11
    S: P2 OK done
    C: P3 UID FETCH 11 (UID RFC822.SIZE INTERNALDATE FLAGS)
    S: * 1 FETCH (UID 11 RFC822.SIZE 1)
    S: P3 OK done
    C: P4 UID FETCH 11 (UID BODY.PEEK[])
    S: * 1 FETCH (UID 11 BODY[] NIL)
    S: P4 OK done
    C: P5 NOOP
    C: P6 UID FETCH 11 (UID RFC822.SIZE INTERNALDATE FLAGS)
    S: * 1 EXPUNGE
    S: P5 OK done
    S: P6 OK done
    C: P7 NOOP
    C: P8 UID FETCH 11 (UID RFC822.SIZE INTERNALDATE FLAGS)
    S: P7 OK done
    S: P8 OK done
    A: gone 11: the server does not know it any more
    A: progress 7/11
    A: caught up 7/11
    C: P9 LOGOUT
  )"),
       once());
}

TEST_CASE("a server that refuses every mail is ill: no mail is given up for it") {
  Settings settings;
  settings.refusal_limit = 2;
  settings.batch_count = 1;
  play(opened(R"(
    C: P2 UID SEARCH UID 11:*
    S: * SEARCH 11 12 13
    S: P2 OK done
    C: P3 UID FETCH 11:13 (UID RFC822.SIZE INTERNALDATE FLAGS)
    S: * 1 FETCH (UID 11 RFC822.SIZE 1)
    S: * 2 FETCH (UID 12 RFC822.SIZE 1)
    S: * 3 FETCH (UID 13 RFC822.SIZE 1)
    S: P3 OK done
    C: P4 UID FETCH 11 (UID BODY.PEEK[])
    C: P5 UID FETCH 12 (UID BODY.PEEK[])
    S: P4 NO storage is away
    C: P6 NOOP
    C: P7 UID FETCH 11 (UID RFC822.SIZE INTERNALDATE FLAGS)
    C: P8 UID FETCH 13 (UID BODY.PEEK[])
    S: P5 NO storage is away
    S: P6 OK done
    S: * 1 FETCH (UID 11 RFC822.SIZE 1)
    S: P7 OK done
    C: P9 NOOP
    C: P10 UID FETCH 12 (UID RFC822.SIZE INTERNALDATE FLAGS)
    S: * 2 FETCH (UID 12 RFC822.SIZE 1)
    A: failed unavailable: the server refuses one mail after the other: storage is away (at 13)
  )"),
       once(), settings);
}

TEST_CASE("a server that says that it is unwell is believed at once") {
  play(opened(R"(
    C: P2 UID SEARCH UID 11:*
    S: * SEARCH 11 12
    S: P2 OK done
    C: P3 UID FETCH 11:12 (UID RFC822.SIZE INTERNALDATE FLAGS)
    S: P3 NO [UNAVAILABLE] storage is away
    A: failed unavailable: the server gives no mail now: storage is away
  )"),
       once());
}

TEST_CASE("a mail that broke the conversation before is not asked for again") {
  Task task = once();
  task.skip = {12, 13};
  play(opened(R"(
    C: P2 UID SEARCH UID 11:*
    S: * SEARCH 11 12 13
    S: P2 OK done
    A: skipped 12: the conversation broke at this mail before
    A: skipped 13: the conversation broke at this mail before
    C: P3 UID FETCH 11 (UID RFC822.SIZE INTERNALDATE FLAGS)
    S: * 1 FETCH (UID 11 RFC822.SIZE 1)
    S: P3 OK done
    C: P4 UID FETCH 11 (UID BODY.PEEK[])
    S: * 1 FETCH (UID 11 BODY[] {1}
    S: a)
    A: mail 11 size=1 "a"
    S: P4 OK done
    A: progress 7/13
    A: caught up 7/13
    C: P5 LOGOUT
  )"),
       task);
}

TEST_CASE("a conversation that breaks inside a mail names the mail, and what came before it counts") {
  const std::string start = opened(R"(
    C: P2 UID SEARCH UID 11:*
    S: * SEARCH 11 12
    S: P2 OK done
    C: P3 UID FETCH 11:12 (UID RFC822.SIZE INTERNALDATE FLAGS)
    S: * 1 FETCH (UID 11 RFC822.SIZE 1)
    S: * 2 FETCH (UID 12 RFC822.SIZE 9)
    S: P3 OK done
    C: P4 UID FETCH 11:12 (UID BODY.PEEK[])
    S: * 1 FETCH (UID 11 BODY[] {1}
    S: a)
    A: mail 11 size=1 "a"
    S: * 2 FETCH (UID 12 BODY[] {9}
  )");
  play(start + "S: abc\nX:\nA: dropped\nA: progress 7/11\nA: failed unavailable: the connection was closed while fetching (at 12)\n",
       once());
  play(
      start + "T: wake +60s\nA: dropped\nA: progress 7/11\nA: failed timeout: the server did not answer in time while fetching (at 12)\n",
      once());
  play(start +
           "S: 123456789 {\nA: dropped\nA: progress 7/11\nA: failed bad_message: a word is missing: * 2 FETCH (UID 12 BODY[] {9}\\r\\n "
           "{\\r\\n (at 12)\n",
       once());
}

TEST_CASE("bodies that nobody asked for are thrown away") {
  play(opened(R"(
    C: P2 UID SEARCH UID 11:*
    S: * SEARCH 11
    S: P2 OK done
    C: P3 UID FETCH 11 (UID RFC822.SIZE INTERNALDATE FLAGS)
    S: * 1 FETCH (UID 11 BODY[] {1}
    S: x)
    S: * 1 FETCH (UID 11 RFC822.SIZE 1)
    S: P3 OK done
    C: P4 UID FETCH 11 (UID BODY.PEEK[])
    S: * 9 FETCH (UID 99 BODY[] {1}
    S: x)
    S: * 9 FETCH (BODY[] {1}
    S: x UID 99)
    A: dropped
    S: * 9 FETCH (BODY[] {1}
    S: x)
    A: dropped
    S: * 1 FETCH (UID 11 BODY[HEADER] {1}
    S: x)
    S: * 1 FETCH (UID 11 BODY[] {1}
    S: a BODY[1] {1}
    S: x)
    A: mail 11 size=1 "a"
    S: * 1 FETCH (UID 11 BODY[] {1}
    S: x)
    S: P4 OK done
    A: progress 7/11
    A: caught up 7/11
    C: P5 LOGOUT
  )"),
       once());
}

TEST_CASE("bodies get the time that their bytes take, however steadily they drip") {
  Settings settings;
  settings.least_rate = 10;
  play(opened(R"(
    C: P2 UID SEARCH UID 11:*
    S: * SEARCH 11
    S: P2 OK done
    C: P3 UID FETCH 11 (UID RFC822.SIZE INTERNALDATE FLAGS)
    S: * 1 FETCH (UID 11 RFC822.SIZE 1000)
    S: P3 OK done
    C: P4 UID FETCH 11 (UID BODY.PEEK[])
    S: * 1 FETCH (UID 11 BODY[] {1000}
    S: drip
    S: drip
    T: wake +160s
    A: dropped
    A: failed timeout: the server did not answer in time while fetching (at 11)
  )"),
       once(), settings);
}

TEST_CASE(
    "a mail without a body, one with a senseless answer and one that is left out are each reported by themselves") {
  play(opened(R"(
    C: P2 UID SEARCH UID 11:*
    S: * SEARCH 11 12 13
    S: P2 OK done
    C: P3 UID FETCH 11:13 (UID RFC822.SIZE INTERNALDATE FLAGS)
    S: * 1 FETCH (UID 11 RFC822.SIZE 1)
    S: * 2 FETCH (UID 12 RFC822.SIZE minus)
    A: notice a number is missing or out of range: * 2 FETCH (UID 12 RFC822.SIZE minus)
    S: * 3 FETCH (UID 13 RFC822.SIZE 1)
    S: P3 OK done
    C: P4 UID FETCH 12 (UID RFC822.SIZE INTERNALDATE FLAGS)
    C: P5 UID FETCH 11,13 (UID BODY.PEEK[])
    S: * 2 FETCH (UID 12 RFC822.SIZE minus)
    A: notice a number is missing or out of range: * 2 FETCH (UID 12 RFC822.SIZE minus)
    S: P4 OK done
    S: * 1 FETCH (UID 11 BODY[] NIL)
    S: P5 OK done
    C: P6 UID FETCH 13 (UID RFC822.SIZE INTERNALDATE FLAGS)
    C: P7 UID FETCH 11 (UID BODY.PEEK[])
    S: * 3 FETCH (UID 13 RFC822.SIZE 1)
    S: P6 OK done
    C: P8 UID FETCH 13 (UID BODY.PEEK[])
    S: * 1 FETCH (UID 11 BODY[] NIL)
    S: P7 OK done
    C: P9 NOOP
    C: P10 UID FETCH 11 (UID RFC822.SIZE INTERNALDATE FLAGS)
    S: P8 OK done
    S: P9 OK done
    S: * 1 FETCH (UID 11 RFC822.SIZE 1)
    S: P10 OK done
    C: P11 NOOP
    C: P12 UID FETCH 13 (UID RFC822.SIZE INTERNALDATE FLAGS)
    S: P11 OK done
    S: * 3 FETCH (UID 13 RFC822.SIZE 1)
    S: P12 OK done
    A: unfetchable 11: the server has no body for it
    A: unfetchable 12: a number is missing or out of range: * 2 FETCH (UID 12 RFC822.SIZE minus)
    A: unfetchable 13: the server answers without it
    A: progress 7/13
    A: caught up 7/13
    C: P13 LOGOUT
  )"),
       once());
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
    A: asking 11
    N: 13
    N: 11
    C: P3 UID FETCH 11 (UID RFC822.SIZE INTERNALDATE FLAGS)
    S: * 1 FETCH (UID 11 RFC822.SIZE 1)
    S: P3 OK done
    C: P4 UID FETCH 11 (UID BODY.PEEK[])
    S: * 1 FETCH (UID 11 BODY[] {1}
    S: a)
    A: mail 11 size=1 "a"
    S: P4 OK done
    A: progress 7/11
    K: 11
    A: skipped 12: the conversation broke at this mail before
    A: asking 13
    A: progress 7/12
    N: 13
    C: P5 UID FETCH 13 (UID RFC822.SIZE INTERNALDATE FLAGS)
    S: * 3 FETCH (UID 13 RFC822.SIZE 1)
    S: P5 OK done
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
    A: asking 11
    N: 11
    C: P3 UID FETCH 11 (UID RFC822.SIZE INTERNALDATE FLAGS)
    S: * 1 FETCH (UID 11 RFC822.SIZE 1)
    S: P3 OK done
    C: P4 UID FETCH 11 (UID BODY.PEEK[])
    S: P4 NO broken
    C: P5 NOOP
    C: P6 UID FETCH 11 (UID RFC822.SIZE INTERNALDATE FLAGS)
    S: P5 OK done
    S: * 1 FETCH (UID 11 RFC822.SIZE 1)
    S: P6 OK done
    A: asking 12
    N: 12
    C: P7 UID FETCH 12 (UID RFC822.SIZE INTERNALDATE FLAGS)
    S: * 2 FETCH (UID 12 RFC822.SIZE 1)
    S: P7 OK done
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
    A: asking 11
    Q:
    C: P3 LOGOUT
    N: 11
    S: P3 OK bye
    A: done
  )"),
       once(), careful);
}

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

TEST_CASE("what is new after the cursor is measured, fetched and reported, and the cursor follows") {
  play(opened(R"(
    C: P2 UID SEARCH UID 11:*
    S: * SEARCH 12 11 20
    S: P2 OK done
    C: P3 UID FETCH 11:12,20 (UID RFC822.SIZE INTERNALDATE FLAGS)
    S: * 1 FETCH (UID 11 RFC822.SIZE 5 INTERNALDATE "17-Jul-2026 02:44:25 +0000" FLAGS (\Seen))
    S: * 2 FETCH (RFC822.SIZE 6 UID 12 FLAGS ())
    S: * 3 FETCH (UID 20 RFC822.SIZE 0)
    S: P3 OK done
    C: P4 UID FETCH 11:12,20 (UID BODY.PEEK[])
    S: * 1 FETCH (UID 11 BODY[] {5}
    S: hello)
    A: mail 11 size=5 at=2026-07-17T02:44:25 flags=\Seen "hello"
    S: * 2 FETCH (BODY[] {7}
    S: w
    S: orld UID 12)
    A: mail 12 size=6 "w\r\norld"
    S: * 3 FETCH (UID 20 BODY[] "")
    A: mail 20 size=0 ""
    S: P4 OK done
    A: progress 7/20
    A: caught up 7/20
    C: P5 LOGOUT
    S: P5 OK
    A: done
  )"),
       once());
}

TEST_CASE("the last mail that n:* always names is not new when it is below n") {
  play(opened(R"(
    C: P2 UID SEARCH UID 11:*
    S: * SEARCH 10
    S: P2 OK done
    A: caught up 7/10
    C: P3 LOGOUT
  )"),
       once());
}

TEST_CASE("a server that cannot search is asked for its UIDs by FETCH") {
  play(opened(R"(
    C: P2 UID SEARCH UID 11:*
    S: P2 BAD unknown
    C: P3 UID FETCH 11:* (UID)
    S: * 3 FETCH (UID 10)
    S: P3 NO neither
    A: failed unavailable: the server does not list its mails: neither
  )"),
       once());
  Task task = once();
  task.capabilities = {"IMAP4REV2"};
  play(opened(R"(
    C: P2 UID FETCH 11:* (UID)
    S: * 3 FETCH (UID 12)
    S: P2 OK done
    C: P3 UID FETCH 12 (UID RFC822.SIZE INTERNALDATE FLAGS)
  )"),
       task);
}

TEST_CASE("batches are pipelined: the next sizes are asked for while bodies are under way") {
  Settings settings;
  settings.measure_count = 2;
  settings.batch_count = 1;
  play(opened(R"(
    C: P2 UID SEARCH UID 11:*
    S: * SEARCH 11 12 13
    S: P2 OK done
    C: P3 UID FETCH 11:12 (UID RFC822.SIZE INTERNALDATE FLAGS)
    S: * 1 FETCH (UID 11 RFC822.SIZE 1)
    S: * 2 FETCH (UID 12 RFC822.SIZE 1)
    S: P3 OK done
    C: P4 UID FETCH 11 (UID BODY.PEEK[])
    C: P5 UID FETCH 12 (UID BODY.PEEK[])
    S: * 1 FETCH (UID 11 BODY[] {1}
    S: a)
    A: mail 11 size=1 "a"
    S: P4 OK done
    C: P6 UID FETCH 13 (UID RFC822.SIZE INTERNALDATE FLAGS)
    A: progress 7/11
    S: * 2 FETCH (UID 12 BODY[] {1}
    S: b)
    A: mail 12 size=1 "b"
    S: P5 OK done
    A: progress 7/12
    S: * 3 FETCH (UID 13 RFC822.SIZE 1)
    S: P6 OK done
    C: P7 UID FETCH 13 (UID BODY.PEEK[])
  )"),
       once(), settings);
}

TEST_CASE("no more is asked for than the caller keeps up with") {
  Settings settings;
  settings.batch_count = 2;
  settings.window_count = 2;
  play(opened(R"(
    C: P2 UID SEARCH UID 11:*
    S: * SEARCH 11 12 13
    S: P2 OK done
    C: P3 UID FETCH 11:13 (UID RFC822.SIZE INTERNALDATE FLAGS)
    S: * 1 FETCH (UID 11 RFC822.SIZE 1)
    S: * 2 FETCH (UID 12 RFC822.SIZE 1)
    S: * 3 FETCH (UID 13 RFC822.SIZE 1)
    S: P3 OK done
    C: P4 UID FETCH 11:12 (UID BODY.PEEK[])
    S: * 1 FETCH (UID 11 BODY[] {1}
    S: a)
    A: mail 11 size=1 "a"
    S: * 2 FETCH (UID 12 BODY[] {1}
    S: b)
    A: mail 12 size=1 "b"
    S: P4 OK done
    A: progress 7/12
    K: 11
    C: P5 UID FETCH 13 (UID BODY.PEEK[])
  )"),
       once(), settings);
}

TEST_CASE("a batch holds no more bytes than its limit, and one mail above it comes alone") {
  Settings settings;
  settings.batch_bytes = 10;
  play(opened(R"(
    C: P2 UID SEARCH UID 11:*
    S: * SEARCH 11 12 13
    S: P2 OK done
    C: P3 UID FETCH 11:13 (UID RFC822.SIZE INTERNALDATE FLAGS)
    S: * 1 FETCH (UID 11 RFC822.SIZE 20)
    S: * 2 FETCH (UID 12 RFC822.SIZE 4)
    S: * 3 FETCH (UID 13 RFC822.SIZE 6)
    S: P3 OK done
    C: P4 UID FETCH 11 (UID BODY.PEEK[])
    C: P5 UID FETCH 12:13 (UID BODY.PEEK[])
  )"),
       once(), settings);
}

TEST_CASE("of a mail above the size limit only the header is fetched, also when its stated size was wrong") {
  Settings settings;
  settings.size_limit = 10;
  settings.header_limit = 100;
  play(opened(R"(
    C: P2 UID SEARCH UID 11:*
    S: * SEARCH 11 12
    S: P2 OK done
    C: P3 UID FETCH 11:12 (UID RFC822.SIZE INTERNALDATE FLAGS)
    S: * 1 FETCH (UID 11 RFC822.SIZE 11)
    S: * 2 FETCH (UID 12 RFC822.SIZE 9)
    S: P3 OK done
    C: P4 UID FETCH 11 (UID BODY.PEEK[HEADER]<0.100>)
    C: P5 UID FETCH 12 (UID BODY.PEEK[])
    S: * 1 FETCH (UID 11 BODY[HEADER]<0> {6}
    S: To: me)
    A: header 11 size=11 "To: me"
    S: P4 OK done
    A: progress 7/11
    S: * 2 FETCH (UID 12 BODY[] {12}
    S: 012345678901)
    S: P5 OK done
    C: P6 UID FETCH 12 (UID BODY.PEEK[HEADER]<0.100>)
    S: * 2 FETCH (UID 12 BODY[HEADER]<0> "To: you")
    A: header 12 size=12 "To: you"
    S: P6 OK done
    A: progress 7/12
    A: caught up 7/12
    C: P7 LOGOUT
  )"),
       once(), settings);
}

TEST_CASE("a stop lets what is under way come in and leaves the rest for the next time") {
  Settings settings;
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
    Q:
    S: * 1 FETCH (UID 11 BODY[] {1}
    S: a)
    A: mail 11 size=1 "a"
    S: P4 OK done
    A: progress 7/11
    S: * 2 FETCH (UID 12 BODY[] {1}
    S: b)
    A: mail 12 size=1 "b"
    S: P5 OK done
    A: progress 7/12
    C: P6 LOGOUT
  )"),
       once(), settings);
}

TEST_CASE("what arrives while mails are fetched is listed before the session says that it caught up") {
  play(opened(R"(
    C: P2 UID SEARCH UID 11:*
    S: * SEARCH 11
    S: P2 OK done
    C: P3 UID FETCH 11 (UID RFC822.SIZE INTERNALDATE FLAGS)
    S: * 4 EXISTS
    S: * 1 FETCH (UID 11 RFC822.SIZE 1)
    S: P3 OK done
    C: P4 UID FETCH 11 (UID BODY.PEEK[])
    S: * 1 FETCH (UID 11 BODY[] {1}
    S: a)
    A: mail 11 size=1 "a"
    S: P4 OK done
    A: progress 7/11
    C: P5 UID SEARCH UID 12:*
    S: * SEARCH 12
    S: P5 OK done
    C: P6 UID FETCH 12 (UID RFC822.SIZE INTERNALDATE FLAGS)
  )"),
       once());
}

TEST_CASE("more mails than one listing may hold come in several rounds, lowest first") {
  Settings settings;
  settings.listing_limit = 1;
  play(opened(R"(
    C: P2 UID SEARCH UID 11:*
    S: * SEARCH 15 14 13 12 11
    S: P2 OK done
    C: P3 UID FETCH 11 (UID RFC822.SIZE INTERNALDATE FLAGS)
    S: * 1 FETCH (UID 11 RFC822.SIZE 1)
    S: P3 OK done
    C: P4 UID FETCH 11 (UID BODY.PEEK[])
    S: * 1 FETCH (UID 11 BODY[] {1}
    S: a)
    A: mail 11 size=1 "a"
    S: P4 OK done
    A: progress 7/11
    C: P5 UID SEARCH UID 12:*
  )"),
       once(), settings);
}

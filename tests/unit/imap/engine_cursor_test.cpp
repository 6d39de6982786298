#include <doctest/doctest.h>

#include "tests/unit/imap/dialogue.hpp"

using namespace postroom;
using namespace postroom::imap;

namespace {
Task once() {
  Task task;
  task.is_watching = false;
  task.capabilities = {"IMAP4REV1"};
  return task;
}
}  // namespace

TEST_CASE("the first contact takes everything") {
  play(R"(
    C: P1 SELECT "INBOX"
    S: * 1 EXISTS
    S: * OK [UIDVALIDITY 7]
    S: P1 OK done
    A: selected 7 next=? exists=1
    C: P2 UID SEARCH UID 1:*
    S: * SEARCH 4
    S: P2 OK done
    C: P3 UID FETCH 4 (UID RFC822.SIZE INTERNALDATE FLAGS)
  )",
       once());
}

TEST_CASE("the first contact leaves old mails alone when it is told to, and the cursor passes them") {
  Task task = once();
  task.since = *from_rfc3339("2026-07-17T00:00:00.000000Z");
  play(R"(
    C: P1 SELECT "INBOX"
    S: * 3 EXISTS
    S: * OK [UIDVALIDITY 7]
    S: P1 OK done
    A: selected 7 next=? exists=3
    C: P2 UID SEARCH UID 1:*
    S: * SEARCH 1 2 3
    S: P2 OK done
    C: P3 UID FETCH 1:3 (UID RFC822.SIZE INTERNALDATE FLAGS)
    S: * 1 FETCH (UID 1 RFC822.SIZE 1 INTERNALDATE "16-Jul-2026 23:59:59 +0000")
    S: * 2 FETCH (UID 2 RFC822.SIZE 1 INTERNALDATE "16-Jul-2026 23:59:59 -0100")
    S: * 3 FETCH (UID 3 RFC822.SIZE 1 INTERNALDATE "16-Jul-2026 10:00:00 +0000")
    S: P3 OK done
    C: P4 UID FETCH 2 (UID BODY.PEEK[])
    A: progress 7/1 older=2
    S: * 2 FETCH (UID 2 BODY[] {1}
    S: b)
    A: mail 2 size=1 at=2026-07-17T00:59:59 "b"
    S: P4 OK done
    A: progress 7/3
    A: caught up 7/3
    C: P5 LOGOUT
  )",
       task);
}

TEST_CASE("with a good cursor the date of a mail does not matter") {
  Task task = once();
  task.since = *from_rfc3339("2026-07-17T00:00:00.000000Z");
  task.cursor = Cursor{7, 3};
  play(R"(
    C: P1 SELECT "INBOX"
    S: * 4 EXISTS
    S: * OK [UIDVALIDITY 7]
    S: * OK [UIDNEXT 5]
    S: P1 OK done
    A: selected 7 next=5 exists=4
    C: P2 UID SEARCH UID 4:*
    S: * SEARCH 4
    S: P2 OK done
    C: P3 UID FETCH 4 (UID RFC822.SIZE INTERNALDATE FLAGS)
    S: * 4 FETCH (UID 4 RFC822.SIZE 1 INTERNALDATE "16-Jul-2001 10:00:00 +0000")
    S: P3 OK done
    C: P4 UID FETCH 4 (UID BODY.PEEK[])
  )",
       task);
}

TEST_CASE("another UIDVALIDITY is reported and everything is listed again") {
  Task task = once();
  task.cursor = Cursor{6, 50};
  play(R"(
    C: P1 SELECT "INBOX"
    S: * 1 EXISTS
    S: * OK [UIDVALIDITY 7]
    S: * OK [UIDNEXT 2]
    S: P1 OK done
    A: selected 7 next=2 exists=1
    A: validity 6 -> 7
    C: P2 UID SEARCH UID 1:*
    S: * SEARCH 1
    S: P2 OK done
    C: P3 UID FETCH 1 (UID RFC822.SIZE INTERNALDATE FLAGS)
    S: * 1 FETCH (UID 1 RFC822.SIZE 1)
    S: P3 OK done
    C: P4 UID FETCH 1 (UID BODY.PEEK[])
    S: * 1 FETCH (UID 1 BODY[] {1}
    S: a)
    A: mail 1 size=1 "a"
    S: P4 OK done
    A: progress 7/1
    A: caught up 7/1
    C: P5 LOGOUT
  )",
       task);
}

TEST_CASE("a UIDVALIDITY that changes during the session ends it") {
  play(R"(
    C: P1 SELECT "INBOX"
    S: * 1 EXISTS
    S: * OK [UIDVALIDITY 7]
    S: P1 OK done
    A: selected 7 next=? exists=1
    C: P2 UID SEARCH UID 1:*
    S: * OK [UIDVALIDITY 7] still
    S: * OK [UIDVALIDITY 8] changed
    A: failed unavailable: the mailbox changed its UIDVALIDITY during the session: connect again
  )",
       once());
}

TEST_CASE("UIDs that fell under the same UIDVALIDITY are found out, and everything is listed again") {
  Task task = once();
  task.cursor = Cursor{7, 50};
  play(R"(
    C: P1 SELECT "INBOX"
    S: * 1 EXISTS
    S: * OK [UIDVALIDITY 7]
    S: * OK [UIDNEXT 21]
    S: P1 OK done
    A: selected 7 next=21 exists=1
    C: P2 UID SEARCH UID 51:*
    S: * SEARCH 20
    S: P2 OK done
    A: reset UIDNEXT is 21 although UID 50 was seen
    C: P3 UID SEARCH UID 1:*
    S: * SEARCH 20
    S: P3 OK done
    C: P4 UID FETCH 20 (UID RFC822.SIZE INTERNALDATE FLAGS)
  )",
       task);
  play(R"(
    C: P1 SELECT "INBOX"
    S: * 0 EXISTS
    S: * OK [UIDVALIDITY 7]
    S: * OK [UIDNEXT 1]
    S: P1 OK done
    A: selected 7 next=1 exists=0
    A: reset UIDNEXT is 1 although UID 50 was seen
    A: caught up 7/0
    C: P2 LOGOUT
  )",
       task);
}

TEST_CASE("a UIDNEXT that means nothing is not believed") {
  Task task = once();
  task.cursor = Cursor{7, 50};
  play(R"(
    C: P1 SELECT "INBOX"
    S: * 3 EXISTS
    S: * OK [UIDVALIDITY 7]
    S: * OK [UIDNEXT 1]
    S: P1 OK done
    A: selected 7 next=1 exists=3
    C: P2 UID SEARCH UID 51:*
    S: * SEARCH 50
    S: P2 OK done
    A: caught up 7/50
    C: P3 LOGOUT
  )",
       task);
}

TEST_CASE("a server that names old mails too, and many, does not hide the new ones") {
  Task task = once();
  task.cursor = Cursor{7, 8};
  Settings settings;
  settings.listing_limit = 1;
  play(R"(
    C: P1 SELECT "INBOX"
    S: * 9 EXISTS
    S: * OK [UIDVALIDITY 7]
    S: P1 OK done
    A: selected 7 next=? exists=9
    C: P2 UID SEARCH UID 9:*
    S: * SEARCH 1 2 3 4 5 6 7 8 9
    S: P2 OK done
    C: P3 UID FETCH 9 (UID RFC822.SIZE INTERNALDATE FLAGS)
  )",
       task, settings);
}

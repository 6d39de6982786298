#include <doctest/doctest.h>
#include <fmt/format.h>

#include <vector>

#include "tests/unit/imap/dialogue.hpp"

using namespace postroom::imap;

namespace {

Task with(std::vector<std::string> capabilities, std::vector<std::string_view> chores) {
  Task task;
  task.is_watching = false;
  task.capabilities = std::move(capabilities);
  task.capabilities.emplace_back("IMAP4REV1");
  task.cursor = Cursor{7, 50};
  for (const std::string_view text : chores) task.chores.push_back(chore(text));
  return task;
}

std::string opened(std::string_view rest, std::string_view code = "READ-WRITE") {
  return fmt::format(
      "C: P1 SELECT \"INBOX\"\nS: * 0 EXISTS\nS: * OK [UIDVALIDITY 7]\nS: P1 OK [{}] done\nA: selected 7 next=? "
      "exists=0{}\n{}",
      code, code == "READ-ONLY" ? " read-only" : "", rest);
}

}  // namespace

TEST_CASE("chores of one kind go in one command, before anything is listed") {
  play(opened(R"(
    C: P2 UID STORE 11:12,20 +FLAGS.SILENT (\Seen)
    S: P2 OK done
    A: flag 12 done
    A: flag 11 done
    A: flag 20 done
    C: P3 UID MOVE 11 "Archive/a&APw-"
    S: * OK [COPYUID 9 11 1] moved
    S: * 1 EXPUNGE
    S: P3 OK done
    A: move 11 done
    A: caught up 7/50
    C: P4 LOGOUT
  )"),
       with({"MOVE"}, {"flag 7/12 \\Seen", "flag 7/11 \\Seen", "flag 7/20 \\Seen", "move 7/11 Archive/a\xc3\xbc"}));
}

TEST_CASE("without MOVE a mail is copied, marked and expunged by its UID") {
  play(opened(R"(
    C: P2 UID COPY 11:12 "Archive"
    S: P2 OK [COPYUID 9 11:12 1:2] done
    C: P3 UID STORE 11:12 +FLAGS.SILENT (\Deleted)
    S: P3 OK done
    C: P4 UID EXPUNGE 11:12
    S: * 1 EXPUNGE
    S: * 1 EXPUNGE
    S: P4 OK done
    A: move 11 done
    A: move 12 done
    C: P5 UID STORE 13 +FLAGS.SILENT (\Deleted)
    S: P5 OK done
    C: P6 UID EXPUNGE 13
    S: P6 OK done
    A: erase 13 done
    A: caught up 7/50
    C: P7 LOGOUT
  )"),
       with({"UIDPLUS"}, {"move 7/11 Archive", "move 7/12 Archive", "erase 7/13"}));
}

TEST_CASE("what could touch another mail is refused") {
  play(opened(R"(
    A: flag 11 refused: the mailbox has another UIDVALIDITY: the UID may mean another mail
    A: move 12 refused: the server has neither MOVE nor UIDPLUS: other mails could be removed with it
    A: erase 13 refused: the server has no UIDPLUS: other mails could be removed with it
    A: flag 14 refused: this is neither \Name nor a keyword
    C: P2 UID STORE 15 +FLAGS.SILENT ($Postroom)
    S: P2 OK done
    A: flag 15 done
    A: caught up 7/50
    C: P3 LOGOUT
  )"),
       with({}, {"flag 6/11 \\Seen", "move 7/12 Archive", "erase 7/13", "flag 7/14 (", "flag 7/15 $Postroom"}));
  play(opened(R"(
    A: flag 11 refused: the mailbox is read-only
    A: caught up 7/50
    C: P2 LOGOUT
  )",
              "READ-ONLY"),
       with({}, {"flag 7/11 \\Seen"}));
  Task task = with({"MOVE"}, {"move 7/11 x"});
  task.chores[0].argument = "a\r\nb";
  play(opened(R"(
    A: move 11 refused: the mailbox name contains control bytes
    A: caught up 7/50
    C: P2 LOGOUT
  )"),
       task);
}

TEST_CASE("when a group is refused each is tried alone") {
  play(opened(R"(
    C: P2 UID MOVE 11:12 "Archive"
    S: P2 NO one of them is bad
    C: P3 UID MOVE 11 "Archive"
    S: P3 OK done
    A: move 11 done
    C: P4 UID MOVE 12 "Archive"
    S: P4 NO [TRYCREATE] no such mailbox
    A: move 12 failed: the target mailbox does not exist: no such mailbox
    A: caught up 7/50
    C: P5 LOGOUT
  )"),
       with({"MOVE"}, {"move 7/11 Archive", "move 7/12 Archive"}));
}

TEST_CASE("a copy that was made is not made again when what follows it fails") {
  play(opened(R"(
    C: P2 UID COPY 11:12 "Archive"
    S: P2 OK done
    C: P3 UID STORE 11:12 +FLAGS.SILENT (\Deleted)
    S: P3 NO not now
    A: move 11 failed: not now
    A: move 12 failed: not now
    A: caught up 7/50
    C: P4 LOGOUT
  )"),
       with({"UIDPLUS"}, {"move 7/11 Archive", "move 7/12 Archive"}));
}

TEST_CASE("chores that were never answered are not reported done") {
  play(opened(R"(
    C: P2 UID MOVE 11 "Archive"
    X:
    A: failed unavailable: the connection was closed while chores
  )"),
       with({"MOVE"}, {"move 7/11 Archive"}));
}

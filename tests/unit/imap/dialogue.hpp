#pragma once
// A scripted talk between the engine and a server, compared as text.
//
//   S: a line from the server (CRLF is added)      C: a line that the engine sends
//   T: wake +60s   time goes on to the wake-up that the engine asked for, which must be that far away
//   K: 7           the caller has kept the mails up to UID 7      Q: the caller stops      X: the connection is closed
//   N: 7           it is written down that UID 7 is to be asked for
//   H: …           more chores, as chore() reads them
//   A: …           every other action
//
// The script is what must happen: inputs are played, and all lines that the engine answers must stand where they stand
// in the script.

#include <string>
#include <string_view>

#include "common/imap/engine.hpp"

namespace postroom::imap {

// Plays the script with the server's bytes line by line, byte by byte, cut anywhere, and all consecutive lines at once;
// fails the test case where the talk differs.
void play(std::string_view script, const Task& task = {}, const Settings& settings = {});

// "flag 7/12 \Seen", "move 7/12 Archive", "erase 7/12": verb, UIDVALIDITY/UID, argument. Its id is "VERB UID".
Chore chore(std::string_view text);

}  // namespace postroom::imap

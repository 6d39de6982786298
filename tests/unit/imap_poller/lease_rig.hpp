#pragma once
// A lease with time turned by hand: what it wants done, as lines; the server's words, as lines.

#include <string>
#include <string_view>
#include <vector>

#include "workers/imap_poller/lease.hpp"

namespace postroom::imap_poller {

constexpr const char* inbox = "0190aaaa-0000-7000-8000-000000000001";

struct LeaseRig {
  LeaseRig();

  // What came since the last look, one line for each action, and forgets it:
  //   say claim | say progress STAGE … | say ended OUTCOME … | connect URL | > BYTES | hang up | begin | bytes N | end UID | drop
  //   keep BATCH: UID… | publish BATCH: UID<-PREVIOUS EXTENT… | note … | finish
  std::string seen();
  std::string seen(std::string_view beginning);  // only the lines that begin so

  void begin() { take(lease.begin(now)); }
  void grant(messages::PollGrant what);
  void answer(messages::PollAnswered what);
  void drop(std::string reason);
  void connected() { take(lease.on_connected(now)); }
  void server(std::string_view lines);  // each gets its CRLF
  void disconnected() { take(lease.on_disconnected({messages::ReasonClass::unreachable, "it broke"}, now)); }
  void kept(std::uint64_t batch);
  void not_kept(std::uint64_t batch) { take(lease.on_kept(batch, Error{Code::io, "the disk is full"}, now)); }
  void confirmed(std::uint64_t batch) { take(lease.on_confirmed(batch, now)); }
  void confirmed_word() { take(lease.on_confirmed_word(now)); }
  void stop() { take(lease.on_stop(now)); }
  void pass(std::chrono::milliseconds time);  // in the lease's own steps

  // From the claim to a selected mailbox with these mails to be listed; tags go on with P4.
  void open(messages::PollGrant what, std::string_view found, std::string_view capabilities = "IMAP4rev1 IDLE UIDPLUS");
  // The answers for mails of one byte each: P4 measures, P5 brings them.
  void bring(std::initializer_list<imap::Uid> uids, int first_tag = 4);

  static messages::PollGrant usual();

  SteadyTime now{std::chrono::hours{1}};
  Lease lease;
  std::vector<messages::MailArrived> arrivals;
  std::vector<messages::PollProgress> words;
  std::vector<messages::PollEnded> ends;
  std::vector<messages::PollClaim> claims;

 private:
  void take(Actions actions);
  std::vector<std::string> lines_;
  std::map<std::uint64_t, std::vector<imap::Uid>> keeps_;
};

}  // namespace postroom::imap_poller

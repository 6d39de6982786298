#pragma once
// From a parsed mail to what becomes of it: pure functions for the router (analyse) and for the ledger (decide).

#include <optional>
#include <string>

#include "common/mail/auto_mail.hpp"
#include "common/mail/bounce.hpp"
#include "common/mail/message.hpp"
#include "common/mail/reply_text.hpp"
#include "common/mail/route.hpp"
#include "common/mail/threading.hpp"

namespace postroom::mail {

// What this installation knows about itself.
struct Home {
  OwnMarks own;
  std::string message_id_host;  // the host part of our Message-IDs
  Hmac hmac;                    // with the installation's key; empty: signed ids are not checked
};

// All that a mail says by itself.
struct Analysis {
  std::string title;
  Address sender;
  AutoMail auto_mail;
  std::optional<Bounce> bounce;
  ReplyText text;
  bool is_answer = false;                      // to anything, not necessarily to us
  std::optional<SignedId> signed_thread;       // verified
  std::optional<SignedId> bounced_mail;        // that a bounce reports about, if it was ours; verified
  std::optional<std::int64_t> subject_number;  // [#1234]
  bool may_be_confirmed = false;               // a person wrote it from an address that takes answers
};

Analysis analyse(const Message& message, const Home& home);

// What only the database can tell.
enum class ThreadedBy { signed_id, references, subject_number };
struct KnownThread {
  std::string ticket;  // number or id, as people say it
  ThreadedBy by = ThreadedBy::references;
  bool is_participant = false;  // the sender is the ticket's creator or was written to on it
};
enum class Reported { foreign, ours, unknown };
struct Known {
  std::optional<KnownThread> thread;
  std::string same_mail;            // the arrival with this Message-ID and this content; empty: none
  std::string same_sender_subject;  // the arrival of this sender and subject within the inbox's threshold; empty: none
  Reported reported = Reported::foreign;  // whose mail it is that a report about delivery names
};

enum class Verdict { ticket, reply, duplicate, bounce, own, standby, unparsable };
std::string_view name_of(Verdict verdict);

struct Decision {
  Verdict verdict = Verdict::standby;
  std::string why;            // one or two sentences, for the history
  bool reopens = false;       // a reply that reopens a resolved ticket: a person's who takes part in it
  bool is_confirmed = false;  // a ticket whose creator gets a confirmation
};

// In this order: our own mail, reports about our mail, the same mail again, a reply, the same sender and subject again,
// a board, standby. A number in a subject counts only from a participant. A report about a mail that is not ours goes
// the way of all automatic mails, and says so; mail servers write all of theirs alike, so sender and subject tell
// nothing about them.
Decision decide(const Analysis& analysis, const Known& known, const Route& route);

}  // namespace postroom::mail

#pragma once
// One lease of one mailbox as a value: from the job to its end. Driven by messages, the connection's bytes, the disk's and
// the broker's word, and time; it answers with what to do. No loop, clock, socket, file or log.
//
//   claiming ──grant──▶ connecting ──▶ talking ──▶ settling ──▶ ending ──▶ over
//      └─drop──▶ over                  IMAP        the last mails are    poll.ended is
//                                                  kept and told         confirmed
//
// A mail goes: fetched into a draft ─▶ Keep (durable, with all that are reported with it) ─▶ Publish in the order of UIDs ─▶
// confirmed ─▶ the engine may fetch more. What breaks in between is fetched again by the next lease: the ledger moves the
// cursor with each arrival, not before.

#include <chrono>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "common/base/clock.hpp"
#include "common/base/result.hpp"
#include "common/imap/engine.hpp"
#include "common/messages/mail.hpp"
#include "common/messages/poll.hpp"

namespace postroom::imap_poller {

struct Rules {
  using Millis = std::chrono::milliseconds;
  std::string worker;              // instance
  Millis claim_answer{2'000};      // the claim is asked again; doubling up to `word`
  Millis word{60'000};             // between two words
  Millis silence{150'000};         // of the ledger: then it has given the mailbox to another
  Millis farewell{60'000};         // for what is under way when the lease ends
  Millis quick_farewell{3'000};    // likewise when the ledger or the operator says stop
  imap::Settings engine;           // sizes and windows; the rest comes with the grant
};

// --- what is to be done, in this order ---

struct Connect {
  messages::Site site;
};
struct Transmit {
  std::string bytes;
};
struct HangUp {};

// About the draft of the mail that is coming in: one at a time.
struct BeginMail {};
struct AddBytes {
  std::string_view bytes;  // lives until the next call
};
struct EndMail {  // the draft is whole, and is the mail of this UID
  imap::Uid uid = 0;
};
struct DropMail {};

struct Keep {  // make the drafts of these UIDs durable, then on_kept
  std::uint64_t batch = 0;
  std::vector<imap::Uid> uids;
};
struct Publish {  // in this order, then on_confirmed
  std::uint64_t batch = 0;
  std::vector<messages::MailArrived> mails;
};
// Questions are repeated by the lease; words and the end are to be confirmed, then on_confirmed_word.
using Word = std::variant<messages::PollClaim, messages::PollProgress, messages::PollEnded>;
struct Say {
  Word word;
};
struct Note {  // for the log
  std::string text;
};
struct Finish {};  // the job may be acknowledged; nothing comes any more

using Action = std::variant<Connect, Transmit, HangUp, BeginMail, AddBytes, EndMail, DropMail, Keep, Publish, Say, Note, Finish>;
using Actions = std::vector<Action>;

// Why a lease failed, for people and the ledger.
struct Failure {
  messages::ReasonClass reason_class = messages::ReasonClass::none;
  std::string text;
};

class Lease {
 public:
  enum class Stage { claiming, connecting, talking, settling, ending, over };

  Lease(messages::ImapPoll job, std::string token, Rules rules);
  Lease(const Lease&) = delete;
  Lease& operator=(const Lease&) = delete;

  Actions begin(SteadyTime now);
  Actions on_answer(const messages::PollAnswered& answer, SteadyTime now);
  Actions on_connected(SteadyTime now);
  Actions on_bytes(std::string_view bytes, SteadyTime now);
  Actions on_disconnected(const Failure& why, SteadyTime now);  // or never connected
  // The drafts of a batch: their blobs by UID, in the order of the Keeps; or why nothing can be kept.
  using Kept = std::map<imap::Uid, messages::BlobRef>;
  Actions on_kept(std::uint64_t batch, const Result<Kept>& kept, SteadyTime now);
  Actions on_confirmed(std::uint64_t batch, SteadyTime now);  // every arrival of a Publish
  Actions on_confirmed_word(SteadyTime now);                  // the last progress or end
  Actions on_no_space(const Error& why, SteadyTime now);      // a draft cannot be written
  Actions on_stop(SteadyTime now);                            // the worker is stopped: another one may go on
  Actions on_superseded(SteadyTime now);                      // the ledger gave the mailbox out again
  Actions on_time(SteadyTime now);

  std::optional<SteadyTime> due() const;  // call on_time then
  Stage stage() const { return stage_; }
  const messages::ImapPoll& job() const { return job_; }
  const std::string& token() const { return token_; }
  std::string_view activity() const;  // one word for people

 private:
  struct Mail {  // reported and not yet kept
    messages::MailExtent extent = messages::MailExtent::whole;
    bool has_draft = false;
    std::uint64_t stated_size = 0;
    std::optional<WallTime> received_at;
    std::string trouble;
  };
  struct Batch {
    std::uint64_t number = 0;
    imap::Uid up_to = 0;
    std::uint32_t uid_validity = 0;
    std::map<imap::Uid, Mail> mails;
    bool is_confirmed = false;
  };

  // lease.cpp
  Actions take();
  void say_claim(SteadyTime now);
  void granted(const messages::PollGrant& grant, SteadyTime now);
  void wind_down(messages::PollOutcome outcome, Rules::Millis farewell, SteadyTime now);
  void hang_up();
  void fail(Failure why);
  void settle();
  void say_end();
  void say_progress();
  void consider_word(SteadyTime now);
  std::optional<messages::MailboxFacts> facts() const;

  // lease_mail.cpp
  void perform(imap::Actions actions, SteadyTime now);
  void ended(const imap::Failed& failed);
  void selected(const imap::Selected& mailbox);
  void take_end(const imap::MailEnd& end);
  void take_missing(const imap::MailMissing& missing);
  void take_progress(const imap::Progress& progress);
  void take_chore(const imap::ChoreDone& done);
  void publish(Batch& batch, const Kept& kept);
  std::vector<imap::Chore> fresh_chores(const std::vector<messages::PollChore>& chores);

  messages::ImapPoll job_;
  std::string token_;
  Rules rules_;
  Stage stage_ = Stage::claiming;
  Actions actions_;

  // the claim
  Rules::Millis ask_again_after_{0};
  SteadyTime asked_at_{};
  SteadyTime ask_again_at_{};

  // the grant
  std::string folder_;
  std::optional<imap::Task> task_;  // until the connection stands
  std::optional<SteadyTime> ends_at_;
  SteadyTime heard_at_{};
  std::set<std::string> known_chores_;

  // the session
  std::optional<imap::Engine> engine_;
  imap::Settings engine_settings_;
  std::optional<SteadyTime> engine_wake_;
  std::optional<SteadyTime> farewell_by_;
  bool is_connected_ = false;
  std::optional<imap::Selected> mailbox_;
  std::optional<imap::Cursor> cursor_;  // the grant's
  imap::Uid previous_ = 0;              // of the mail that was published last
  std::map<imap::Uid, Mail> mails_;
  std::deque<Batch> batches_;
  std::uint64_t last_batch_ = 0;
  bool is_keeping_over_ = false;  // a batch could not be kept: what comes after it must not be told of

  // what the next word tells
  SteadyTime word_at_{};
  bool is_word_open_ = false;  // said and not confirmed
  bool has_news_ = false;
  bool is_caught_up_ = false;
  std::int64_t older_count_ = 0;
  std::vector<messages::ChoreReport> reports_;
  std::string notice_;
  std::optional<imap::Uid> asked_;   // of a careful lease: the mail that is begun and not yet told of
  bool is_asking_ = false;           // no word has told of it
  std::optional<imap::Uid> noting_;  // it is in the word that is open

  // the end
  messages::PollOutcome outcome_ = messages::PollOutcome::done;
  bool is_leaving_ = false;
  Failure failure_;
  std::optional<imap::Uid> suspect_;
};

}  // namespace postroom::imap_poller

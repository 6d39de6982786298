#pragma once
// One IMAP session as a value: driven by bytes, time and the caller's words, it answers with what to send and what it
// found.
//
// No socket, clock, file or log. The transport has connected, secured and authenticated (RFC 9051, authenticated
// state); from there the engine selects the mailbox, does the chores, lists what is new after the cursor, fetches it in
// pipelined batches and then watches with IDLE, or looks again after the poll interval. Mails are read with PEEK:
// nothing on the server changes but what a chore says.

#include <deque>
#include <string>
#include <string_view>
#include <vector>

#include "common/imap/action.hpp"
#include "common/imap/command.hpp"
#include "common/imap/decoder.hpp"
#include "common/imap/fetch_plan.hpp"
#include "common/imap/task.hpp"

namespace postroom::imap {

enum class Stage {
  greeting,      // waiting for PREAUTH
  capability,    // asking what the server can do
  introduction,  // ID and ENABLE, whose answers change nothing
  selecting,
  chores,
  listing,   // which UIDs are new
  fetching,  // their sizes and bodies
  resting,   // until the next look
  idling,
  leaving,  // LOGOUT
  closed,
};
std::string_view name_of(Stage stage);

class Engine {
 public:
  explicit Engine(Task task, Settings settings = {}, Limits limits = {});
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;

  // Each returns what is to be done now. After Done or Failed nothing comes any more.
  Actions start(SteadyTime now);
  Actions on_bytes(std::string_view bytes, SteadyTime now);
  Actions on_time(SteadyTime now);
  Actions on_closed(SteadyTime now);
  Actions on_kept(Uid up_to, SteadyTime now);  // mails up to a Progress are durable: there is room for more
  Actions on_noted(Uid uid, SteadyTime now);   // of Asking
  Actions on_chores(std::vector<Chore> chores, SteadyTime now);  // more to do, also while it watches
  Actions on_stop(SteadyTime now);                               // finish what is under way and log out

  Stage stage() const { return stage_; }
  bool can(std::string_view capability) const;            // upper case; after Selected
  std::uint32_t exists() const { return exists_; }  // mails in the mailbox, as told last; after Selected

 private:
  enum class Kind { capability, introduction, select, chore, search, list, noop, sync, measure, bodies, idle, logout };
  struct Pending {
    std::string tag;
    Kind kind;
    std::vector<Uid> uids;
    Settings::Millis allowance;
    std::optional<SteadyTime> deadline;  // runs from when the command is the oldest one
  };

  // engine.cpp
  Actions finish_call();
  template <class Work>
  Actions call(SteadyTime now, Work work);
  void emit(Action action) { actions_.push_back(std::move(action)); }
  void fail(Error error, std::optional<Uid> to_blame = {});  // none: the suspect
  void end();
  std::optional<Uid> suspect() const;
  std::string next_tag();
  void issue(Kind kind, Result<std::string> line, std::string tag, Settings::Millis allowance,
             std::vector<Uid> uids = {});
  void arm_oldest();
  bool is_pending(Kind kind) const;
  std::optional<SteadyTime> wake_time() const;

  // engine_answers.cpp
  void read(std::string_view bytes);
  void handle(const Response& response);
  void on_status(const Status& status);
  void on_untagged(const Status& status);
  void on_completed(const Status& status);
  void on_exists(std::uint32_t count);
  void on_removed(std::uint64_t count);
  void on_malformed(const Malformed& malformed);

  // engine_session.cpp
  void greeted(const Status& status);
  void ask_capabilities();
  void introduce();
  void select();
  void selected(const Status& status);
  void check_cursor();
  void proceed();
  void leave();

  // engine_list.cpp
  void look_again();
  void list();
  void list_by_fetch();
  void collect(Uid uid);
  void listed(const Status& status, Kind kind);
  void begin_round();
  void finish_round();
  void report_progress();

  // engine_fetch.cpp
  void fetch();
  void on_fetch(const Fetch& fetch);
  void on_body_begin(const BodyBegin& begin);
  void on_body_chunk(std::string_view bytes);
  void on_size(Uid uid, FetchPlan::Mail& mail, const Fetch& fetch);
  void on_unstreamed(Uid uid, FetchPlan::Mail& mail, const Fetch::Body& body);
  void end_mail(Uid uid, FetchPlan::Mail& mail, std::uint64_t byte_count);
  void measure_more();
  void measure(std::vector<Uid> uids);
  void ask_more();
  bool fails_for_now(const Status& status);
  void measure_completed(const Status& status, const std::vector<Uid>& uids);
  void bodies_completed(const Status& status, const std::vector<Uid>& uids);
  void refuse(FetchPlan::Mail& mail, std::string trouble);
  void report_refused();

  // engine_chores.cpp
  void do_chores();
  bool is_refused(const Chore& chore);
  void send_chore_step();
  void chore_completed(const Status& status);
  void report_chores(ChoreDone::Outcome outcome, const std::string& text);

  // engine_watch.cpp
  void watch();
  void rest(SteadyTime until);
  void idle();
  void idle_accepted();
  void stop_idling();
  void idle_completed(const Status& status);

  Task task_;
  Settings settings_;
  Decoder decoder_;
  FetchPlan plan_;
  Stage stage_ = Stage::greeting;
  SteadyTime now_{};
  Actions actions_;
  std::optional<SteadyTime> announced_wake_;
  std::deque<Pending> pending_;  // oldest first
  std::uint32_t last_tag_ = 0;
  std::uint64_t chatter_ = 0;
  std::size_t malformed_count_ = 0;
  std::size_t alert_count_ = 0;
  std::string malformed_line_;  // the last one since a command completed
  bool is_stopping_ = false;

  // the server and its mailbox
  std::vector<std::string> capabilities_;
  Selected mailbox_;
  std::uint32_t exists_ = 0;

  // listing
  Uid last_uid_ = 0;               // everything up to it is reported
  bool leaves_old_alone_ = false;  // Task::since counts in this session
  bool is_next_doubtful_ = false;  // UIDNEXT is not above the cursor
  bool wants_listing_ = true;
  bool is_truncated_ = false;  // there was more than listing_limit
  SteadyTime listing_not_before_{};
  Uid highest_listed_ = 0;
  std::vector<Uid> found_;
  std::size_t older_count_ = 0;
  Uid progress_ = 0;  // last reported
  std::optional<Uid> asking_;  // not noted yet
  std::optional<Uid> noted_;

  // the body that is coming in
  struct Delivery {
    bool is_begun = false;      // MailBegin was said
    bool takes_bytes = false;   // what comes in belongs to it
    bool is_too_large = false;  // for a whole mail
    std::string section;
    std::uint64_t byte_count = 0;
    std::optional<Uid> uid;
  };
  std::optional<Delivery> delivery_;
  std::deque<std::string> quoted_;  // bodies that came in quotes: chunks look at them until the next call

  // chores
  enum class ChoreStep { store, move, copy, mark, expunge };
  struct Errand {
    Chore chore;
    bool is_alone = false;  // the command for its whole group was refused
  };
  std::deque<Errand> chores_;
  std::vector<Errand> group_;  // done by one command after the other, all together
  ChoreStep step_ = ChoreStep::store;

  // watching
  bool idle_works_ = true;
  bool is_idle_accepted_ = false;
  bool is_done_sent_ = false;
  std::optional<SteadyTime> look_at_;  // when resting or idling ends
};

}  // namespace postroom::imap

#pragma once
// Which mails of one round are to be measured, asked for, and waited for. Private to common/imap: the engine's
// bookkeeping, without protocol.

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "common/imap/action.hpp"
#include "common/imap/response.hpp"
#include "common/imap/task.hpp"

namespace postroom::imap {

// A mail goes: found → measuring → waiting → asked → finished, with ways back: what an answer left out is measured once
// more, what a command for many was refused for is tried alone, and what is refused alone is held until it is clear
// that the mail is ill and not the server.
class FetchPlan {
 public:
  enum class State { to_measure, measuring, waiting, asked, refused };
  struct Mail {
    State state = State::measuring;
    bool is_measured = false;
    bool is_header_only = false;
    bool measure_alone = false;
    bool ask_alone = false;
    int left_out = 0;  // answers to measuring without it
    std::uint64_t size = 0;
    std::uint64_t asked_bytes = 0;  // of the window, while asked
    std::optional<WallTime> received_at;
    std::vector<std::string> flags;
    bool is_doubted = false;  // could not be had alone; measured once more to learn whether it is still there
    std::string trouble;      // why it could not be had, as far as known
    bool may_pass = false;    // the server refused it with words that another day may not hold
  };
  struct Ask {
    std::vector<Uid> uids;
    bool is_header_only = false;
    std::uint64_t byte_count = 0;  // stated
  };

  explicit FetchPlan(const Settings& settings) : settings_(settings) {}

  void begin(std::vector<Uid> found);  // ascending and distinct
  bool is_done() const { return mails_.empty() && next_ == found_.size(); }
  Uid reported_up_to(Uid before) const;  // every mail of the round up to this is finished; `before` when none is

  std::vector<Uid> take_to_measure();
  std::optional<Uid> next_to_ask() const;  // the first that take_to_ask would try
  std::optional<Ask> take_to_ask();  // nothing while the window is full

  Mail* find(Uid uid);  // null: not part of what is going on
  bool is_any_asked() const;
  void measured(Mail& mail, const Fetch& fetch);
  void measure_again(Mail& mail, bool is_alone);
  void ask_again(Mail& mail) { to_state(mail, State::waiting); }
  void doubt(Mail& mail, std::string trouble);
  void refuse(Mail& mail, std::string trouble);
  std::size_t refused_count() const { return refused_count_; }
  std::vector<std::pair<Uid, std::string>> take_refused();
  // Of a round in which no mail came, so that nothing tells whether the mail is ill or the server.
  std::optional<Uid> refused_for_now() const;

  void finish(Uid uid, std::uint64_t unkept_bytes);  // reported with bytes that the caller has to keep
  void forget(Uid uid);                              // reported without
  void kept(Uid up_to);

 private:
  void to_state(Mail& mail, State state);
  std::uint64_t expected_bytes(const Mail& mail) const;
  bool has_room(std::size_t count, std::uint64_t bytes) const;

  const Settings& settings_;
  std::vector<Uid> found_;
  std::size_t next_ = 0;                 // in found_: the first that was not yet measured
  std::map<Uid, Mail> mails_;            // at most measure_count × 2 + window_count
  std::map<Uid, std::uint64_t> unkept_;  // reported bytes
  std::uint64_t window_bytes_ = 0;       // asked and unkept
  std::size_t asked_count_ = 0;
  std::size_t refused_count_ = 0;
  bool has_got_any_ = false;  // in this round
};

}  // namespace postroom::imap

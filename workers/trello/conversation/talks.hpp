#pragma once
// What the trello worker says to Trello: create a card, find out whether one was created, try a connection. Values without I/O.

#include <optional>
#include <set>
#include <string>
#include <vector>

#include "common/messages/connection.hpp"
#include "workers/runtime/step.hpp"
#include "workers/trello/conversation/answers.hpp"

namespace postroom::trello {

// One POST. The markers travel in it: the attached link and the description's last line.
class CreateTalk {
 public:
  CreateTalk(messages::Grant grant, std::string secret);
  worker::Step begin();
  worker::Step next(const worker::Answer& answer);
  std::optional<messages::Limits> limits() const { return limits_; }

 private:
  messages::Grant grant_;
  std::string secret_;
  std::optional<messages::Limits> limits_;
};

// The list's open cards first: one read that nearly always settles it. Then the board's creations since the attempt, newest first, which also show
// cards that people have moved, archived or deleted by now.
class ResolveTalk {
 public:
  ResolveTalk(messages::Grant grant, std::string secret);
  worker::Step begin();
  worker::Step next(const worker::Answer& answer);
  std::optional<messages::Limits> limits() const { return limits_; }

 private:
  enum class Stage { list, actions, card };
  struct Candidate {
    std::string id;
    std::string name;
    std::string short_link;
  };
  worker::Step heard_list(const codec::JsonView& cards);
  worker::Step ask_actions();
  worker::Step heard_actions(const codec::JsonView& actions);
  worker::Step next_candidate();
  worker::Step heard_card(const http::Reply& reply);
  worker::Step verdict();
  void keep(messages::Remote remote);

  messages::Grant grant_;
  std::string secret_;
  messages::TrelloMapping mapping_;
  Stage stage_ = Stage::list;
  std::string since_;
  std::string before_;  // id of the oldest action seen
  int pages_ = 0;
  int checked_ = 0;
  bool gave_up_ = false;
  bool is_last_page_ = false;
  std::set<std::string> judged_;  // cards that were looked at
  std::vector<Candidate> candidates_;
  Candidate current_;
  std::vector<messages::Remote> found_;
  std::optional<messages::Limits> limits_;
};

// Who am I → the board → the list.
class TestTalk {
 public:
  TestTalk(messages::TrelloTest test, std::string secret);
  worker::TestStep begin();
  worker::TestStep next(const worker::Answer& answer);

 private:
  enum class Stage { member, board, list };
  worker::TestStep heard_member(const http::Reply& reply);
  worker::TestStep heard_board(const http::Reply& reply);
  worker::TestStep heard_list(const http::Reply& reply);
  // Unless said otherwise the mapping is at fault.
  worker::TestStep failed(std::string name, std::string detail, messages::ReasonClass reason_class = messages::ReasonClass::invalid_data);

  messages::TrelloTest test_;
  std::string secret_;
  Stage stage_ = Stage::member;
  std::vector<messages::TestCheck> checks_;
};

}  // namespace postroom::trello

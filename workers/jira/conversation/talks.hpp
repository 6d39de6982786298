#pragma once
// What the jira worker says to Jira: create an issue, find out whether one was created, try a connection. Values without I/O.

#include <optional>
#include <string>
#include <vector>

#include "common/messages/connection.hpp"
#include "workers/jira/conversation/answers.hpp"
#include "workers/runtime/step.hpp"

namespace postroom::jira {

// newest ─▶ commit(probe base) ─▶ create ─▶ done        The first two only when the ledger knows no base.
//                       ▲            │ 400 naming nothing but label or priority
//                       └────────────┘ once, without them
// The commit in between moves the time of sending, so that the ledger never looks for the issue too early.
class CreateTalk {
 public:
  CreateTalk(messages::Grant grant, std::string secret);
  worker::Step begin();
  worker::Step next(const worker::Answer& answer);
  std::optional<messages::Limits> limits() const { return limits_; }

 private:
  enum class Stage { newest, noting, creating };
  worker::Step heard_newest(const http::Reply& reply);
  worker::Step create();
  worker::Step heard_created(const http::Reply& reply);
  std::optional<worker::Step> without_optional_fields(const http::Reply& reply);
  std::string body() const;

  messages::Grant grant_;
  std::string secret_;
  messages::JiraMapping mapping_;
  Stage stage_ = Stage::creating;
  bool has_label_ = true;
  bool has_priority_ = false;
  std::string note_;
  std::optional<messages::Limits> limits_;
};

// Reads by key from the probe base upwards until a page is empty and past the newest number that the index knows, then asks the index for the label.
// By key Jira answers consistently; the index lags, so its hits prove something and its silence nothing.
class ResolveTalk {
 public:
  ResolveTalk(messages::Grant grant, std::string secret);
  worker::Step begin();
  worker::Step next(const worker::Answer& answer);
  std::optional<messages::Limits> limits() const { return limits_; }

 private:
  enum class Stage { newest, page, label };
  worker::Step heard_newest(const codec::JsonView& answer);
  worker::Step fetch_page();
  worker::Step heard_page(const codec::JsonView& answer);
  worker::Step search_label();
  worker::Step verdict();
  void keep_matches(const codec::JsonView& answer);

  messages::Grant grant_;
  std::string secret_;
  messages::JiraMapping mapping_;
  Stage stage_ = Stage::newest;
  std::int64_t next_number_ = 1;
  std::int64_t newest_ = 0;
  int pages_ = 0;
  bool gave_up_ = false;
  std::vector<messages::Remote> found_;
  std::optional<messages::Limits> limits_;
};

// Who am I → may I → which issue types → which fields.
class TestTalk {
 public:
  TestTalk(messages::JiraTest test, std::string secret);
  worker::TestStep begin();
  worker::TestStep next(const worker::Answer& answer);

 private:
  enum class Stage { myself, permissions, types, fields };
  worker::TestStep heard_myself(const http::Reply& reply);
  worker::TestStep heard_permissions(const http::Reply& reply);
  worker::TestStep heard_types(const http::Reply& reply);
  worker::TestStep heard_fields(const http::Reply& reply);
  // Unless said otherwise the mapping is at fault.
  worker::TestStep failed(std::string name, std::string detail, messages::ReasonClass reason_class = messages::ReasonClass::invalid_data);
  worker::TestStep passed() const;

  messages::JiraTest test_;
  std::string secret_;
  Stage stage_ = Stage::myself;
  std::vector<messages::TestCheck> checks_;
};

}  // namespace postroom::jira

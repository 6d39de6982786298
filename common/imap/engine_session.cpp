// From the greeting to a selected mailbox, the choice of what comes next, and the way out.

#include <fmt/format.h>

#include <algorithm>

#include "common/base/text.hpp"
#include "common/imap/engine.hpp"

namespace postroom::imap {

namespace {

// What a refused SELECT means for the caller (response codes of RFC 5530).
Code code_for(const Status& status) {
  const std::string& code = status.code.name;
  if (code == "NOPERM" || code == "AUTHORIZATIONFAILED" || code == "EXPIRED" || code == "PRIVACYREQUIRED")
    return Code::unauthorized;
  if (code == "LIMIT") return Code::rate_limited;
  if (code == "UNAVAILABLE" || code == "INUSE" || code == "SERVERBUG" || code == "CONTACTADMIN")
    return Code::unavailable;
  return status.condition == Condition::bad ? Code::bad_message : Code::not_found;
}

}  // namespace

void Engine::greeted(const Status& status) {
  look_at_.reset();
  if (status.condition != Condition::preauth) {
    return fail({Code::unauthorized, "the server wants to be logged in to, and the transport has not done it", "imap"});
  }
  ask_capabilities();
}

void Engine::ask_capabilities() {
  stage_ = Stage::capability;
  if (!capabilities_.empty()) return introduce();
  std::string tag = next_tag();
  issue(Kind::capability, CommandWriter(tag, "CAPABILITY").line(), tag, settings_.command_timeout);
}

// Some servers open no mailbox for a client without a name (ID, RFC 2971).
void Engine::introduce() {
  stage_ = Stage::introduction;
  if (can("ID")) {
    std::string tag = next_tag();
    issue(Kind::introduction, CommandWriter(tag, "ID").word(R"(("name" "Postroom"))").line(), tag,
          settings_.command_timeout);
  }
  if (can("ENABLE") && can("CONDSTORE")) {
    std::string tag = next_tag();
    issue(Kind::introduction, CommandWriter(tag, "ENABLE").word("CONDSTORE").line(), tag, settings_.command_timeout);
  }
  if (pending_.empty()) select();
}

void Engine::select() {
  if (is_stopping_) return leave();
  stage_ = Stage::selecting;
  mailbox_ = {};
  std::string tag = next_tag();
  issue(Kind::select, CommandWriter(tag, task_.is_read_only ? "EXAMINE" : "SELECT").mailbox(task_.mailbox).line(), tag,
        settings_.command_timeout);
}

void Engine::selected(const Status& status) {
  if (status.condition != Condition::ok) {
    return fail({code_for(status),
                 fmt::format("the mailbox cannot be opened: {}", json_escaped(cut_utf8(status.text, 200))),
                 task_.mailbox});
  }
  if (mailbox_.uid_validity == 0) {
    return fail({Code::bad_message, "the server names no UIDVALIDITY: mails could not be told apart", task_.mailbox});
  }
  mailbox_.exists = exists_;
  mailbox_.is_read_only = task_.is_read_only || status.code.name == "READ-ONLY";
  emit(mailbox_);
  check_cursor();
  proceed();
}

void Engine::check_cursor() {
  if (task_.cursor && task_.cursor->uid_validity == mailbox_.uid_validity) {
    last_uid_ = task_.cursor->last_uid;
    // UIDs only grow (RFC 9051, 2.3.1.1). Either they fell, as after a restore, or this server's UIDNEXT means nothing:
    // the listing will tell.
    is_next_doubtful_ = mailbox_.uid_next && *mailbox_.uid_next <= last_uid_;
  } else {
    if (task_.cursor) emit(ValidityChanged{task_.cursor->uid_validity, mailbox_.uid_validity});
    leaves_old_alone_ = task_.since.has_value();
  }
  progress_ = last_uid_;
}

// With no command under way: what comes next.
void Engine::proceed() {
  look_at_.reset();
  if (stage_ == Stage::closed) return;
  if (is_stopping_) return leave();
  if (!chores_.empty()) return do_chores();
  if (!wants_listing_) return watch();
  if (now_ < listing_not_before_) return rest(listing_not_before_);
  list();
}

void Engine::leave() {
  look_at_.reset();
  stage_ = Stage::leaving;
  std::string tag = next_tag();
  issue(Kind::logout, CommandWriter(tag, "LOGOUT").line(), tag, settings_.command_timeout);
}

}  // namespace postroom::imap

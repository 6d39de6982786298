// Waiting for new mail: IDLE (RFC 2177), or a look now and then.

#include <algorithm>

#include "common/imap/engine.hpp"

namespace postroom::imap {

namespace {
constexpr Settings::Millis longest_idle = std::chrono::minutes{28};  // a server may hang up after 30
}

void Engine::watch() {
  if (!task_.is_watching) return leave();
  if (settings_.uses_idle && idle_works_ && can("IDLE")) return idle();
  rest(now_ + settings_.poll_interval);
}

void Engine::rest(SteadyTime until) {
  stage_ = Stage::resting;
  look_at_ = until;
}

void Engine::idle() {
  stage_ = Stage::idling;
  is_idle_accepted_ = is_done_sent_ = false;
  std::string tag = next_tag();
  issue(Kind::idle, CommandWriter(tag, "IDLE").line(), tag, settings_.command_timeout);
}

void Engine::idle_accepted() {
  if (stage_ != Stage::idling || is_idle_accepted_)
    return fail({Code::bad_message, "the server goes on with what was not begun", "imap"});
  is_idle_accepted_ = true;
  pending_.front().deadline.reset();
  look_at_ = now_ + std::min(settings_.idle_renew, longest_idle);
  if (wants_listing_ || !chores_.empty() || is_stopping_) stop_idling();
}

// DONE may only follow the server's "+"; until then idle_accepted remembers. Its answer is due soon: this is what finds
// a connection that is dead without having been closed.
void Engine::stop_idling() {
  if (!is_idle_accepted_ || is_done_sent_) return;
  is_done_sent_ = true;
  look_at_.reset();
  emit(Send{"DONE\r\n"});
  pending_.front().deadline = now_ + settings_.command_timeout;
}

void Engine::idle_completed(const Status& status) {
  if (status.condition != Condition::ok) idle_works_ = false;
  if (is_done_sent_ || wants_listing_ || !chores_.empty() || is_stopping_) return proceed();
  rest(now_ + settings_.poll_interval);  // the server ended it by itself: it is not asked again at once
}

}  // namespace postroom::imap

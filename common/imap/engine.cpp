#include "common/imap/engine.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "common/base/text.hpp"

namespace postroom::imap {

std::string_view name_of(Stage stage) {
  switch (stage) {
    case Stage::greeting:
      return "greeting";
    case Stage::capability:
      return "capability";
    case Stage::introduction:
      return "introduction";
    case Stage::selecting:
      return "selecting";
    case Stage::chores:
      return "chores";
    case Stage::listing:
      return "listing";
    case Stage::fetching:
      return "fetching";
    case Stage::resting:
      return "resting";
    case Stage::idling:
      return "idling";
    case Stage::leaving:
      return "leaving";
    case Stage::closed:
      return "closed";
  }
  return "?";
}

Engine::Engine(Task task, Settings settings, Limits limits)
    : task_(std::move(task)), settings_(settings), decoder_(limits), plan_(settings_) {
  for (Chore& chore : task_.chores) chores_.push_back({std::move(chore)});
  std::sort(task_.skip.begin(), task_.skip.end());
  capabilities_ = task_.capabilities;
}

template <class Work>
Actions Engine::call(SteadyTime now, Work work) {
  now_ = std::max(now_, now);
  quoted_.clear();
  if (stage_ != Stage::closed) work();
  return finish_call();
}

Actions Engine::finish_call() {
  if (stage_ != Stage::closed) {
    const auto wake = wake_time();
    if (wake && wake != announced_wake_) emit(WakeAt{*wake});
    announced_wake_ = wake;
  }
  return std::exchange(actions_, {});
}

Actions Engine::start(SteadyTime now) {
  return call(now, [this] {
    if (task_.expects_greeting) {
      look_at_ = now_ + settings_.command_timeout;
    } else {
      ask_capabilities();
    }
  });
}

Actions Engine::on_bytes(std::string_view bytes, SteadyTime now) {
  return call(now, [&] { read(bytes); });
}

Actions Engine::on_time(SteadyTime now) {
  return call(now, [this] {
    if (!pending_.empty() && pending_.front().deadline && *pending_.front().deadline <= now_) {
      if (stage_ == Stage::leaving) return emit(Done{}), end();
      return fail({Code::timeout, fmt::format("the server did not answer in time while {}", name_of(stage_)), "imap"});
    }
    if (!look_at_ || *look_at_ > now_) return;
    if (stage_ == Stage::greeting) return fail({Code::timeout, "the server did not greet in time", "imap"});
    look_again();
  });
}

Actions Engine::on_closed(SteadyTime now) {
  return call(now, [this] {
    if (stage_ == Stage::leaving) return emit(Done{}), end();
    fail({Code::unavailable, fmt::format("the connection was closed while {}", name_of(stage_)), "imap"});
  });
}

Actions Engine::on_kept(Uid up_to, SteadyTime now) {
  return call(now, [&] {
    plan_.kept(up_to);
    if (stage_ == Stage::fetching) fetch();
  });
}

Actions Engine::on_noted(Uid uid, SteadyTime now) {
  return call(now, [&] {
    if (asking_ != uid) return;
    noted_ = std::exchange(asking_, std::nullopt);
    if (stage_ == Stage::fetching) measure({uid});
  });
}

Actions Engine::on_chores(std::vector<Chore> chores, SteadyTime now) {
  return call(now, [&] {
    for (Chore& chore : chores) chores_.push_back({std::move(chore)});
    if (stage_ == Stage::resting) proceed();
    if (stage_ == Stage::idling) stop_idling();
  });
}

Actions Engine::on_stop(SteadyTime now) {
  return call(now, [this] {
    is_stopping_ = true;
    if (stage_ == Stage::greeting || stage_ == Stage::resting) leave();
    if (stage_ == Stage::idling) stop_idling();
    if (stage_ == Stage::fetching) fetch();
  });
}

// The first failure wins: what follows from it is of no interest.
void Engine::fail(Error error, std::optional<Uid> to_blame) {
  if (stage_ == Stage::closed) return;
  const auto mail = to_blame ? to_blame : suspect();
  if (delivery_ && delivery_->is_begun) emit(MailDropped{});
  if (stage_ == Stage::fetching) report_progress();  // a line that breaks every minute still gets on
  emit(Failed{std::move(error), mail});
  end();
}

void Engine::end() {
  stage_ = Stage::closed;
  pending_.clear();
  delivery_.reset();
}

std::optional<Uid> Engine::suspect() const {
  if (delivery_ && delivery_->uid) return delivery_->uid;
  if (pending_.empty() || pending_.front().uids.size() != 1) return std::nullopt;
  const Kind kind = pending_.front().kind;
  if (kind != Kind::measure && kind != Kind::bodies) return std::nullopt;
  return pending_.front().uids.front();
}

std::string Engine::next_tag() {
  return fmt::format("P{}", ++last_tag_);
}

void Engine::issue(Kind kind, Result<std::string> line, std::string tag, Settings::Millis allowance,
                   std::vector<Uid> uids) {
  if (!line) return fail(line.error());
  emit(Send{std::move(*line)});
  pending_.push_back({std::move(tag), kind, std::move(uids), allowance, std::nullopt});
  arm_oldest();
}

void Engine::arm_oldest() {
  if (!pending_.empty() && !pending_.front().deadline) pending_.front().deadline = now_ + pending_.front().allowance;
}

bool Engine::is_pending(Kind kind) const {
  return std::any_of(pending_.begin(), pending_.end(), [&](const Pending& pending) { return pending.kind == kind; });
}

std::optional<SteadyTime> Engine::wake_time() const {
  std::optional<SteadyTime> wake = look_at_;
  if (!pending_.empty() && pending_.front().deadline && (!wake || *pending_.front().deadline < *wake))
    wake = pending_.front().deadline;
  return wake;
}

bool Engine::can(std::string_view capability) const {
  return std::find(capabilities_.begin(), capabilities_.end(), capability) != capabilities_.end();
}

}  // namespace postroom::imap

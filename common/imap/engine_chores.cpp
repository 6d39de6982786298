// What is to be done to mails on the server: flags, moves, removal. Never EXPUNGE without UIDs.

#include <fmt/format.h>

#include <algorithm>

#include "common/base/text.hpp"
#include "common/imap/engine.hpp"
#include "common/imap/mailbox_name.hpp"

namespace postroom::imap {

namespace {
constexpr std::size_t largest_group = 100;
const std::vector<std::string> deleted_flag{"\\Deleted"};
}  // namespace

void Engine::do_chores() {
  stage_ = Stage::chores;
  group_.clear();
  while (!chores_.empty() && group_.size() < largest_group) {
    Errand& next = chores_.front();
    if (!group_.empty()) {
      const Errand& first = group_.front();
      if (first.is_alone || next.is_alone || next.chore.verb != first.chore.verb ||
          next.chore.argument != first.chore.argument)
        break;
    }
    if (!is_refused(next.chore)) group_.push_back(std::move(next));
    chores_.pop_front();
  }
  if (group_.empty()) return proceed();
  switch (group_.front().chore.verb) {
    case Chore::Verb::flag:
      step_ = ChoreStep::store;
      break;
    case Chore::Verb::move:
      step_ = can("MOVE") ? ChoreStep::move : ChoreStep::copy;
      break;
    case Chore::Verb::erase:
      step_ = ChoreStep::mark;
      break;
  }
  send_chore_step();
}

// Reports why a chore is not even tried.
bool Engine::is_refused(const Chore& chore) {
  const auto refused = [&](std::string why) {
    emit(ChoreDone{chore.id, ChoreDone::Outcome::refused, std::move(why)});
    return true;
  };
  if (chore.uid_validity != mailbox_.uid_validity)
    return refused("the mailbox has another UIDVALIDITY: the UID may mean another mail");
  if (chore.uid == 0) return refused("there is no UID 0");
  if (mailbox_.is_read_only) return refused("the mailbox is read-only");
  switch (chore.verb) {
    case Chore::Verb::flag:
      if (!is_flag(chore.argument)) return refused("this is neither \\Name nor a keyword");
      break;
    case Chore::Verb::move:
      if (const auto name = encode_mailbox_name(chore.argument); !name) return refused(name.error().what());
      if (!can("MOVE") && !can("UIDPLUS"))
        return refused("the server has neither MOVE nor UIDPLUS: other mails could be removed with it");
      break;
    case Chore::Verb::erase:
      if (!can("UIDPLUS")) return refused("the server has no UIDPLUS: other mails could be removed with it");
      break;
  }
  return false;
}

void Engine::send_chore_step() {
  std::vector<Uid> uids;
  for (const Errand& errand : group_) uids.push_back(errand.chore.uid);
  std::sort(uids.begin(), uids.end());
  uids.erase(std::unique(uids.begin(), uids.end()), uids.end());
  const std::string& argument = group_.front().chore.argument;
  std::string tag = next_tag();
  Result<std::string> line = Error{Code::bug, "a chore without a step"};
  switch (step_) {
    case ChoreStep::store:
      line = CommandWriter(tag, "UID STORE").uids(uids).word("+FLAGS.SILENT").flags({&argument, 1}).line();
      break;
    case ChoreStep::move:
      line = CommandWriter(tag, "UID MOVE").uids(uids).mailbox(argument).line();
      break;
    case ChoreStep::copy:
      line = CommandWriter(tag, "UID COPY").uids(uids).mailbox(argument).line();
      break;
    case ChoreStep::mark:
      line = CommandWriter(tag, "UID STORE").uids(uids).word("+FLAGS.SILENT").flags(deleted_flag).line();
      break;
    case ChoreStep::expunge:
      line = CommandWriter(tag, "UID EXPUNGE").uids(uids).line();
      break;
  }
  issue(Kind::chore, std::move(line), tag, settings_.listing_timeout);
}

void Engine::chore_completed(const Status& status) {
  if (status.condition != Condition::ok) {
    // One of them may be to blame. A copy that was made is not made again: from there on they fail together.
    const bool is_first_step =
        step_ != ChoreStep::expunge && (step_ != ChoreStep::mark || group_.front().chore.verb == Chore::Verb::erase);
    if (group_.size() > 1 && is_first_step) {
      for (auto errand = group_.rbegin(); errand != group_.rend(); ++errand)
        chores_.push_front({std::move(errand->chore), true});
    } else {
      const char* hint = status.code.name == "TRYCREATE" ? "the target mailbox does not exist: " : "";
      report_chores(ChoreDone::Outcome::failed, fmt::format("{}{}", hint, json_escaped(cut_utf8(status.text, 200))));
    }
    return proceed();
  }
  if (step_ == ChoreStep::copy || step_ == ChoreStep::mark) {
    step_ = step_ == ChoreStep::copy ? ChoreStep::mark : ChoreStep::expunge;
    return send_chore_step();
  }
  report_chores(ChoreDone::Outcome::done, {});
  proceed();
}

void Engine::report_chores(ChoreDone::Outcome outcome, const std::string& text) {
  for (const Errand& errand : group_) emit(ChoreDone{errand.chore.id, outcome, text});
  group_.clear();
}

}  // namespace postroom::imap

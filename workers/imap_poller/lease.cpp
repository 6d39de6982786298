#include "workers/imap_poller/lease.hpp"

#include <algorithm>
#include <utility>

namespace postroom::imap_poller {

using messages::ClaimVerdict;
using messages::PollOutcome;
using messages::ReasonClass;

Lease::Lease(messages::ImapPoll job, std::string token, Rules rules)
    : job_(std::move(job)), token_(std::move(token)), rules_(std::move(rules)) {}

Actions Lease::take() {
  if (stage_ == Stage::settling && batches_.empty() && !is_word_open_) is_caught_up_ ? say_progress() : say_end();
  return std::exchange(actions_, {});
}

// --- the claim ---

Actions Lease::begin(SteadyTime now) {
  asked_at_ = heard_at_ = now;
  ask_again_after_ = rules_.claim_answer;
  say_claim(now);
  return take();
}

void Lease::say_claim(SteadyTime now) {
  ask_again_at_ = now + ask_again_after_;
  ask_again_after_ = std::min(2 * ask_again_after_, std::max(rules_.word, rules_.claim_answer));
  actions_.push_back(Say{messages::PollClaim{job_.inbox_id, job_.dispatch_no, token_, rules_.worker}});
}

Actions Lease::on_answer(const messages::PollAnswered& answer, SteadyTime now) {
  if (answer.token != token_ || stage_ == Stage::settling || stage_ == Stage::ending || stage_ == Stage::over) return take();
  heard_at_ = now;
  if (answer.verdict == ClaimVerdict::drop) {
    actions_.push_back(Note{"dropped: " + answer.reason});
    if (stage_ == Stage::claiming) {  // it was never ours
      stage_ = Stage::over;
      actions_.push_back(Finish{});
    } else {
      wind_down(PollOutcome::done, rules_.quick_farewell, now);
    }
    return take();
  }
  if (stage_ == Stage::claiming) {
    if (answer.grant) {
      granted(*answer.grant, now);
    } else {
      fail({ReasonClass::protocol, "the mailbox was granted without saying which"});
    }
    return take();
  }
  auto chores = fresh_chores(answer.grant ? answer.grant->chores : answer.chores);
  if (chores.empty()) return take();
  if (task_) {
    std::ranges::move(chores, std::back_inserter(task_->chores));
  } else if (engine_) {
    perform(engine_->on_chores(std::move(chores), now), now);
  }
  return take();
}

void Lease::granted(const messages::PollGrant& grant, SteadyTime now) {
  const auto uid = [](std::int64_t number) { return static_cast<std::uint32_t>(std::clamp<std::int64_t>(number, 0, 0xffffffff)); };
  stage_ = Stage::connecting;
  folder_ = grant.folder;
  ends_at_ = asked_at_ + Rules::Millis{std::max<std::int64_t>(grant.lease_ms, 0)};
  word_at_ = now + rules_.word;
  task_.emplace();
  task_->mailbox = grant.folder;
  if (grant.cursor) task_->cursor = imap::Cursor{uid(grant.cursor->uid_validity), uid(grant.cursor->last_uid)};
  cursor_ = task_->cursor;
  // INTERNALDATE has whole seconds: a mail of the very second in which the inbox was made is new.
  if (grant.since_us) task_->since = std::chrono::floor<std::chrono::seconds>(from_micros(*grant.since_us));
  for (const std::int64_t skipped : grant.skip) task_->skip.push_back(uid(skipped));
  task_->chores = fresh_chores(grant.chores);
  // Without push nobody waits with an open connection: the ledger gives the mailbox out again at its interval.
  task_->is_watching = grant.is_push;
  engine_settings_ = rules_.engine;
  engine_settings_.uses_idle = grant.is_push;
  engine_settings_.poll_interval = Rules::Millis{std::max<std::int64_t>(grant.interval_ms, 1'000)};
  if (grant.is_careful) {
    engine_settings_.is_careful = true;
    engine_settings_.measure_count = engine_settings_.batch_count = 1;
  }
  actions_.push_back(Connect{grant.site});
}

// --- the connection ---

Actions Lease::on_connected(SteadyTime now) {
  if (stage_ != Stage::connecting) return take();
  stage_ = Stage::talking;
  is_connected_ = true;
  imap::Limits limits;
  limits.body_bytes = std::max(limits.body_bytes, engine_settings_.size_limit + (1 << 20));
  engine_.emplace(*std::exchange(task_, std::nullopt), engine_settings_, limits);
  perform(engine_->start(now), now);
  return take();
}

Actions Lease::on_bytes(std::string_view bytes, SteadyTime now) {
  if (stage_ == Stage::talking) perform(engine_->on_bytes(bytes, now), now);
  return take();
}

Actions Lease::on_disconnected(const Failure& why, SteadyTime now) {
  is_connected_ = false;
  if (stage_ == Stage::connecting) {
    fail(why);
  } else if (stage_ == Stage::talking) {
    const auto actions = engine_->on_closed(now);
    const bool is_failure = !actions.empty() && std::holds_alternative<imap::Failed>(actions.back());
    perform(actions, now);
    if (is_failure && !is_leaving_) failure_ = why;  // the connection knows better what happened to it
  }
  return take();
}

void Lease::hang_up() {
  if (std::exchange(is_connected_, false) || stage_ == Stage::connecting) actions_.push_back(HangUp{});
}

// --- the end ---

// What is under way comes to its end, as far as the time allows.
void Lease::wind_down(PollOutcome outcome, Rules::Millis farewell, SteadyTime now) {
  if (stage_ == Stage::settling || stage_ == Stage::ending || stage_ == Stage::over) return;
  const bool is_first = !std::exchange(is_leaving_, true);
  if (is_first || outcome == PollOutcome::released) outcome_ = outcome;
  farewell_by_ = std::min(farewell_by_.value_or(SteadyTime::max()), now + farewell);
  if (stage_ != Stage::talking) return settle();
  if (is_first) perform(engine_->on_stop(now), now);
}

void Lease::fail(Failure why) {
  if (stage_ == Stage::settling || stage_ == Stage::ending || stage_ == Stage::over) return;
  if (!is_leaving_) {
    outcome_ = PollOutcome::failed;
    failure_ = std::move(why);
  }
  settle();
}

// No conversation any more; the mails that were reported are still kept and told of.
void Lease::settle() {
  hang_up();
  stage_ = Stage::settling;
  engine_wake_.reset();
  mails_.clear();
  asked_.reset();
  is_asking_ = false;
}

Actions Lease::on_stop(SteadyTime now) {
  wind_down(PollOutcome::released, rules_.quick_farewell, now);
  return take();
}

Actions Lease::on_superseded(SteadyTime now) {
  actions_.push_back(Note{"the mailbox was given out again"});
  wind_down(PollOutcome::done, rules_.quick_farewell, now);
  return take();
}

Actions Lease::on_no_space(const Error& why, SteadyTime) {
  fail({ReasonClass::none, "this machine cannot keep mails: " + why.text()});
  return take();
}

void Lease::say_end() {
  stage_ = Stage::ending;
  messages::PollEnded end;
  end.inbox_id = job_.inbox_id;
  end.dispatch_no = job_.dispatch_no;
  end.token = token_;
  end.outcome = outcome_;
  if (outcome_ == PollOutcome::failed) {
    end.reason_class = failure_.reason_class;
    end.reason = failure_.text;
    if (suspect_) end.suspect_uid = *suspect_;
  }
  end.mailbox = facts();
  end.older_count = std::exchange(older_count_, 0);
  end.chores = std::exchange(reports_, {});
  actions_.push_back(Say{std::move(end)});
}

// --- the word ---

std::optional<messages::MailboxFacts> Lease::facts() const {
  if (!mailbox_ || !engine_) return std::nullopt;
  return messages::MailboxFacts{mailbox_->uid_validity, engine_->exists(), mailbox_->is_read_only, engine_->can("IDLE")};
}

std::string_view Lease::activity() const {
  switch (stage_) {
    case Stage::claiming:
      return "claiming";
    case Stage::connecting:
      return "connecting";
    case Stage::talking:
      break;
    default:
      return "leaving";
  }
  switch (engine_->stage()) {
    case imap::Stage::chores:
      return "chores";
    case imap::Stage::listing:
      return "listing";
    case imap::Stage::fetching:
      return "fetching";
    case imap::Stage::resting:
      return "resting";
    case imap::Stage::idling:
      return "watching";
    case imap::Stage::leaving:
    case imap::Stage::closed:
      return "leaving";
    default:
      return "connecting";
  }
}

// At once with chores done, or when everything is told that was there; one at a time, so that a broker that is away does not
// find a heap of them when it comes back.
void Lease::consider_word(SteadyTime now) {
  if ((stage_ != Stage::talking && stage_ != Stage::connecting) || is_word_open_ || is_leaving_) return;
  if (now < word_at_ && (!has_news_ || !batches_.empty())) return;
  word_at_ = now + rules_.word;
  say_progress();
}

void Lease::say_progress() {
  messages::PollProgress word;
  word.inbox_id = job_.inbox_id;
  word.dispatch_no = job_.dispatch_no;
  word.token = token_;
  word.stage = activity();
  word.mailbox = facts();
  word.older_count = std::exchange(older_count_, 0);
  word.is_caught_up = batches_.empty() && std::exchange(is_caught_up_, false);
  word.chores = std::exchange(reports_, {});
  word.notice = std::exchange(notice_, {});
  if (word.is_caught_up && !is_asking_) asked_.reset();
  if (asked_) word.asking_uid = *asked_;
  noting_ = std::exchange(is_asking_, false) ? asked_ : std::nullopt;
  has_news_ = is_caught_up_;
  is_word_open_ = true;
  actions_.push_back(Say{std::move(word)});
}

Actions Lease::on_confirmed_word(SteadyTime now) {
  if (stage_ == Stage::ending) {
    stage_ = Stage::over;
    actions_.push_back(Finish{});
    return take();
  }
  is_word_open_ = false;
  if (const auto noted = std::exchange(noting_, std::nullopt); noted && stage_ == Stage::talking) perform(engine_->on_noted(*noted, now), now);
  consider_word(now);
  return take();
}

// --- time ---

Actions Lease::on_time(SteadyTime now) {
  if (stage_ == Stage::claiming && now >= ask_again_at_) say_claim(now);
  if (stage_ == Stage::connecting || stage_ == Stage::talking) {
    if (farewell_by_ && now >= *farewell_by_) {
      if (stage_ == Stage::talking) perform(engine_->on_closed(now), now);  // what is whole by now is reported
      if (stage_ != Stage::settling) settle();
      return take();
    }
    if (!is_leaving_ && now >= *ends_at_) wind_down(PollOutcome::done, rules_.farewell, now);
    if (!is_leaving_ && now >= heard_at_ + rules_.silence) {
      actions_.push_back(Note{"the ledger is silent: it gives the mailbox to another"});
      wind_down(PollOutcome::done, rules_.quick_farewell, now);
    }
  }
  if (stage_ == Stage::talking && engine_wake_ && now >= *engine_wake_) {
    engine_wake_.reset();
    perform(engine_->on_time(now), now);
  }
  consider_word(now);
  return take();
}

std::optional<SteadyTime> Lease::due() const {
  if (stage_ == Stage::claiming) return ask_again_at_;
  if (stage_ != Stage::connecting && stage_ != Stage::talking) return std::nullopt;
  SteadyTime first = farewell_by_.value_or(SteadyTime::max());
  if (!is_leaving_) {
    first = std::min({first, *ends_at_, heard_at_ + rules_.silence});
    if (!is_word_open_) first = std::min(first, word_at_);
  }
  if (engine_wake_) first = std::min(first, *engine_wake_);
  return first;
}

}  // namespace postroom::imap_poller

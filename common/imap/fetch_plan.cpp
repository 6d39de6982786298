#include "common/imap/fetch_plan.hpp"

#include <algorithm>

namespace postroom::imap {

namespace {

// A hostile server could give each of hundreds of mails 64 KiB of flags.
void keep_flags(FetchPlan::Mail& mail, const std::vector<std::string>& flags) {
  constexpr std::size_t most = 64;
  constexpr std::size_t longest = 100;
  mail.flags.clear();
  for (const std::string& flag : flags) {
    if (flag.size() <= longest && mail.flags.size() < most) mail.flags.push_back(flag);
  }
}

}  // namespace

void FetchPlan::begin(std::vector<Uid> found) {
  found_ = std::move(found);
  next_ = 0;
  has_got_any_ = false;
}

Uid FetchPlan::reported_up_to(Uid before) const {
  const auto taken = found_.begin() + static_cast<std::ptrdiff_t>(next_);
  const auto open = mails_.empty() ? taken : std::lower_bound(found_.begin(), taken, mails_.begin()->first);
  return open == found_.begin() ? before : std::max(before, *std::prev(open));
}

std::vector<Uid> FetchPlan::take_to_measure() {
  std::vector<Uid> uids;
  std::size_t waiting_count = 0;
  for (auto& [uid, mail] : mails_) {
    if (mail.state == State::waiting) ++waiting_count;
    if (mail.state != State::to_measure || uids.size() == settings_.measure_count) continue;
    if (mail.measure_alone && !uids.empty()) continue;
    mail.state = State::measuring;
    uids.push_back(uid);
    if (mail.measure_alone) return uids;
  }
  if (!uids.empty() || waiting_count >= settings_.batch_count) return uids;
  if (settings_.is_careful && (mails_.size() > refused_count_ || !unkept_.empty())) return uids;
  while (next_ < found_.size() && uids.size() < settings_.measure_count) {
    uids.push_back(found_[next_]);
    mails_.emplace(found_[next_], Mail{});
    ++next_;
  }
  return uids;
}

std::uint64_t FetchPlan::expected_bytes(const Mail& mail) const {
  return mail.is_header_only ? std::min(mail.size, settings_.header_limit) : mail.size;
}

// One mail is always let through, however large.
bool FetchPlan::has_room(std::size_t count, std::uint64_t bytes) const {
  if (asked_count_ + unkept_.size() == 0) return true;
  return asked_count_ + unkept_.size() + count <= settings_.window_count &&
         window_bytes_ + bytes <= settings_.window_bytes;
}

std::optional<FetchPlan::Ask> FetchPlan::take_to_ask() {
  Ask ask;
  for (auto& [uid, mail] : mails_) {
    if (mail.state != State::waiting) continue;
    const std::uint64_t bytes = expected_bytes(mail);
    if (!has_room(1, bytes)) break;
    if (!ask.uids.empty()) {
      if (mail.ask_alone || mail.is_header_only != ask.is_header_only) break;
      if (ask.uids.size() == settings_.batch_count || ask.byte_count + bytes > settings_.batch_bytes) break;
    }
    ask.is_header_only = mail.is_header_only;
    ask.byte_count += bytes;
    ask.uids.push_back(uid);
    mail.asked_bytes = bytes;
    to_state(mail, State::asked);
    if (mail.ask_alone) break;
  }
  if (ask.uids.empty()) return std::nullopt;
  return ask;
}

FetchPlan::Mail* FetchPlan::find(Uid uid) {
  const auto found = mails_.find(uid);
  return found == mails_.end() ? nullptr : &found->second;
}

bool FetchPlan::is_any_asked() const {
  return asked_count_ > 0;
}

void FetchPlan::to_state(Mail& mail, State state) {
  if (mail.state == State::asked) {
    --asked_count_;
    window_bytes_ -= mail.asked_bytes;
  }
  if (mail.state == State::refused) --refused_count_;
  mail.state = state;
  if (mail.state == State::asked) {
    ++asked_count_;
    window_bytes_ += mail.asked_bytes;
  }
  if (mail.state == State::refused) ++refused_count_;
}

void FetchPlan::measured(Mail& mail, const Fetch& fetch) {
  mail.is_measured = true;
  mail.size = *fetch.size;
  if (fetch.received_at) mail.received_at = fetch.received_at;
  if (fetch.flags) keep_flags(mail, *fetch.flags);
  mail.is_header_only = mail.is_header_only || mail.size > settings_.size_limit;
  to_state(mail, State::waiting);
}

void FetchPlan::measure_again(Mail& mail, bool is_alone) {
  mail.measure_alone = mail.measure_alone || is_alone;
  to_state(mail, State::to_measure);
}

void FetchPlan::doubt(Mail& mail, std::string trouble) {
  mail.trouble = std::move(trouble);
  mail.is_doubted = true;
  measure_again(mail, false);
}

void FetchPlan::refuse(Mail& mail, std::string trouble) {
  mail.trouble = std::move(trouble);
  to_state(mail, State::refused);
}

std::vector<std::pair<Uid, std::string>> FetchPlan::take_refused() {
  std::vector<std::pair<Uid, std::string>> refused;
  for (const auto& [uid, mail] : mails_) {
    if (mail.state == State::refused) refused.emplace_back(uid, mail.trouble);
  }
  for (const auto& [uid, trouble] : refused) forget(uid);
  return refused;
}

std::optional<Uid> FetchPlan::refused_for_now() const {
  if (has_got_any_) return std::nullopt;
  for (const auto& [uid, mail] : mails_) {
    if (mail.state == State::refused && mail.may_pass) return uid;
  }
  return std::nullopt;
}

void FetchPlan::finish(Uid uid, std::uint64_t unkept_bytes) {
  forget(uid);
  has_got_any_ = true;
  if (unkept_.emplace(uid, unkept_bytes).second) window_bytes_ += unkept_bytes;
}

void FetchPlan::forget(Uid uid) {
  const auto found = mails_.find(uid);
  if (found == mails_.end()) return;
  to_state(found->second, State::waiting);
  mails_.erase(found);
}

void FetchPlan::kept(Uid up_to) {
  const auto end = unkept_.upper_bound(up_to);
  for (auto at = unkept_.begin(); at != end; ++at) window_bytes_ -= at->second;
  unkept_.erase(unkept_.begin(), end);
}

}  // namespace postroom::imap

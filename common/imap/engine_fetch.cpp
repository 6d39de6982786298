// Sizes first, then bodies in batches, with the sizes of the next batch under way; and what becomes of mails that do
// not come.

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "common/base/text.hpp"
#include "common/imap/engine.hpp"

namespace postroom::imap {

namespace {

constexpr std::size_t body_commands = 2;  // under way at the same time, so that the server never waits for us

std::string_view wanted_section(const FetchPlan::Mail& mail) {
  return mail.is_header_only ? "HEADER" : "";
}

// A NO that does not say that it is for good (RFC 5530).
bool may_pass(const Status& status) {
  constexpr std::array<std::string_view, 7> for_good = {"CORRUPTION", "CANNOT", "NOPERM", "NONEXISTENT", "EXPUNGEISSUED", "PARSE", "UNKNOWN-CTE"};
  return status.condition == Condition::no && std::find(for_good.begin(), for_good.end(), status.code.name) == for_good.end();
}

std::string readable(const Status& status) {
  return json_escaped(cut_utf8(status.text, 200));
}

}  // namespace

void Engine::fetch() {
  if (!is_stopping_) {
    measure_more();
    ask_more();
  }
  report_progress();
  if (!pending_.empty() || stage_ == Stage::closed) return;
  if (asking_) return is_stopping_ ? leave() : void();
  if (plan_.refused_count() > 0) {  // nothing left that could clear them
    if (const auto uid = plan_.refused_for_now()) {
      if (is_stopping_) return leave();
      return fail({Code::unavailable, fmt::format("the server refuses the mail: {}", plan_.find(*uid)->trouble), task_.mailbox}, uid);
    }
    report_refused();
    return fetch();
  }
  if (plan_.is_done()) return finish_round();
  if (is_stopping_) return leave();
  // From here only on_kept leads on: the window is full.
}

void Engine::measure_more() {
  while (!is_pending(Kind::measure) && !asking_) {
    std::vector<Uid> uids = plan_.take_to_measure();
    if (uids.empty()) return;
    std::erase_if(uids, [this](Uid uid) {
      if (!std::binary_search(task_.skip.begin(), task_.skip.end(), uid)) return false;
      emit(MailMissing{uid, MailMissing::Why::skipped, "the conversation broke at this mail before"});
      plan_.forget(uid);
      return true;
    });
    if (uids.empty()) continue;
    if (settings_.is_careful && noted_ != uids.front()) {
      asking_ = uids.front();
      return emit(Asking{*asking_});
    }
    measure(std::move(uids));
  }
}

void Engine::measure(std::vector<Uid> uids) {
  const bool is_any_doubted = std::any_of(uids.begin(), uids.end(), [this](Uid uid) { return plan_.find(uid)->is_doubted; });
  std::string tag = next_tag();
  if (is_any_doubted) {  // what others removed stays visible, as mails without a body, until NOOP (Dovecot)
    issue(Kind::sync, CommandWriter(tag, "NOOP").line(), tag, settings_.command_timeout);
    tag = next_tag();
  }
  auto line = CommandWriter(tag, "UID FETCH").uids(uids).word("(UID RFC822.SIZE INTERNALDATE FLAGS)").line();
  issue(Kind::measure, std::move(line), tag, settings_.command_timeout, std::move(uids));
}

void Engine::ask_more() {
  while (std::count_if(pending_.begin(), pending_.end(), [](const Pending& p) { return p.kind == Kind::bodies; }) <
         static_cast<std::ptrdiff_t>(body_commands)) {
    auto ask = plan_.take_to_ask();
    if (!ask) return;
    const std::string items = ask->is_header_only ? fmt::format("(UID BODY.PEEK[HEADER]<0.{}>)", settings_.header_limit)
                                                  : "(UID BODY.PEEK[])";
    const auto allowance = settings_.command_timeout +
                           std::chrono::seconds{ask->byte_count / std::max<std::uint64_t>(settings_.least_rate, 1)};
    std::string tag = next_tag();
    auto line = CommandWriter(tag, "UID FETCH").uids(ask->uids).word(items).line();
    issue(Kind::bodies, std::move(line), tag, allowance, std::move(ask->uids));
  }
}

void Engine::on_body_begin(const BodyBegin& begin) {
  if (delivery_ && delivery_->is_begun) {  // a second body in one answer: nobody asked for that
    delivery_->takes_bytes = false;
    return;
  }
  const FetchPlan::Mail* mail = begin.uid ? plan_.find(*begin.uid) : nullptr;
  const bool is_wanted =
      begin.uid ? mail != nullptr && mail->state == FetchPlan::State::asked && begin.section == wanted_section(*mail)
                : plan_.is_any_asked() && (begin.section.empty() || begin.section == "HEADER");
  Delivery delivery{.section = begin.section, .byte_count = begin.byte_count, .uid = begin.uid};
  delivery.is_too_large = is_wanted && begin.section.empty() && begin.byte_count > settings_.size_limit;
  delivery.is_begun = delivery.takes_bytes = is_wanted && !delivery.is_too_large;
  if (delivery.is_begun) emit(MailBegin{begin.uid, begin.byte_count});
  delivery_ = std::move(delivery);
}

void Engine::on_body_chunk(std::string_view bytes) {
  if (delivery_ && delivery_->takes_bytes) emit(MailChunk{bytes});
}

void Engine::on_fetch(const Fetch& fetch) {
  const auto delivery = std::exchange(delivery_, std::nullopt);
  if (fetch.uid && stage_ == Stage::listing) collect(*fetch.uid);
  FetchPlan::Mail* mail = fetch.uid ? plan_.find(*fetch.uid) : nullptr;
  const bool is_asked = mail != nullptr && mail->state == FetchPlan::State::asked;
  if (delivery && delivery->is_begun) {
    if (is_asked && delivery->section == wanted_section(*mail))
      return end_mail(*fetch.uid, *mail, delivery->byte_count);
    return emit(MailDropped{});
  }
  if (mail == nullptr) return;
  if (mail->state == FetchPlan::State::measuring && fetch.size) return on_size(*fetch.uid, *mail, fetch);
  if (!is_asked) return;
  if (delivery && delivery->is_too_large) {  // its stated size was wrong
    mail->is_header_only = true;
    mail->size = std::max(mail->size, delivery->byte_count);
    return plan_.ask_again(*mail);
  }
  for (const Fetch::Body& body : fetch.bodies) {
    if (body.section == wanted_section(*mail)) return on_unstreamed(*fetch.uid, *mail, body);
  }
}

void Engine::on_size(Uid uid, FetchPlan::Mail& mail, const Fetch& fetch) {
  plan_.measured(mail, fetch);
  if (mail.is_doubted) return refuse(mail, std::move(mail.trouble));
  if (!leaves_old_alone_ || !mail.received_at || *mail.received_at >= *task_.since) return;
  ++older_count_;
  plan_.forget(uid);
}

void Engine::on_unstreamed(Uid uid, FetchPlan::Mail& mail, const Fetch::Body& body) {
  if (body.form != Fetch::Body::Form::quoted) {
    mail.trouble = "the server has no body for it";
    return;
  }
  emit(MailBegin{uid, body.byte_count});
  emit(MailChunk{quoted_.emplace_back(body.quoted)});
  end_mail(uid, mail, body.byte_count);
}

void Engine::end_mail(Uid uid, FetchPlan::Mail& mail, std::uint64_t byte_count) {
  const auto extent = mail.is_header_only ? MailEnd::Extent::header_only : MailEnd::Extent::whole;
  emit(MailEnd{uid, byte_count, mail.size, mail.received_at, std::move(mail.flags), extent});
  plan_.finish(uid, byte_count);
  report_refused();  // the server is well: it was the mails
}

// The server as a whole is unwell, and says so (RFC 5530): no mail is to blame.
bool Engine::fails_for_now(const Status& status) {
  const std::string& code = status.code.name;
  if (status.condition == Condition::ok || (code != "UNAVAILABLE" && code != "INUSE" && code != "LIMIT")) return false;
  fail({code == "LIMIT" ? Code::rate_limited : Code::unavailable,
        fmt::format("the server gives no mail now: {}", readable(status)), task_.mailbox});
  return true;
}

void Engine::measure_completed(const Status& status, const std::vector<Uid>& uids) {
  if (fails_for_now(status)) return;
  const bool is_alone = uids.size() == 1;
  for (const Uid uid : uids) {
    FetchPlan::Mail* mail = plan_.find(uid);
    if (mail == nullptr || mail->state != FetchPlan::State::measuring) continue;
    mail->may_pass = is_alone && may_pass(status);
    if (status.condition != Condition::ok) {
      is_alone ? refuse(*mail, readable(status)) : plan_.measure_again(*mail, true);
    } else if (++mail->left_out < 2) {
      plan_.measure_again(*mail, false);
    } else if (malformed_line_.empty()) {
      emit(MailMissing{uid, MailMissing::Why::gone, "the server does not know it any more"});
      plan_.forget(uid);
    } else {
      is_alone ? refuse(*mail, malformed_line_) : plan_.measure_again(*mail, true);
    }
  }
  if (stage_ == Stage::fetching) fetch();
}

void Engine::bodies_completed(const Status& status, const std::vector<Uid>& uids) {
  if (fails_for_now(status)) return;
  const bool is_alone = uids.size() == 1;
  for (const Uid uid : uids) {
    FetchPlan::Mail* mail = plan_.find(uid);
    if (mail == nullptr || mail->state != FetchPlan::State::asked) continue;
    mail->may_pass = is_alone && may_pass(status);
    const bool is_left_out = status.condition == Condition::ok && mail->trouble.empty();
    if (is_left_out && !mail->ask_alone) {
      plan_.measure_again(*mail, false);  // somebody may have removed it meanwhile
    } else if (is_left_out) {
      plan_.doubt(*mail, malformed_line_.empty() ? "the server answers without it" : malformed_line_);
    } else if (is_alone) {
      plan_.doubt(*mail, status.condition == Condition::ok ? mail->trouble : readable(status));
    } else {
      plan_.ask_again(*mail);
    }
    mail->ask_alone = true;
  }
  if (stage_ == Stage::fetching) fetch();
}

// Held until a mail comes through or nothing is left to try: a server that refuses every mail has a bad day, and no
// mail may be given up for it.
void Engine::refuse(FetchPlan::Mail& mail, std::string trouble) {
  plan_.refuse(mail, std::move(trouble));
  if (plan_.refused_count() >= settings_.refusal_limit) {
    fail({Code::unavailable, fmt::format("the server refuses one mail after the other: {}", mail.trouble),
          task_.mailbox});
  }
}

void Engine::report_refused() {
  if (plan_.refused_count() == 0) return;
  for (auto& [uid, trouble] : plan_.take_refused())
    emit(MailMissing{uid, MailMissing::Why::unfetchable, std::move(trouble)});
}

}  // namespace postroom::imap

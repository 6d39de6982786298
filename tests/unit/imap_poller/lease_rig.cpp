#include "tests/unit/imap_poller/lease_rig.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "common/base/text.hpp"

namespace postroom::imap_poller {

namespace {

template <class... Cases>
struct Overloaded : Cases... {
  using Cases::operator()...;
};

Rules rules() {
  Rules rules;
  rules.worker = "imap_poller-1";
  return rules;
}

std::string show(const messages::PollProgress& word) {
  std::string text = "say progress " + word.stage;
  if (word.mailbox) text += fmt::format(" {}/{}{}", word.mailbox->uid_validity, word.mailbox->exists, word.mailbox->can_push ? " push" : "");
  if (word.older_count > 0) text += fmt::format(" older={}", word.older_count);
  if (word.is_caught_up) text += " caught up";
  for (const auto& chore : word.chores) text += fmt::format(" {}={}", chore.chore_id, messages::name_of(chore.result));
  if (!word.notice.empty()) text += " notice: " + word.notice;
  if (word.asking_uid) text += fmt::format(" asks for {}", *word.asking_uid);
  return text;
}

std::string show(const messages::PollEnded& end) {
  std::string text = fmt::format("say ended {}", messages::name_of(end.outcome));
  if (end.outcome == messages::PollOutcome::failed) text += fmt::format(" {}: {}", messages::name_of(end.reason_class), end.reason);
  if (end.suspect_uid) text += fmt::format(" (suspect {})", *end.suspect_uid);
  if (end.older_count > 0) text += fmt::format(" older={}", end.older_count);
  for (const auto& chore : end.chores) text += fmt::format(" {}={}", chore.chore_id, messages::name_of(chore.result));
  return text;
}

}  // namespace

LeaseRig::LeaseRig() : lease({inbox, 7}, "token", rules()) {}

messages::PollGrant LeaseRig::usual() {
  messages::PollGrant grant;
  grant.site = {"connection", "imaps://mail.example.org", "desk", "sealed"};
  grant.folder = "INBOX";
  grant.cursor = messages::MailboxCursor{9, 10};
  grant.lease_ms = 1'200'000;
  return grant;
}

void LeaseRig::take(Actions actions) {
  for (const Action& action : actions) {
    lines_.push_back(std::visit(
        Overloaded{[](const Connect& it) { return "connect " + it.site.base_url; },
                   [](const Transmit& it) { return "> " + std::string{trimmed(it.bytes)}; }, [](HangUp) { return std::string{"hang up"}; },
                   [](BeginMail) { return std::string{"begin"}; },
                   [](const AddBytes& it) { return fmt::format("bytes {}", it.bytes.size()); },
                   [](const EndMail& it) { return fmt::format("end {}", it.uid); }, [](DropMail) { return std::string{"drop"}; },
                   [this](const Keep& it) {
                     keeps_[it.batch] = it.uids;
                     return fmt::format("keep {}: {}", it.batch, fmt::join(it.uids, " "));
                   },
                   [this](const Publish& it) {
                     std::string text = fmt::format("publish {}:", it.batch);
                     for (const auto& mail : it.mails) {
                       text += fmt::format(" {}<-{} {}", mail.uid, mail.previous_uid, messages::name_of(mail.extent));
                       arrivals.push_back(mail);
                     }
                     return text;
                   },
                   [this](const Say& it) {
                     return std::visit(Overloaded{[this](const messages::PollClaim& claim) {
                                                    claims.push_back(claim);
                                                    return std::string{"say claim"};
                                                  },
                                                  [this](const messages::PollProgress& word) {
                                                    words.push_back(word);
                                                    return show(word);
                                                  },
                                                  [this](const messages::PollEnded& end) {
                                                    ends.push_back(end);
                                                    return show(end);
                                                  }},
                                       it.word);
                   },
                   [](const Note& it) { return "note " + it.text; }, [](Finish) { return std::string{"finish"}; }},
        action));
  }
}

std::string LeaseRig::seen() {
  std::string text = fmt::format("{}", fmt::join(lines_, "\n"));
  lines_.clear();
  return text;
}

std::string LeaseRig::seen(std::string_view beginning) {
  std::erase_if(lines_, [&](const std::string& line) { return !line.starts_with(beginning); });
  return seen();
}

void LeaseRig::grant(messages::PollGrant what) {
  messages::PollAnswered answer;
  answer.verdict = messages::ClaimVerdict::send;
  answer.grant = std::move(what);
  this->answer(std::move(answer));
}

void LeaseRig::answer(messages::PollAnswered what) {
  what.inbox_id = inbox;
  what.dispatch_no = 7;
  if (what.token.empty()) what.token = "token";
  take(lease.on_answer(what, now));
}

void LeaseRig::drop(std::string reason) {
  messages::PollAnswered answer;
  answer.verdict = messages::ClaimVerdict::drop;
  answer.reason = std::move(reason);
  this->answer(std::move(answer));
}

void LeaseRig::server(std::string_view lines) {
  std::string bytes;
  for (const auto line : split(lines, '\n')) bytes += fmt::format("{}\r\n", trimmed(line));
  take(lease.on_bytes(bytes, now));
}

void LeaseRig::kept(std::uint64_t batch) {
  Lease::Kept kept;
  for (const auto uid : keeps_.at(batch)) kept[uid] = {fmt::format("{:064}", uid), 1};
  take(lease.on_kept(batch, kept, now));
}

void LeaseRig::pass(std::chrono::milliseconds time) {
  const SteadyTime then = now + time;
  for (int steps = 0; steps < 10'000; ++steps) {
    const auto due = lease.due();
    if (!due || *due > then) break;
    now = std::max(now, *due);
    take(lease.on_time(now));
  }
  now = then;
}

void LeaseRig::open(messages::PollGrant what, std::string_view found, std::string_view capabilities) {
  begin();
  grant(std::move(what));
  connected();
  server(fmt::format("* CAPABILITY {}\nP1 OK done", capabilities));
  server("* 100 EXISTS\n* OK [UIDVALIDITY 9] ok\n* OK [UIDNEXT 1000] ok\nP2 OK [READ-WRITE] done");
  server(fmt::format("* SEARCH{}{}\nP3 OK done", found.empty() ? "" : " ", found));
}

void LeaseRig::bring(std::initializer_list<imap::Uid> uids, int first_tag) {
  std::string sizes;
  std::string bodies;
  for (const auto uid : uids) {
    sizes += fmt::format("* {0} FETCH (UID {0} RFC822.SIZE 1 INTERNALDATE \"20-Nov-2026 10:00:00 +0000\" FLAGS ())\n", uid);
    bodies += fmt::format("* {0} FETCH (UID {0} BODY[] {{1}}\nx)\n", uid);
  }
  server(fmt::format("{}P{} OK done", sizes, first_tag));
  server(fmt::format("{}P{} OK done", bodies, first_tag + 1));
}

}  // namespace postroom::imap_poller

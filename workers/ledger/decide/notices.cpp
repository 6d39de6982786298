#include "workers/ledger/decide/notices.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <functional>

#include "common/codec/codec.hpp"
#include "common/mail/address.hpp"

namespace postroom::ledger {

using messages::MailNotice;
using messages::NoticeKind;

namespace {

constexpr std::int64_t an_hour = 3'600'000'000;  // microseconds

// "in_progress" → "in progress"
std::string state_for_people(messages::TicketState state) {
  std::string text{messages::name_of(state)};
  std::ranges::replace(text, '_', ' ');
  return text;
}

// A notice in the making: the first rule that speaks against it ends it.
struct Telling {
  Decision& decision;
  Context& context;
  const State& state;
  const store::TicketRow& ticket;
  const std::optional<store::MailRow>& origin;         // the mail that became the ticket
  const std::optional<store::MailInboxRow>& inbox;     // that it came by

  std::string recipient() const { return mail::canonical_address(ticket.creator_email.value_or("")); }
  std::string sender() const { return inbox ? inbox->address : state.settings.sender_address.value_or(""); }

  // Servers date mails with whole seconds: one of the second in which the inbox was made is not old.
  bool is_old_mail() const { return origin && inbox && origin->received_at < inbox->created_at - inbox->created_at % 1'000'000; }
  bool is_automatic() const { return origin && origin->is_auto; }
  bool is_own(const std::string& address) const { return address == mail::canonical_address(sender()) || std::ranges::find(state.own_addresses, address) != state.own_addresses.end(); }

  // Why nobody is told; empty: nothing speaks against it.
  std::string_view obstacle(NoticeKind kind) const {
    const std::string address = recipient();
    if (is_own(address)) return "it is an address of ours";
    if (mail::takes_no_answers(address)) return "the address takes no answers";
    if (is_automatic()) return "a machine wrote the mail";
    if (kind != NoticeKind::comment && is_old_mail()) return "the mail is older than its inbox";
    if (!state.smtp) return "there is no connection to send mail by: name one in the settings or at the inbox";
    if (!mail::is_addr_spec(sender())) return "there is no address to send from: name one in the settings";
    return "";
  }

  void say_why_not(std::string_view why) {
    note(decision, context, {ticket.correlation_id, ticket.id, {}, {}}, "ledger", "not_told", detail({{"recipient", recipient()}, {"why", std::string{why}}}));
  }

  // One more than any of the ticket's mails has: they are sent in the order in which they were caused.
  std::int64_t next_seq() const {
    std::int64_t last = state.last_mail_seq;
    for (const auto& change : decision.changes) {
      const auto* planned = std::get_if<store::DeliveryRow>(&change.after);
      if (planned != nullptr && planned->kind == mail_kind && planned->ticket_id == ticket.id) last = std::max(last, planned->seq);
    }
    return last + 1;
  }

  std::int64_t due_at() const {
    const auto& recent = state.recent_mails;
    return recent.count < context.config.notify.hourly_limit ? context.now : std::max(context.now, recent.oldest_at + an_hour);
  }

  MailNotice draft(NoticeKind kind) const {
    MailNotice notice;
    notice.kind = kind;
    notice.sender_address = sender();
    notice.sender_name = state.settings.sender_name.value_or(context.config.installation.name);
    notice.recipient = *ticket.creator_email;
    notice.recipient_name = ticket.creator_name;
    notice.state = state_for_people(ticket.state);
    notice.references = state.thread_ids;
    notice.date = to_rfc3339(from_micros(context.now));
    return notice;
  }

  void plan(const MailNotice& notice, std::string cause) {
    store::DeliveryRow delivery;
    delivery.id = context.ids.next();
    delivery.ticket_id = ticket.id;
    delivery.board_id = ticket.board_id;
    delivery.cause = std::move(cause);
    delivery.destination_id = state.smtp->id;
    delivery.worker = messages::worker_of(messages::ConnectionKind::smtp);
    delivery.kind = mail_kind;
    delivery.recipient = recipient();
    delivery.state = store::DeliveryState::waiting;
    delivery.step = store::DeliveryStep::send;
    delivery.due_at = due_at();
    delivery.seq = next_seq();
    delivery.created_at = context.now;
    delivery.notice = codec::encode(notice);
    note(decision, context, {ticket.correlation_id, ticket.id, delivery.id, {}}, "ledger", "notice_planned",
         detail({{"kind", std::string{messages::name_of(notice.kind)}}, {"recipient", delivery.recipient}, {"cause", delivery.cause}}));
    decision.touched.push_back(delivery.destination_id);
    decision.insert(std::move(delivery));
  }
};

// `is_wanted`: by the settings. Nothing is said about what nobody wanted, nor where there is nobody to tell.
void tell(Telling telling, NoticeKind kind, bool is_wanted, std::string cause, const std::function<void(MailNotice&)>& fill) {
  if (!is_wanted || !mail::is_addr_spec(telling.ticket.creator_email.value_or(""))) return;
  if (const auto why = telling.obstacle(kind); !why.empty()) {
    // Said once for the ticket, and again only where a person's words stay unsent.
    if (kind != NoticeKind::state) telling.say_why_not(why);
    return;
  }
  MailNotice notice = telling.draft(kind);
  fill(notice);
  telling.plan(notice, std::move(cause));
}

}  // namespace

void notify_opened(Decision& decision, Context& context, const State& state, const store::TicketRow& ticket) {
  // A ticket that a mail becomes just now: that mail is the one in hand.
  const bool is_in_hand = !state.origin && state.mail && state.mail->arrival_id == ticket.arrival_id;
  tell({decision, context, state, ticket, is_in_hand ? state.mail : state.origin, is_in_hand ? state.mailbox : state.inbox}, NoticeKind::confirmation,
       state.settings.is_confirming, "ticket.opened", [](MailNotice&) {});
}

void notify_state(Decision& decision, Context& context, const State& state, const store::TicketRow& ticket, std::optional<std::string> note) {
  tell({decision, context, state, ticket, state.origin, state.inbox}, NoticeKind::state, state.settings.is_telling_states, fmt::format("state:{}", ticket.version),
       [&](MailNotice& notice) { notice.note = std::move(note); });
}

void notify_comment(Decision& decision, Context& context, const State& state, const store::TicketRow& ticket, const store::CommentRow& comment) {
  const bool is_ours = !comment.arrival_id.has_value();
  tell({decision, context, state, ticket, state.origin, state.inbox}, NoticeKind::comment, comment.is_public && is_ours, fmt::format("comment:{}", comment.id),
       [&](MailNotice& notice) {
         notice.comment_text = comment.text;
         notice.comment_author = comment.author_name.value_or(comment.actor);
       });
}

}  // namespace postroom::ledger

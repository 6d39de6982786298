#include "workers/ledger/decide/mail_verdict.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "common/mail/address.hpp"

namespace postroom::ledger {

namespace {

constexpr std::size_t most_answered = 60;  // Message-IDs that are looked up for one mail

mail::Analysis analysis_of(const messages::ParsedMail& parsed) {
  mail::Analysis out;
  out.title = parsed.title;
  out.sender = {parsed.sender_name, parsed.sender_address};
  out.auto_mail = {parsed.is_auto, parsed.is_list, parsed.is_out_of_office, parsed.is_own, parsed.auto_reason};
  if (const auto& told = parsed.bounce) {
    mail::Bounce bounce;
    bounce.first = {told->recipient, told->status, mail::BounceAction::failed, told->reason};
    for (const auto action : {mail::BounceAction::delayed, mail::BounceAction::delivered, mail::BounceAction::relayed, mail::BounceAction::expanded}) {
      if (told->action == mail::name_of(action)) bounce.first.action = action;
    }
    bounce.original_message_id = told->original_message_id;
    out.bounce = std::move(bounce);
  }
  out.is_answer = parsed.is_answer;
  out.may_be_confirmed = parsed.may_be_confirmed;
  return out;
}

const Boards& boards_of(const State& state) {
  static const Boards none;
  return state.boards ? *state.boards : none;
}

mail::Route route_of(const State& state, const messages::ParsedMail& parsed) {
  if (!state.mail->assigned_board.empty()) return assigned_route(state);  // an operator's word goes before all rules
  mail::RoutedInbox inbox;
  if (state.mailbox) inbox = {state.mailbox->name, state.mailbox->board_id.value_or("")};
  return mail::route(inbox, parsed.subject, boards_of(state).routed, state.settings.default_board_id.value_or(""));
}

mail::ThreadedBy threaded_by(FoundThread::By by) {
  if (by == FoundThread::By::signed_id) return mail::ThreadedBy::signed_id;
  return by == FoundThread::By::subject_number ? mail::ThreadedBy::subject_number : mail::ThreadedBy::references;
}

// One mail to two of our mailboxes is two mails; two copies of one reply on one ticket are one.
bool is_same_mail(const State& state) {
  const auto& same = state.same_content;
  if (!same) return false;
  return same->inbox_id == state.mail->inbox_id || (state.thread && same->ticket_id == state.thread->ticket.id);
}

}  // namespace

mail::Route assigned_route(const State& state) {
  const Boards& boards = boards_of(state);
  const auto found = std::ranges::find(boards.routed, state.mail->assigned_board, &mail::RoutedBoard::id);
  if (found == boards.routed.end()) return {"", "", "it was assigned to a board that does not exist any more"};
  if (!found->is_active) return {"", "", fmt::format("it was assigned to board {}, which is archived", found->name)};
  return {found->id, found->name, fmt::format("it was assigned to board {}", found->name)};
}

const store::BoardRow* board_of(const State& state, const mail::Route& route) {
  const auto& rows = boards_of(state).rows;
  const auto row = std::ranges::find(rows, route.board_id, &store::BoardRow::id);
  return row == rows.end() ? nullptr : &*row;
}

MailTrace trace_of(const messages::ParsedMail& parsed) {
  MailTrace trace;
  trace.message_id = parsed.message_id;
  trace.content_key = parsed.content_key;
  trace.sender_subject_key = parsed.sender_subject_key;
  trace.sender_address = mail::canonical_address(parsed.sender_address);
  const auto add = [&](const std::string& id) {
    const bool is_known = id.empty() || std::ranges::find(trace.answered, id) != trace.answered.end();
    if (!is_known && trace.answered.size() < most_answered) trace.answered.push_back(id);
  };
  for (const auto& id : parsed.in_reply_to) add(id);
  for (auto id = parsed.references.rbegin(); id != parsed.references.rend(); ++id) add(*id);
  // A report about a mail that somebody else sent belongs where that mail belongs.
  if (parsed.bounce) add(parsed.bounce->original_message_id);
  trace.thread = parsed.thread;
  trace.subject_number = parsed.subject_number;
  if (parsed.bounce && parsed.bounce->original) trace.bounced_delivery = parsed.bounce->original->delivery_id;
  return trace;
}

MailVerdict verdict_of(const State& state, const messages::ParsedMail& parsed) {
  mail::Known known;
  if (state.bounced) known.reported = mail::Reported::ours;
  if (is_same_mail(state)) known.same_mail = state.same_content->arrival_id;
  // Whoever assigned it saw that it is not the other one.
  if (state.same_sender_subject && state.mail->assigned_board.empty()) known.same_sender_subject = state.same_sender_subject->arrival_id;
  if (state.thread) {
    known.thread = mail::KnownThread{fmt::format("{}", state.thread->ticket.number), threaded_by(state.thread->by), state.thread->is_participant};
  }
  const mail::Route route = route_of(state, parsed);
  MailVerdict out;
  out.decision = mail::decide(analysis_of(parsed), known, route);
  if (out.decision.verdict == mail::Verdict::duplicate) out.first = known.same_mail.empty() ? &*state.same_sender_subject : &*state.same_content;
  if (out.decision.verdict == mail::Verdict::ticket) out.board = board_of(state, route);
  return out;
}

}  // namespace postroom::ledger

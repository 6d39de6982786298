// A mail was read: what becomes of it. The verdict is common/mail's; this carries it out on the records.

#include <fmt/format.h>

#include "common/base/text.hpp"
#include "common/mail/address.hpp"
#include "common/mail/decide.hpp"
#include "workers/ledger/decide/decide.hpp"
#include "workers/ledger/decide/mail_row.hpp"
#include "workers/ledger/decide/mail_verdict.hpp"
#include "workers/ledger/decide/notices.hpp"
#include "workers/ledger/decide/open_ticket.hpp"

namespace postroom::ledger {

using messages::MailExtent;
using messages::MailParsed;
using messages::ParsedMail;
using messages::TicketState;
using store::ArrivalState;
using store::MailStage;

namespace {

// As the front door takes them.
constexpr std::size_t longest_title = 255, longest_text = 100'000, longest_name = 200, longest_subject = 1'000, longest_notes = 1'000;
constexpr std::int64_t a_moment = 1'000'000;  // microseconds
constexpr std::int64_t most_readings = 4;     // of an answer that may have come too early: seven moments
constexpr std::string_view cut_mark = "\n\n[The rest is left out here; the mail is kept whole.]";

std::string limited_text(std::string_view text) {
  if (text.size() <= longest_text) return std::string{text};
  return std::string{cut_utf8(text, longest_text - cut_mark.size())}.append(cut_mark);
}

std::string limited_line(std::string_view text, std::size_t byte_count) { return std::string{cut_utf8(text, byte_count)}; }

std::optional<std::string> unless_empty(std::string text) { return text.empty() ? std::nullopt : std::optional{std::move(text)}; }

std::string joined_notes(const std::vector<std::string>& notes) {
  std::string out;
  for (const auto& one : notes) out.append(out.empty() ? "" : "; ").append(one);
  return limited_line(out, longest_notes);
}

// The header says whose and what it is; what to do with it a person decides. Sent on from the shelf, it goes the way of all mails.
bool is_header_alone(const State& state) { return state.mail->extent == MailExtent::header_only && state.arrival->state != ArrivalState::standby; }

std::string header_reason(const State& state) {
  const auto& from = state.mailbox;
  const std::string place = from ? fmt::format("in the folder {} of {}", from->folder, from->address) : "on its server";
  return fmt::format("Only the header of the mail was fetched: {}. The mail itself is still {}.", state.mail->trouble, place);
}

// What is missing comes first, where whoever works on it reads.
std::string with_remark(const std::string& remark, std::string_view text) {
  if (remark.empty()) return limited_text(text);
  return limited_text(fmt::format("[{}]{}{}", remark, text.empty() ? "" : "\n\n", text));
}

struct Reading {
  const State& state;
  const ParsedMail& parsed;
  Context& context;
  Decision decision{};
  ArrivalDesk desk{state, context, decision, {}};
  store::MailRow mail = *state.mail;
  std::string remark = mail.extent == MailExtent::header_only ? header_reason(state) : "";  // on what is not there

  void take_facts() {
    mail.message_id = parsed.message_id;
    mail.sender_address = parsed.sender_address;
    mail.sender_name = limited_line(parsed.sender_name, longest_name);
    mail.subject = limited_line(parsed.subject, longest_subject);
    mail.date_at = parsed.date_us.value_or(0);
    mail.is_auto = parsed.is_auto;
    mail.auto_reason = parsed.auto_reason;
  }
  void take_facts(const messages::CrudeHeader& header) {
    mail.sender_address = header.sender_address;
    mail.sender_name = limited_line(header.sender_name, longest_name);
    mail.subject = limited_line(header.subject, longest_subject);
    mail.is_auto = header.is_auto;
    mail.auto_reason = header.auto_reason;
  }

  void decided(std::string_view verdict, std::string why) {
    mail.stage = MailStage::decided;
    mail.due_at = 0;
    mail.verdict = verdict;
    mail.why = std::move(why);
    mail.decided_at = context.now;
  }

  // What it answers may have come just before it and be in another router's hands: it is read once more in a moment.
  bool comes_too_early() const {
    return state.may_answer_undecided && state.arrival->state == ArrivalState::received && mail.parse_no < most_readings;
  }
  void put_off() {
    mail.stage = MailStage::waiting;
    mail.due_at = context.now + (a_moment << (mail.parse_no - 1));
    ledger::note(decision, context, {desk.row().correlation_id, {}, {}, {}}, "ledger", "put_off",
                 detail({{"why", "it may answer a mail that is not decided yet"}, {"arrival_id", mail.arrival_id}}));
  }

  // --- the ends ---

  void shelve(std::string_view verdict, std::string_view reason_class, std::string reason) {
    decided(verdict, reason);
    if (!mail.assigned_board.empty()) desk.row().board_id = mail.assigned_board;
    desk.shelve(mail_item(mail, desk.row(), reason_class, reason, context), reason_class, reason);
  }

  void ignore_own(std::string why) {
    decided("own", std::move(why));
    ledger::note(decision, context, {desk.row().correlation_id, {}, {}, {}}, "ledger", "own_mail", detail({{"why", mail.why}}));
    finish(ArrivalState::own);
  }

  void link_bounce(std::string why) {
    decided("bounce", std::move(why));
    const auto& bounce = *parsed.bounce;
    mail.ticket_id = state.bounced->ticket_id;
    ledger::note(decision, context, {desk.row().correlation_id, mail.ticket_id, state.bounced->id, {}}, "ledger", "bounced",
                 detail({{"recipient", bounce.recipient}, {"action", bounce.action}, {"status", bounce.status}, {"reason", bounce.reason}, {"arrival_id", mail.arrival_id}}));
    // It was sent, then, whatever its worker could tell.
    decision.insert_missing(store::MailThreadRow{bounce.original_message_id, state.bounced->ticket_id, context.now});
    // One that it was passed on to, or anybody's: told above, and no word about whom we wrote to.
    const bool is_about_recipient = bounce.recipient.empty() || mail::canonical_address(bounce.recipient) == mail::canonical_address(state.bounced->recipient);
    if (is_about_recipient && state.bounced->state == store::DeliveryState::done && bounce.action != "delivered") {
      store::DeliveryRow delivery = *state.bounced;
      if (bounce.action == "failed") delivery.reason_class = messages::ReasonClass::recipient_refused;
      delivery.reason = limited_line(mail.why, 500);
      decision.update(*state.bounced, std::move(delivery));
      if (state.bounced_ticket) announce(decision, *state.bounced_ticket, "bounced");
    }
    finish(ArrivalState::bounce);
  }

  void repeat(const store::MailRow& first, std::string why) {
    end_as_duplicate(decision, context, desk, state.mailbox, mail, first, std::move(why));
  }

  void reply(const FoundThread& thread, const mail::Decision& verdict) {
    const auto& before = thread.ticket;
    decided("reply", verdict.why + (thread.is_participant ? "" : "; its sender takes no part in the ticket, so the comment is internal"));
    store::CommentRow comment;
    comment.id = context.ids.next();
    comment.ticket_id = before.id;
    comment.arrival_id = mail.arrival_id;
    comment.actor = thread.is_participant ? "mail" : "stranger";
    comment.author_email = unless_empty(mail.sender_address);
    comment.author_name = unless_empty(mail.sender_name);
    comment.is_public = thread.is_participant;
    const std::string& said = parsed.reply_text.empty() ? parsed.text : parsed.reply_text;
    comment.text = with_remark(remark, said);
    if (parsed.text != said || parsed.text.size() > longest_text) comment.full_text = limited_text(parsed.text);
    comment.created_at = context.now;

    store::TicketRow ticket = before;
    ++ticket.version;
    ticket.updated_at = context.now;
    const bool is_finished = before.state == TicketState::resolved || before.state == TicketState::closed;
    const bool is_reopened = verdict.reopens && is_finished;
    if (is_reopened) ticket.state = TicketState::reopened;
    const About about{desk.row().correlation_id, ticket.id, {}, {}};
    ledger::note(decision, context, about, "mail", "reply",
                 detail({{"comment_id", comment.id}, {"from", mail.sender_address}, {"why", mail.why}, {"arrival_id", mail.arrival_id}, {"notes", joined_notes(parsed.notes)}}));
    if (is_reopened) {
      ledger::note(decision, context, about, "mail", "state",
                   detail({{"from", std::string{messages::name_of(before.state)}}, {"to", std::string{messages::name_of(ticket.state)}}, {"note", "a reply came in"}}));
    }
    announce(decision, ticket, "comment");
    if (is_reopened) announce(decision, ticket, "state");
    mail.ticket_id = ticket.id;
    mail.comment_id = comment.id;
    decision.insert(comment);
    belong_to(ticket.id, comment.id);
    if (thread.is_participant) take_part(decision, context, ticket.id, mail.sender_address);
    if (is_reopened) notify_state(decision, context, state, ticket, {});
    decision.update(before, std::move(ticket));
    finish(ArrivalState::reply);
  }

  void open(const store::BoardRow& board, const mail::Decision& verdict) {
    decided("ticket", verdict.why);
    NewTicket fresh;
    fresh.id = desk.row().ticket_id;
    fresh.arrival_id = mail.arrival_id;
    fresh.correlation_id = desk.row().correlation_id;
    fresh.title = limited_line(parsed.title.empty() ? "(no subject)" : parsed.title, longest_title);
    fresh.description = with_remark(remark, parsed.text);
    fresh.creator_email = unless_empty(mail.sender_address);
    fresh.creator_name = unless_empty(mail.sender_name);
    fresh.why = mail.why;
    fresh.notes = joined_notes(parsed.notes);
    if (!remark.empty()) fresh.notes.insert(0, remark + (fresh.notes.empty() ? "" : "; "));
    const auto ticket = open_ticket(decision, context, state, board, std::move(fresh));
    desk.row().board_id = board.id;
    mail.ticket_id = ticket.id;
    belong_to(ticket.id, std::nullopt);
    take_part(decision, context, ticket.id, mail.sender_address);
    if (verdict.is_confirmed) notify_opened(decision, context, state, ticket);
    finish(ArrivalState::opened);
  }

  // Nobody can read it. Whoever gave it a board wants to work on it all the same: a ticket of what is known, with the mail as it came.
  void unread(std::string_view trouble) {
    const std::string reason = fmt::format("The mail cannot be read: {}", trouble);
    if (mail.assigned_board.empty()) return shelve(verdicts::unparsable, unparsable, reason);
    const mail::Route route = assigned_route(state);
    const store::BoardRow* board = board_of(state, route);
    if (board == nullptr) return shelve(verdicts::unparsable, unparsable, fmt::format("{}; {}", reason, route.why));
    open_unread(*board, reason, route.why);
  }

 private:
  void open_unread(const store::BoardRow& board, const std::string& reason, const std::string& why) {
    decided("ticket", fmt::format("{}; it could not be read, so nobody is answered", why));
    NewTicket fresh;
    fresh.id = desk.row().ticket_id;
    fresh.arrival_id = mail.arrival_id;
    fresh.correlation_id = desk.row().correlation_id;
    fresh.title = limited_line(mail.subject.empty() ? "Mail that could not be read" : mail.subject, longest_title);
    const std::string_view attached = "It is attached as it came; subject and sender are what its first lines say.";
    fresh.description = with_remark(remark, fmt::format("{}\n\n{}", reason, attached));
    if (mail::is_addr_spec(mail.sender_address)) fresh.creator_email = mail.sender_address;
    fresh.creator_name = unless_empty(mail.sender_name);
    fresh.why = mail.why;
    fresh.notes = reason;
    const auto ticket = open_ticket(decision, context, state, board, std::move(fresh));
    desk.row().board_id = board.id;
    mail.ticket_id = ticket.id;
    const bool is_whole = mail.extent == MailExtent::whole;
    attach({is_whole ? "mail.eml" : "mail-header.eml", "message/rfc822", "", false, {mail.blob_sha256, mail.blob_size}}, ticket.id, std::nullopt);
    finish(ArrivalState::opened);
  }

  void attach(const messages::ParsedAttachment& part, const std::string& ticket_id, const std::optional<std::string>& comment_id) {
    store::AttachmentRow attachment;
    attachment.id = context.ids.next();
    attachment.ticket_id = ticket_id;
    attachment.comment_id = comment_id;
    attachment.arrival_id = mail.arrival_id;
    attachment.name = limited_line(part.name, longest_title);
    attachment.content_type = part.content_type;
    attachment.content_id = part.content_id;
    attachment.is_inline = part.is_inline;
    attachment.size = part.blob.size;
    attachment.sha256 = part.blob.sha256;
    attachment.created_at = context.now;
    decision.insert(std::move(attachment));
  }

  // The mail is part of this ticket now: what it carries, how answers find it, what a second one of it is known by.
  void belong_to(const std::string& ticket_id, const std::optional<std::string>& comment_id) {
    for (const auto& part : parsed.attachments) attach(part, ticket_id, comment_id);
    if (!mail.message_id.empty()) decision.insert_missing(store::MailThreadRow{mail.message_id, ticket_id, context.now});
    mail.sender_subject_key = mail.sender_address.empty() ? "" : parsed.sender_subject_key;
    mail.content_key = parsed.content_key;
    if (state.same_message_id) {
      ledger::note(decision, context, {desk.row().correlation_id, ticket_id, {}, {}}, "ledger", "message_id_reused",
                   detail({{"message_id", mail.message_id}, {"arrival_id", state.same_message_id->arrival_id}}));
    }
  }

  void finish(ArrivalState end) {
    desk.end_as(end);
    after_import(decision, context, state.mailbox, mail);
  }
};

void read(Reading& reading) {
  const State& state = reading.state;
  reading.take_facts();
  const MailVerdict found = verdict_of(state, reading.parsed);
  const bool is_of_no_thread = found.decision.verdict == mail::Verdict::ticket || found.decision.verdict == mail::Verdict::standby;
  if (is_of_no_thread && reading.comes_too_early()) return reading.put_off();
  switch (found.decision.verdict) {
    case mail::Verdict::own:
      return reading.ignore_own(found.decision.why);
    case mail::Verdict::bounce:
      return reading.link_bounce(found.decision.why);
    case mail::Verdict::duplicate:
      return reading.repeat(*found.first, found.decision.why);
    case mail::Verdict::reply:
    case mail::Verdict::ticket:
      if (is_header_alone(state)) break;
      if (found.decision.verdict == mail::Verdict::reply) return reading.reply(*state.thread, found.decision);
      return reading.open(*found.board, found.decision);
    case mail::Verdict::standby:
    case mail::Verdict::unparsable:
      break;
  }
  if (is_header_alone(state)) return reading.shelve(verdicts::standby, too_large, reading.remark);
  reading.shelve(verdicts::standby, no_board, found.decision.why);
}

}  // namespace

Needs needs(const MailParsed& message, const Incoming&) {
  Needs needs;
  needs.arrival_id = message.arrival_id;
  needs.mail_id = message.arrival_id;
  needs.settings = true;
  needs.ticket_number = true;
  needs.notice = true;
  needs.trace = message.mail ? trace_of(*message.mail) : MailTrace{};
  return needs;
}

Decision decide(const State& state, const MailParsed& message, const Incoming&, Context& context) {
  Decision decision;
  if (!state.mail || !state.arrival) {
    decision.alarm(fmt::format("a mail was parsed that never arrived: {}", message.arrival_id), message.arrival_id);
    return decision;
  }
  const bool is_awaited = state.mail->stage == MailStage::parsing && state.mail->parse_no == message.parse_no;
  if (!is_awaited) {
    note(decision, context, {state.arrival->correlation_id, {}, {}, {}}, "ledger", "parsed_again", fmt::format(R"({{"parse_no":{}}})", message.parse_no));
    return decision;
  }
  static const ParsedMail nothing;
  Reading reading{state, message.mail ? *message.mail : nothing, context};
  if (message.mail) {
    read(reading);
  } else if (is_header_alone(state)) {
    if (message.header) reading.take_facts(*message.header);
    reading.shelve(verdicts::standby, too_large, reading.remark);
  } else {
    if (message.header) reading.take_facts(*message.header);
    reading.unread(message.trouble.empty() ? "it gave no reason." : message.trouble);
  }
  reading.decision.update(*state.mail, std::move(reading.mail));
  return std::move(reading.decision);
}

void need_unparsable(Needs& needs, std::string arrival_id) {
  needs.arrival_id = needs.mail_id = std::move(arrival_id);
  needs.ticket_number = true;
  needs.trace = MailTrace{};  // with the boards
}

Decision decide_unparsable(const State& state, std::string_view reason, Context& context) {
  static const ParsedMail nothing;
  Reading reading{state, nothing, context};
  reading.unread(reason);
  reading.decision.update(*state.mail, std::move(reading.mail));
  return std::move(reading.decision);
}

}  // namespace postroom::ledger

#include "common/mail/decide.hpp"

#include <fmt/format.h>

#include "common/base/sabotage.hpp"
#include "common/mail/address.hpp"
#include "common/mail/subject.hpp"

namespace postroom::mail {

namespace {

std::string_view how(ThreadedBy by) {
  switch (by) {
    case ThreadedBy::signed_id:
      return "it answers a mail that we signed";
    case ThreadedBy::references:
      return "it answers a mail of that ticket";
    case ThreadedBy::subject_number:
      return "its subject names the ticket, and its sender takes part in it";
  }
  return "";
}

std::string_view whose(Reported reported) {
  switch (reported) {
    case Reported::foreign:
      return "a mail that is not ours";
    case Reported::ours:
      return "our mail";
    case Reported::unknown:
      break;
  }
  return "a mail, ours or another's,";
}

std::string about_bounce(const Bounce& bounce, Reported reported) {
  return fmt::format("a report about {} to {}: {}{}{}", whose(reported),
                     bounce.first.recipient.empty() ? "an unnamed recipient" : bounce.first.recipient,
                     name_of(bounce.first.action), bounce.first.status.empty() ? "" : " " + bounce.first.status,
                     bounce.first.reason.empty() ? "" : ", " + bounce.first.reason);
}

}  // namespace

std::string_view name_of(Verdict verdict) {
  switch (verdict) {
    case Verdict::ticket:
      return "ticket";
    case Verdict::reply:
      return "reply";
    case Verdict::duplicate:
      return "duplicate";
    case Verdict::bounce:
      return "bounce";
    case Verdict::own:
      return "own";
    case Verdict::standby:
      return "standby";
    case Verdict::unparsable:
      return "unparsable";
  }
  return "standby";
}

Analysis analyse(const Message& message, const Home& home) {
  Analysis found;
  found.sender = sender_of(message);
  found.auto_mail = detect_auto_mail(message, home.own);
  if (home.hmac && verify_message_id(message.message_id, home.message_id_host, home.hmac)) {
    found.auto_mail.is_own = found.auto_mail.is_auto = true;
    found.auto_mail.reason = "Message-ID: one that we signed";
  }
  found.bounce = parse_bounce(message);
  if (found.bounce && !found.auto_mail.is_auto) {
    found.auto_mail.is_auto = true;
    found.auto_mail.reason = "a delivery report";
  }
  const SubjectParts subject = subject_parts(message.subject);
  found.is_answer = subject.is_reply || !message.in_reply_to.empty() || !message.references.empty();
  found.text = split_reply(message.body_text, found.is_answer);
  found.title = title_of(message.subject, message.body_text);
  if (home.hmac) found.signed_thread = thread_of(message, home.message_id_host, home.hmac);
  if (home.hmac && found.bounce)
    found.bounced_mail = verify_message_id(found.bounce->original_message_id, home.message_id_host, home.hmac);
  found.subject_number = ticket_number(message.subject);
  found.may_be_confirmed =
      !found.auto_mail.is_auto && !found.sender.addr.empty() && !takes_no_answers(found.sender.addr);
  return found;
}

Decision decide(const Analysis& analysis, const Known& known, const Route& route) {
  Decision decision;
  const bool is_auto = analysis.auto_mail.is_auto || analysis.bounce;
  const std::string foreign_report = analysis.bounce ? "; " + about_bounce(*analysis.bounce, Reported::foreign) : "";
  const std::string automatic = is_auto ? fmt::format("; automatic ({})", analysis.auto_mail.reason) : "";
  if (analysis.auto_mail.is_own && !saboteur("own_mail_check_off")) {
    decision.verdict = Verdict::own;
    decision.why = fmt::format("our own mail came back ({}): ignored", analysis.auto_mail.reason);
  } else if (analysis.bounce && known.reported != Reported::foreign) {
    decision.verdict = Verdict::bounce;
    decision.why = about_bounce(*analysis.bounce, known.reported);
  } else if (!known.same_mail.empty() && !saboteur("duplicate_rule_off")) {
    decision.verdict = Verdict::duplicate;
    decision.why = fmt::format("the same mail (Message-ID and content) as {}", known.same_mail);
  } else if (known.thread && (known.thread->by != ThreadedBy::subject_number || known.thread->is_participant || saboteur("stranger_joins_by_number"))) {
    decision.verdict = Verdict::reply;
    decision.reopens = !is_auto && known.thread->is_participant;
    decision.why = fmt::format("a reply to ticket {}: {}{}{}", known.thread->ticket, how(known.thread->by),
                               foreign_report, automatic.empty() ? "" : automatic + ", so it reopens nothing");
  } else if (!known.same_sender_subject.empty() && !analysis.bounce) {
    decision.verdict = Verdict::duplicate;
    decision.why = fmt::format("the same sender and subject as {} a short time ago", known.same_sender_subject);
  } else if (!route.board_id.empty()) {
    decision.verdict = Verdict::ticket;
    decision.is_confirmed = (analysis.may_be_confirmed && !is_auto) || saboteur("machine_answered");
    decision.why = route.why + foreign_report + (automatic.empty() ? "" : automatic + ", so nobody is answered");
    if (known.thread)
      decision.why += fmt::format("; names ticket {}, but its sender takes no part in it", known.thread->ticket);
  } else {
    decision.verdict = Verdict::standby;
    decision.why = route.why + foreign_report;
  }
  return decision;
}

}  // namespace postroom::mail

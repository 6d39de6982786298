#include "tests/unit/ledger/world.hpp"
#include "workers/ledger/decide/notices.hpp"

using namespace postroom;
using namespace postroom::ledger;
using messages::NoticeKind;

namespace {

// A ticket of ann's, that came by mail, and a way to write to her.
struct Desk : World {
  Desk() {
    config.installation.name = "The Desk";
    state.ticket->creator_email = "Ann@Customer.example";
    state.ticket->creator_name = "Ann";
    state.ticket->arrival_id = "mail";
    state.settings.is_confirming = state.settings.is_telling_states = true;
    state.settings.sender_address = "desk@example.com";
    state.settings.sender_name = "Support of Example";
    state.smtp = store::ConnectionRow{};
    state.smtp->id = "smtp";
    store::MailRow mail;
    mail.arrival_id = "mail";
    mail.inbox_id = "inbox";
    mail.received_at = context.now;
    state.origin = mail;
    store::MailInboxRow inbox;
    inbox.id = "inbox";
    inbox.address = "support@example.com";
    inbox.created_at = context.now - 3600 * second;
    state.inbox = inbox;
    state.own_addresses = {"support@example.com", "desk@example.com"};
    state.thread_ids = {"first@customer.example"};
  }

  std::vector<store::DeliveryRow> mails(const Decision& decision) const {
    std::vector<store::DeliveryRow> found;
    for (const auto& change : decision.changes) {
      if (const auto* row = std::get_if<store::DeliveryRow>(&change.after); row != nullptr && row->kind == "mail") found.push_back(*row);
    }
    return found;
  }
  static std::string why_not(const Decision& decision) {
    for (const auto& change : decision.changes) {
      if (const auto* entry = std::get_if<store::HistoryRow>(&change.after); entry != nullptr && entry->action == "not_told") return entry->detail;
    }
    return "";
  }
  Decision opened() {
    Decision decision;
    notify_opened(decision, context, state, *state.ticket);
    return decision;
  }
  Decision told_state() {
    Decision decision;
    notify_state(decision, context, state, *state.ticket, "we are on it");
    return decision;
  }
  static store::CommentRow comment() {
    store::CommentRow row;
    row.id = "comment-1";
    row.ticket_id = "ticket";
    row.actor = "ada";
    row.author_name = "Ada";
    row.is_public = true;
    row.text = "Try again.";
    return row;
  }
  Decision commented(const store::CommentRow& row = comment()) {
    Decision decision;
    notify_comment(decision, context, state, *state.ticket, row);
    return decision;
  }
  messages::MailNotice notice(const Decision& decision) const {
    const auto rows = mails(decision);
    REQUIRE(rows.size() == 1);
    auto decoded = codec::decode<messages::MailNotice>(rows[0].notice);
    REQUIRE(decoded.ok());
    return *decoded;
  }
};

}  // namespace

TEST_CASE("a confirmation is a delivery with all that the mail will say") {
  Desk desk;
  const auto decision = desk.opened();
  const auto rows = desk.mails(decision);
  REQUIRE(rows.size() == 1);
  CHECK(rows[0].cause == "ticket.opened");
  CHECK(rows[0].destination_id == "smtp");
  CHECK(rows[0].worker == "notifier");
  CHECK(rows[0].recipient == "ann@customer.example");
  CHECK(rows[0].due_at == desk.context.now);
  CHECK(rows[0].state == store::DeliveryState::waiting);
  CHECK(decision.touched == std::vector<std::string>{"smtp"});
  const auto notice = desk.notice(decision);
  CHECK(notice.kind == NoticeKind::confirmation);
  CHECK(notice.sender_address == "support@example.com");  // of the inbox that it came by
  CHECK(notice.sender_name == "Support of Example");
  CHECK(notice.recipient == "Ann@Customer.example");
  CHECK(notice.recipient_name == "Ann");
  CHECK(notice.state == "new");
  CHECK(notice.references == std::vector<std::string>{"first@customer.example"});
  CHECK(notice.date == to_rfc3339(from_micros(desk.context.now)));
}

TEST_CASE("a ticket that no inbox brought is confirmed from the settings' address") {
  Desk desk;
  desk.state.origin.reset();
  desk.state.inbox.reset();
  desk.state.settings.sender_name.reset();
  const auto notice = desk.notice(desk.opened());
  CHECK(notice.sender_address == "desk@example.com");
  CHECK(notice.sender_name == "The Desk");
}

TEST_CASE("states and comments tell what they are about") {
  Desk desk;
  desk.state.ticket->state = messages::TicketState::in_progress;
  desk.state.ticket->version = 4;
  const auto state = desk.told_state();
  CHECK(desk.mails(state)[0].cause == "state:4");
  CHECK(desk.notice(state).state == "in progress");
  CHECK(desk.notice(state).note == "we are on it");
  const auto comment = desk.commented();
  CHECK(desk.mails(comment)[0].cause == "comment:comment-1");
  CHECK(desk.notice(comment).comment_text == "Try again.");
  CHECK(desk.notice(comment).comment_author == "Ada");
}

TEST_CASE("who is never told") {
  Desk desk;
  std::string why;
  bool is_comment_told = false;
  SUBCASE("a machine") { desk.state.origin->is_auto = true, why = "machine"; }
  SUBCASE("an inbox of ours") { desk.state.ticket->creator_email = "SUPPORT@example.com", why = "address of ours"; }
  SUBCASE("another inbox of ours") { desk.state.ticket->creator_email = "desk@example.com", why = "address of ours"; }
  SUBCASE("who takes no answers") { desk.state.ticket->creator_email = "no-reply@shop.example", why = "takes no answers"; }
  SUBCASE("a mailer") { desk.state.ticket->creator_email = "MAILER-DAEMON@mx.example", why = "takes no answers"; }
  SUBCASE("the sender of a mail from before the inbox; but a person's words reach them") {
    desk.state.origin->received_at = desk.state.inbox->created_at - 1;
    why = "older than its inbox", is_comment_told = true;
  }
  SUBCASE("anybody, while there is no way out") { desk.state.smtp.reset(), why = "no connection"; }
  SUBCASE("anybody, while there is no sender") {
    desk.state.inbox.reset();
    desk.state.origin.reset();
    desk.state.settings.sender_address.reset();
    why = "no address to send from";
  }
  CHECK(desk.mails(desk.opened()).empty());
  CHECK(desk.why_not(desk.opened()).find(why) != std::string::npos);
  CHECK(desk.mails(desk.told_state()).empty());
  CHECK(desk.why_not(desk.told_state()).empty());  // it was said when the ticket was opened
  CHECK(desk.mails(desk.commented()).size() == (is_comment_told ? 1u : 0u));
}

TEST_CASE("nothing is said about what nobody wanted, nor where there is nobody") {
  Desk desk;
  bool is_comment_told = false;
  SUBCASE("no address") { desk.state.ticket->creator_email.reset(); }
  SUBCASE("an empty one") { desk.state.ticket->creator_email = ""; }
  SUBCASE("no address at all") { desk.state.ticket->creator_email = "ann"; }
  SUBCASE("switched off") { desk.state.settings.is_confirming = desk.state.settings.is_telling_states = false, is_comment_told = true; }
  CHECK(desk.opened().changes.empty());
  CHECK(desk.told_state().changes.empty());
  CHECK(desk.commented().changes.empty() == !is_comment_told);
}

TEST_CASE("internal comments stay inside, and what came by mail is not sent back") {
  Desk desk;
  auto row = Desk::comment();
  SUBCASE("internal") { row.is_public = false; }
  SUBCASE("by mail") { row.arrival_id = "another-mail"; }
  CHECK(desk.commented(row).changes.empty());
}

TEST_CASE("a mail that becomes a ticket just now is the one in hand, whatever it answers later") {
  Desk desk;
  desk.state.mail = std::exchange(desk.state.origin, std::nullopt);
  desk.state.mailbox = std::exchange(desk.state.inbox, std::nullopt);
  CHECK(desk.notice(desk.opened()).sender_address == "support@example.com");
  desk.state.mail->received_at = desk.state.mailbox->created_at - 1;
  CHECK(desk.mails(desk.opened()).empty());
  // A reply to a ticket that came by the web is no origin of it.
  desk.state.ticket->arrival_id = "web";
  CHECK(desk.notice(desk.told_state()).sender_address == "desk@example.com");
}

TEST_CASE("a mail of the second in which the inbox was made is not old") {
  Desk desk;
  desk.state.origin->received_at = desk.state.inbox->created_at;
  desk.state.inbox->created_at += second - 1;
  CHECK(desk.mails(desk.opened()).size() == 1);
}

TEST_CASE("more than an hour's share waits, and is not lost") {
  Desk desk;
  desk.state.recent_mails = {desk.config.notify.hourly_limit - 1, desk.context.now - 1800 * second};
  CHECK(desk.mails(desk.opened())[0].due_at == desk.context.now);
  desk.state.recent_mails.count = desk.config.notify.hourly_limit;
  CHECK(desk.mails(desk.opened())[0].due_at == desk.context.now + 1800 * second);
}

TEST_CASE("mails of one ticket keep the order in which they were caused, also within one decision") {
  Desk desk;
  desk.state.last_mail_seq = 6;
  Decision decision;
  notify_opened(decision, desk.context, desk.state, *desk.state.ticket);
  notify_comment(decision, desk.context, desk.state, *desk.state.ticket, Desk::comment());
  const auto rows = desk.mails(decision);
  REQUIRE(rows.size() == 2);
  CHECK(rows[0].seq == 7);
  CHECK(rows[1].seq == 8);
}

TEST_CASE("a changed state is told in the decision that changes it") {
  Desk desk;
  desk.receive(messages::TicketChangeState{"ticket", "ada", {}, messages::TicketState::resolved, "done"});
  CHECK(desk.last.status == 200);
  const auto notice = desk.notice(desk.last);
  CHECK(notice.state == "resolved");
  CHECK(notice.note == "done");
}

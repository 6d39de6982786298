#pragma once
// A house with a mailbox and an SMTP server, whose poller and notifier the test plays.

#include "tests/component/ledger/house.hpp"

namespace postroom::ledger {

struct PostHouse : House {
  static constexpr std::int64_t second = 1'000'000;

  // Everything below is a command, as the api sends it.
  void make_doors() {
    CHECK(command(messages::ConnectionCreate{"imap", "ada", "Mailbox", messages::ConnectionKind::imap, "imaps://mail.example", "support", "v1.sealed"}).status == 201);
    CHECK(command(messages::ConnectionCreate{"smtp", "ada", "Way out", messages::ConnectionKind::smtp, "smtps://mail.example", "support", "v1.sealed"}).status == 201);
    make_board("desk", "");
    messages::SettingsUpdate settings;
    settings.actor = "ada";
    settings.smtp_connection_id = "smtp";
    settings.sender_address = "desk@example.com";
    CHECK(command(settings).status == 200);
  }
  void make_inbox(std::string id = "inbox", std::string mailbox = "INBOX") {
    messages::InboxCreate create;
    create.inbox_id = id;
    create.actor = "ada";
    create.name = "inbox " + id;
    create.connection_id = "imap";
    create.address = id + "@example.com";
    create.folder = std::move(mailbox);
    create.since_us = 0;
    CHECK(command(create).status == 201);
  }
  store::MailInboxRow inbox(const std::string& id = "inbox") {
    auto row = store::select_one<store::MailInboxRow>(database, "WHERE id = ?1", {id});
    REQUIRE(row.ok());
    REQUIRE(row->has_value());
    return **row;
  }

  template <class M>
  void word(const M& message, std::string_view user) {
    arrive(delivery(M::type, codec::encode(message), user, "ledger.results"));
    settle();
  }
  template <class M>
  std::vector<M> sent() {
    std::vector<M> all;
    for (const auto& message : publisher.take(M::type)) {
      auto decoded = codec::decode<M>(message.body);
      REQUIRE(decoded.ok());
      all.push_back(*decoded);
    }
    return all;
  }

  // --- as the poller ---
  std::vector<messages::ImapPoll> polls() { return sent<messages::ImapPoll>(); }
  messages::PollAnswered poll_answer() {
    const auto answers = sent<messages::PollAnswered>();
    REQUIRE(answers.size() == 1);
    return answers[0];
  }
  messages::PollAnswered claim_poll(const messages::ImapPoll& job, std::string token = "token") {
    word(messages::PollClaim{job.inbox_id, job.dispatch_no, std::move(token), "imap_poller-1"}, "imap_poller");
    return poll_answer();
  }
  messages::PollAnswered say(const messages::ImapPoll& job, std::vector<messages::ChoreReport> chores = {}, std::string token = "token") {
    messages::PollProgress message;
    message.inbox_id = job.inbox_id;
    message.dispatch_no = job.dispatch_no;
    message.token = std::move(token);
    message.stage = "idling";
    message.mailbox = messages::MailboxFacts{7, 3, false, true};
    message.is_caught_up = true;
    message.chores = std::move(chores);
    word(message, "imap_poller");
    return poll_answer();
  }
  void end(const messages::ImapPoll& job, messages::PollOutcome outcome, std::optional<std::int64_t> suspect = {}, std::string token = "token") {
    messages::PollEnded message;
    message.inbox_id = job.inbox_id;
    message.dispatch_no = job.dispatch_no;
    message.token = std::move(token);
    message.outcome = outcome;
    message.reason_class = outcome == messages::PollOutcome::failed ? messages::ReasonClass::protocol : messages::ReasonClass::none;
    message.suspect_uid = suspect;
    message.mailbox = messages::MailboxFacts{7, 3, false, true};
    word(message, "imap_poller");
  }

  // --- as the notifier ---
  std::string open(std::string recipient) {
    messages::TicketOpen message;
    message.ticket_id = ids.next();
    message.board_id = "desk";
    message.actor = "public";
    message.title = "It smokes";
    message.creator_email = std::move(recipient);
    arrive(delivery(messages::TicketOpen::type, codec::encode(message), "api", "ledger.intake"));
    settle();
    return message.ticket_id;
  }
  void set_state(const std::string& ticket, messages::TicketState to) { CHECK(command(messages::TicketChangeState{ticket, "ada", {}, to, {}}).status == 200); }
  void say_to(const std::string& ticket, std::string text) {
    messages::TicketComment comment;
    comment.ticket_id = ticket;
    comment.comment_id = ids.next();
    comment.actor = "ada";
    comment.is_public = true;
    comment.text = std::move(text);
    CHECK(command(comment).status < 300);
  }
  std::vector<messages::NotifyMail> mails() { return sent<messages::NotifyMail>(); }
  messages::ClaimAnswered claim_mail(const messages::NotifyMail& job, std::string token = "token") {
    word(messages::WorkClaim{job.delivery_id, job.dispatch_no, std::move(token), "notifier-1"}, "notifier");
    const auto answers = sent<messages::ClaimAnswered>();
    REQUIRE(answers.size() == 1);
    return answers[0];
  }
  messages::ClaimVerdict commit_mail(const messages::NotifyMail& job, std::string token = "token") {
    word(messages::WorkCommit{job.delivery_id, job.dispatch_no, std::move(token), {}}, "notifier");
    const auto answers = sent<messages::ClaimAnswered>();
    REQUIRE(answers.size() == 1);
    return answers[0].verdict;
  }
  void outcome(const messages::NotifyMail& job, messages::Outcome outcome, messages::ReasonClass reason = messages::ReasonClass::none, std::string token = "token") {
    messages::WorkOutcome message;
    message.delivery_id = job.delivery_id;
    message.dispatch_no = job.dispatch_no;
    message.token = std::move(token);
    message.outcome = outcome;
    message.reason_class = reason;
    if (outcome == messages::Outcome::done) message.remote = messages::Remote{job.delivery_id + "@desk.example", "", "", {}};
    word(message, "notifier");
  }
  // All the way out.
  messages::MailNotice send(const messages::NotifyMail& job) {
    const auto answer = claim_mail(job);
    REQUIRE(answer.verdict == messages::ClaimVerdict::send);
    CHECK(commit_mail(job) == messages::ClaimVerdict::send);
    outcome(job, messages::Outcome::done);
    return *answer.grant->notice;
  }
  store::DeliveryRow mail(const std::string& id) {
    auto row = store::select_one<store::DeliveryRow>(database, "WHERE id = ?1", {id});
    REQUIRE(row.ok());
    REQUIRE(row->has_value());
    return **row;
  }
};

}  // namespace postroom::ledger

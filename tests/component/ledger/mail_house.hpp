#pragma once
// A house with two mailboxes, whose poller and router the test plays.

#include "common/crypto/crypto.hpp"
#include "tests/component/ledger/house.hpp"

namespace postroom::ledger {

struct MailHouse : House {
  static constexpr std::int64_t second = 1'000'000;
  static inline const std::string support = "00000000-0000-4000-8000-0000000000a1", sales = "00000000-0000-4000-8000-0000000000a2";

  MailHouse() {
    make_board("desk", "");
    set_keywords("desk", {"printer"});
    store::ConnectionRow connection;
    connection.id = "imap";
    connection.name = "Mailboxes";
    connection.kind = messages::ConnectionKind::imap;
    connection.version = 1;
    REQUIRE(store::insert(database, connection).ok());
    add_inbox(support, "support@example.com");
    add_inbox(sales, "sales@example.com");
  }

  void add_inbox(std::string id, std::string address) {
    store::MailInboxRow inbox;
    inbox.id = inbox.name = inbox.folder = std::move(id);
    inbox.connection_id = "imap";
    inbox.address = std::move(address);
    inbox.interval_ms = 60'000;
    inbox.is_paused = true;  // nobody polls it but the test
    inbox.uid_validity = 7;
    inbox.version = 1;
    inbox.created_at = to_micros(clock.wall()) - 3600 * second;
    REQUIRE(store::insert(database, inbox).ok());
  }
  void set_keywords(std::string board, std::vector<std::string> keywords) {
    messages::BoardUpdate update;
    update.board_id = std::move(board);
    update.actor = "ada";
    update.keywords = std::move(keywords);
    CHECK(command(update).status == 200);
  }

  // --- as the poller ---
  struct Fetched {
    std::string inbox = support;
    std::int64_t uid = 1;
    std::int64_t previous = 0;
    std::int64_t validity = 7;
    std::string bytes;  // "" = its own
    std::int64_t age_seconds = 60;
    std::string trouble;  // then nothing could be fetched
  };
  static std::string arrival_id(const Fetched& mail) {
    return crypto::uuid_v5(mail.inbox, {std::to_string(mail.validity), std::to_string(mail.uid)});
  }
  broker::Delivery mail_delivery(const Fetched& mail) {
    messages::MailArrived message;
    message.inbox_id = mail.inbox;
    const std::string id = arrival_id(mail);
    message.ticket_id = crypto::uuid_v5(id, {"ticket"});
    message.uid_validity = mail.validity;
    message.uid = mail.uid;
    message.previous_uid = mail.previous;
    message.blob = messages::BlobRef{crypto::to_hex(crypto::sha256(mail.bytes.empty() ? id : mail.bytes)), 100};
    message.received_at_us = to_micros(clock.wall()) - mail.age_seconds * second;
    if (!mail.trouble.empty()) {
      message.extent = messages::MailExtent::none;
      message.blob.reset();
      message.trouble = mail.trouble;
    }
    return delivery(messages::MailArrived::type, codec::encode(message), "imap_poller", "ledger.intake", id);
  }
  std::string fetch(const Fetched& mail) {
    arrive(mail_delivery(mail));
    settle();
    return arrival_id(mail);
  }

  // --- as the router ---
  std::vector<messages::MailParse> parse_jobs() {
    std::vector<messages::MailParse> jobs;
    for (const auto& message : publisher.take(messages::MailParse::type)) {
      CHECK(message.must_arrive);
      CHECK(message.routing_key == "mail_router");
      auto job = codec::decode<messages::MailParse>(message.body);
      REQUIRE(job.ok());
      jobs.push_back(*job);
    }
    return jobs;
  }
  static messages::ParsedMail letter(std::string name = "first", std::string subject = "My printer smokes", std::string sender = "ann@customer.example") {
    messages::ParsedMail mail;
    mail.title = mail.subject = subject;
    mail.sender_address = sender;
    mail.message_id = name + "@customer.example";
    mail.text = mail.reply_text = "It smokes, says " + name;
    mail.may_be_confirmed = true;
    mail.sender_subject_key = crypto::to_hex(crypto::sha256(sender + "\n" + subject));
    mail.content_key = crypto::to_hex(crypto::sha256(sender + "\n" + subject + "\n" + mail.text));
    return mail;
  }
  void tell(const messages::MailParse& job, std::optional<messages::ParsedMail> mail, std::string trouble = {}) {
    messages::MailParsed message;
    message.arrival_id = job.arrival_id;
    message.parse_no = job.parse_no;
    message.mail = std::move(mail);
    message.trouble = std::move(trouble);
    arrive(delivery(messages::MailParsed::type, codec::encode(message), "mail_router", "ledger.results"));
    settle();
  }
  // All the way: fetched, read, decided.
  store::ArrivalView receive(const Fetched& mail, messages::ParsedMail found) {
    const std::string id = fetch(mail);
    const auto jobs = parse_jobs();
    REQUIRE(jobs.size() == 1);
    CHECK(jobs[0].arrival_id == id);
    tell(jobs[0], std::move(found));
    check_balance();
    return arrival(id);
  }

  store::ArrivalView arrival(const std::string& id) {
    auto view = reading->arrival(id);
    REQUIRE(view.ok());
    REQUIRE(view->has_value());
    REQUIRE((*view)->mail.has_value());
    return **view;
  }
  store::MailInboxRow inbox(const std::string& id) {
    auto row = reading->inbox(id);
    REQUIRE(row.ok());
    REQUIRE(row->has_value());
    return **row;
  }
  // What the broker would bring of what the ledger sent to itself.
  void bring_back(std::string_view type, std::string_view queue) {
    for (auto& message : publisher.take(type)) {
      broker::Delivery back;
      back.tag = ++last_tag;
      back.queue = queue;
      back.exchange = message.exchange;
      back.routing_key = message.routing_key;
      back.envelope = message.envelope;
      back.body = message.body;
      arrive(std::move(back));
    }
    settle();
  }
};

}  // namespace postroom::ledger

#include "tests/unit/ledger/world.hpp"
#include "workers/ledger/decide/delivery.hpp"

using namespace postroom;
using namespace postroom::ledger;
using messages::ClaimVerdict;
using messages::NoticeKind;
using messages::Outcome;
using messages::ReasonClass;
using store::DeliveryState;
using store::DeliveryStep;

namespace {

// A mail about the ticket, on its way to ann.
struct Post : World {
  std::vector<store::MailThreadRow> threads;
  std::vector<store::ParticipantRow> participants;

  explicit Post(NoticeKind kind = NoticeKind::confirmation) {
    state.connection->id = state.destination->id = "smtp";
    state.connection->kind = messages::ConnectionKind::smtp;
    state.connection->base_url = "smtps://mail.example";
    state.destination->worker = "notifier";
    state.board->target_kind = messages::TargetKind::desk;
    state.board->connection_id.reset();
    state.board->target = R"({"kind":"desk"})";
    auto& mail = *state.delivery;
    mail.destination_id = "smtp";
    mail.worker = "notifier";
    mail.kind = "mail";
    mail.cause = "ticket.opened";
    mail.recipient = "ann@customer.example";
    mail.attempt_target.reset();
    messages::MailNotice notice;
    notice.kind = kind;
    notice.recipient = "Ann@Customer.example";
    notice.sender_address = "support@example.com";
    mail.notice = codec::encode(notice);
    state.thread_ids = {"first@customer.example"};
  }
  const store::DeliveryRow& mail() const { return *state.delivery; }

  const Decision& note_rows(const Decision& decision) {
    for (const auto& change : decision.changes) {
      if (const auto* row = std::get_if<store::MailThreadRow>(&change.after)) threads.push_back(*row);
      if (const auto* row = std::get_if<store::ParticipantRow>(&change.after)) participants.push_back(*row);
    }
    return decision;
  }
  messages::ClaimAnswered take(std::string token = "token") {
    claim(std::move(token));
    return answered();
  }
  messages::ClaimAnswered commit(std::string token = "token") {
    receive(messages::WorkCommit{"delivery", mail().dispatch_no, std::move(token), {}});
    return answered();
  }
  void sent() {
    auto message = outcome_of(Outcome::done);
    message.remote = messages::Remote{"signed@desk.example", "", "", {}};
    note_rows(receive(message));
  }
  void be_silent() {
    pass(mail().due_at - context.now);
    note_rows(carry_out(decide_silence(state, context)));
  }
  void go_out() {
    dispatch();
    REQUIRE(take().verdict == ClaimVerdict::send);
  }
};

}  // namespace

TEST_CASE("a mail goes out as a job of the notifier, claimed with all it says and no target") {
  Post post;
  post.dispatch();
  REQUIRE(post.last.must_arrive.size() == 1);
  CHECK(post.last.must_arrive[0].routing_key == "notifier");
  CHECK(post.last.must_arrive[0].envelope.type == "notify.mail.v1");
  const auto answer = post.take();
  REQUIRE(answer.grant.has_value());
  REQUIRE(answer.grant->notice.has_value());
  CHECK(answer.grant->notice->recipient == "Ann@Customer.example");
  CHECK(answer.grant->notice->references == std::vector<std::string>{"first@customer.example"});
  CHECK(answer.grant->site.base_url == "smtps://mail.example");
  CHECK(answer.grant->target.kind == messages::TargetKind::desk);
  CHECK(answer.grant->ticket.number == 7);
  CHECK_FALSE(post.mail().maybe_sent);  // not before the commit word
  CHECK(post.mail().due_at - post.context.now == 155 * second);  // first byte, T_http and T_settle of mails
}

TEST_CASE("done: the mail is part of the conversation and its reader takes part in it") {
  Post post;
  post.go_out();
  CHECK(post.commit().verdict == ClaimVerdict::send);
  CHECK(post.mail().maybe_sent);
  CHECK(post.mail().sent_at == post.context.now);
  post.sent();
  CHECK(post.mail().state == DeliveryState::done);
  CHECK(post.mail().reason_class == ReasonClass::none);
  REQUIRE(post.threads.size() == 1);
  CHECK(post.threads[0].message_id == "signed@desk.example");
  REQUIRE(post.participants.size() == 1);
  CHECK(post.participants[0].address == "ann@customer.example");
  CHECK(post.state.externals.empty());
  CHECK(post.state.destination->in_flight == 0);
  post.sent();  // brought again
  CHECK(post.threads.size() == 1);
}

TEST_CASE("silence before the commit word: it was not sent, and is sent again") {
  for (const auto kind : {NoticeKind::confirmation, NoticeKind::comment}) {
    Post post{kind};
    post.go_out();
    post.be_silent();
    CHECK(post.mail().state == DeliveryState::waiting);
    CHECK(post.mail().step == DeliveryStep::send);
    CHECK(post.mail().attempts == 1);
    CHECK_FALSE(post.mail().maybe_sent);
    CHECK_FALSE(post.has_noted("in_doubt"));
  }
}

TEST_CASE("silence after the commit word: a notice is assumed to be sent and shown so") {
  for (const auto kind : {NoticeKind::confirmation, NoticeKind::state}) {
    Post post{kind};
    post.go_out();
    post.commit();
    post.be_silent();
    CHECK(post.mail().state == DeliveryState::done);
    CHECK(post.mail().reason_class == ReasonClass::assumed_sent);
    CHECK(post.mail().maybe_sent);
    CHECK(post.participants.size() == 1);
    CHECK(post.has_noted("assumed_sent"));
    // Late word: it was.
    post.sent();
    CHECK(post.mail().state == DeliveryState::done);
    CHECK(post.mail().reason_class == ReasonClass::none);
    CHECK(post.threads.size() == 1);
  }
}

TEST_CASE("silence after the commit word: a person's words are sent again, as the same mail") {
  Post post{NoticeKind::comment};
  post.go_out();
  post.commit();
  const auto said = post.mail().notice;
  post.be_silent();
  CHECK(post.mail().state == DeliveryState::waiting);
  CHECK(post.mail().step == DeliveryStep::send);  // a mail cannot be looked up
  CHECK(post.mail().maybe_sent);
  CHECK(post.has_noted("in_doubt"));
  post.state.thread_ids.push_back("second@customer.example");
  post.pass(10 * second);
  post.dispatch();
  CHECK(post.take("again").verdict == ClaimVerdict::send);
  CHECK(post.mail().notice == said);
  // Silence before the second commit word leaves the first doubt.
  post.be_silent();
  CHECK(post.mail().state == DeliveryState::waiting);
  CHECK(post.mail().maybe_sent);
  SUBCASE("the first one reports at last") {
    post.dispatch();
    post.take("third");
    post.sent();  // with an old token
    CHECK(post.mail().state == DeliveryState::done);
    // The third is told before its final dot that it is too late.
    CHECK(post.commit("third").verdict == ClaimVerdict::drop);
    CHECK(post.threads.size() == 1);
  }
  SUBCASE("refused now: the doubt is shown on the shelf") {
    post.dispatch();
    post.take();
    post.commit();
    post.report(Outcome::refuse, ReasonClass::recipient_refused);
    CHECK(post.mail().state == DeliveryState::standby);
    CHECK(post.mail().maybe_sent);
  }
}

TEST_CASE("unknown is a matter of the commit word too") {
  Post post;
  post.go_out();
  SUBCASE("before it") {
    post.report(Outcome::unknown, ReasonClass::timeout);
    CHECK(post.mail().state == DeliveryState::waiting);
    CHECK_FALSE(post.mail().maybe_sent);
  }
  SUBCASE("after it") {
    post.commit();
    post.report(Outcome::unknown, ReasonClass::timeout);
    CHECK(post.mail().state == DeliveryState::done);
    CHECK(post.mail().reason_class == ReasonClass::assumed_sent);
    CHECK(post.mail().reason == "because");
  }
  CHECK(post.state.destination->failures == 1);
}

TEST_CASE("a server that refuses at the final dot did not take it") {
  Post post;
  post.go_out();
  post.commit();
  post.report(Outcome::defer, ReasonClass::server_error);
  CHECK(post.mail().state == DeliveryState::waiting);
  CHECK_FALSE(post.mail().maybe_sent);
  CHECK(post.mail().sent_at == 0);  // and it does not count for the hour
}

TEST_CASE("a commit word counts from the holder of the claim only, and as often as it is said") {
  Post post;
  post.dispatch();
  CHECK(post.commit().verdict == ClaimVerdict::drop);
  post.take();
  CHECK(post.commit("other").verdict == ClaimVerdict::drop);
  CHECK_FALSE(post.mail().maybe_sent);
  CHECK(post.commit().verdict == ClaimVerdict::send);
  post.pass(second);
  CHECK(post.commit().verdict == ClaimVerdict::send);
  CHECK(post.take().verdict == ClaimVerdict::send);  // the same token asks again
  CHECK(post.mail().maybe_sent);
}

TEST_CASE("a refused recipient goes to the shelf alone, the server is well") {
  Post post;
  post.go_out();
  post.report(Outcome::refuse, ReasonClass::recipient_refused);
  CHECK(post.mail().state == DeliveryState::standby);
  REQUIRE(post.state.item.has_value());
  CHECK(post.state.item->reason_class == "recipient_refused");
  CHECK(post.state.item->message_type == "notify.mail.v1");
  CHECK(post.state.item->worker == "notifier");
  CHECK(post.state.item->original == post.mail().notice);
  CHECK(post.state.destination->circuit == store::Circuit::closed);
  CHECK(post.last.events.size() == 1);  // the item; the ticket itself did not change

  SUBCASE("a retry sends it, whatever the ticket's board leads to") {
    post.receive(messages::StandbyRetry{post.state.item->id, "ada", {}});
    CHECK(post.last.status == 200);
    CHECK(post.mail().state == DeliveryState::waiting);
    CHECK(post.mail().step == DeliveryStep::send);
    CHECK(post.mail().due_at == post.context.now);
    CHECK(post.mail().attempts == 0);
    CHECK(post.mail().destination_id == "smtp");
    post.go_out();
    post.sent();
    CHECK(post.state.item->state == messages::StandbyState::resolved);
  }
  SUBCASE("a retry goes by today's way out") {
    post.state.smtp = store::ConnectionRow{};
    post.state.smtp->id = "another";
    post.receive(messages::StandbyRetry{post.state.item->id, "ada", {}});
    CHECK(post.mail().destination_id == "another");
    CHECK(std::ranges::count(post.last.touched, "another") == 1);
  }
  SUBCASE("it is not edited") {
    messages::StandbyEdit edit;
    edit.standby_id = post.state.item->id;
    edit.new_id = "copy";
    edit.body.text = "{}";
    post.receive(edit);
    CHECK(post.last.status == 409);
  }
  SUBCASE("a board for it does not move the ticket") {
    post.state.board = store::BoardRow{};
    post.state.board->id = "elsewhere";
    post.receive(messages::StandbyAssign{post.state.item->id, "ada", {}, "elsewhere", {}, {}});
    CHECK(post.last.status == 200);
    CHECK(post.state.ticket->board_id == "board");
  }
  SUBCASE("deleted, it is cancelled") {
    post.receive(messages::StandbyDelete{post.state.item->id, "ada", {}, {}});
    CHECK(post.mail().state == DeliveryState::cancelled);
  }
}

TEST_CASE("mails in doubt are never looked up, also not from the shelf") {
  Post post{NoticeKind::comment};
  post.config.notify.max_attempts = 1;
  post.go_out();
  post.commit();
  post.be_silent();
  CHECK(post.mail().state == DeliveryState::standby);
  CHECK(post.mail().maybe_sent);
  post.receive(messages::StandbyRetry{post.state.item->id, "ada", {}});
  CHECK(post.mail().step == DeliveryStep::send);
  CHECK(post.mail().state == DeliveryState::waiting);
}

TEST_CASE("wrong credentials close the way for all, as with trackers") {
  Post post;
  post.go_out();
  post.report(Outcome::refuse, ReasonClass::credentials);
  CHECK(post.mail().state == DeliveryState::standby);
  CHECK(post.state.destination->circuit == store::Circuit::open);
  CHECK(post.state.connection->state == store::ConnectionState::failing);
}

TEST_CASE("a mail server may be away for days") {
  Post post;
  std::int64_t began = post.context.now, longest = 0, attempts = 0;
  while (post.mail().state == DeliveryState::waiting) {
    post.go_out();
    post.report(Outcome::defer, ReasonClass::invalid_data);
    ++attempts;
    longest = std::max(longest, post.mail().due_at - post.context.now);
    if (post.mail().state == DeliveryState::waiting) post.pass(post.mail().due_at - post.context.now);
  }
  CHECK(attempts == 30);
  CHECK(longest == 3 * 3600 * second);  // between half and the whole of four hours
  CHECK((post.context.now - began) / (3600 * second) > 48);
  CHECK(post.mail().state == DeliveryState::standby);
}

TEST_CASE("a mail waits for the one before it to the same person, and is woken by its end") {
  Post post;
  store::DeliveryRow first = post.mail();
  first.id = "first";
  SUBCASE("that is under way") {
    first.state = DeliveryState::claimed;
    post.state.mail_before = first;
    post.dispatch();
    CHECK(post.mail().due_at == post.context.now + 60 * second);
  }
  SUBCASE("that waits for its time") {
    first.due_at = post.context.now + 3600 * second;
    post.state.mail_before = first;
    post.dispatch();
    CHECK(post.mail().due_at == first.due_at);
  }
  CHECK(post.last.must_arrive.empty());
  CHECK(post.mail().state == DeliveryState::waiting);
  CHECK(post.state.destination->in_flight == 0);

  Post end;
  end.state.mail_after = post.mail();
  end.state.mail_after->id = "after";
  end.go_out();
  end.sent();
  const auto woken = std::ranges::find_if(end.last.changes, [](const auto& change) {
    const auto* row = std::get_if<store::DeliveryRow>(&change.after);
    return row != nullptr && row->id == "after" && row->due_at > 0;
  });
  REQUIRE(woken != end.last.changes.end());
  CHECK(std::get<store::DeliveryRow>(woken->after).due_at == end.context.now);
}

TEST_CASE("one that was tried already keeps its own time") {
  Post post;
  post.state.mail_after = post.mail();
  post.state.mail_after->id = "after";
  post.state.mail_after->dispatch_no = 2;
  post.state.mail_after->due_at = post.context.now + 3600 * second;
  post.go_out();
  post.sent();
  CHECK(std::ranges::none_of(post.last.changes, [](const auto& change) {
    const auto* row = std::get_if<store::DeliveryRow>(&change.after);
    return row != nullptr && row->id == "after";
  }));
}

TEST_CASE("a person's hour is full: the mail waits until it is not") {
  Post post;
  post.state.sent_mails = {post.config.notify.hourly_limit, post.context.now - 3000 * second};
  post.dispatch();
  CHECK(post.last.must_arrive.empty());
  CHECK(post.mail().due_at == post.context.now + 600 * second);
  CHECK(post.has_noted("held_back"));
  post.state.sent_mails.count -= 1;
  post.dispatch();
  CHECK(post.last.must_arrive.size() == 1);
}

TEST_CASE("a notice that cannot be read goes to the shelf, not to the worker") {
  Post post;
  post.state.delivery->notice = "{";
  post.dispatch();
  CHECK(post.take().verdict == ClaimVerdict::drop);
  CHECK(post.mail().state == DeliveryState::standby);
  CHECK(post.mail().reason_class == ReasonClass::invalid_data);
}

TEST_CASE("a paused way out holds the mail in the ledger") {
  Post post;
  post.dispatch();
  post.state.connection->is_paused = true;
  CHECK(post.take().verdict == ClaimVerdict::drop);
  CHECK(post.mail().state == DeliveryState::waiting);
}

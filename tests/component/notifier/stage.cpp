#include "tests/component/notifier/stage.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <sstream>

namespace postroom::notifier {

using messages::ClaimVerdict;

namespace {

const std::string message_id_key(32, 'i');

void write_private(const std::filesystem::path& path, std::string_view text) {
  std::ofstream{path} << text;
  std::filesystem::permissions(path, std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
}

}  // namespace

Stage::Stage(std::vector<std::string> smtp_options) : smtp(std::move(smtp_options)) {
  // One call, because each takes about a second.
  rabbit_.ctl({"eval", "[begin {ok, Q} = rabbit_amqqueue:lookup(rabbit_misc:r(<<\"postroom\">>, queue, N)), rabbit_amqqueue:purge(Q) end || "
                       "N <- [<<\"notifier\">>, <<\"notifier.test\">>, <<\"ledger.results\">>, <<\"standby\">>]]."});
  for (const char* folder : {"etc", "secrets", "run", "log"}) std::filesystem::create_directory(home() / folder);
  std::filesystem::permissions(home() / "secrets", std::filesystem::perms::owner_all);
  write_private(home() / "secrets" / "broker-notifier", rabbit_.endpoint("notifier").password);
  write_private(home() / "secrets" / "key-notifier", sealer_.kind_key());
  write_private(home() / "secrets" / "key-message-id", crypto::to_base64(message_id_key));
  write_settings("");
  const auto on_loop = [this](std::function<void()> work) { loop_.post(std::move(work)); };
  publisher_ = broker::make_publisher(rabbit_.endpoint("ledger", "stage publish"), on_loop);
  consumer_ = broker::make_consumer(rabbit_.endpoint("ledger", "stage consume"), on_loop);
  consumer_->subscribe({"ledger.results", 200});
  consumer_->on_deliveries([this](std::vector<broker::Delivery> burst) { take(std::move(burst)); });
  publisher_->start();
  consumer_->start();
  run_until([this] { return consumer_->consuming() == 1 && publisher_->state() == broker::LinkState::open; });
}

Stage::~Stage() {
  publisher_->stop(std::chrono::milliseconds{0});
  consumer_->stop();
}

void Stage::write_settings(const std::string& ca_file) {
  write_private(home() / "etc" / "postroom.toml",
                fmt::format("[installation]\nid = \"{}\"\n[broker]\nport = {}\n[delivery]\nclaim_answer_ms = 500\nfirst_byte_ms = 2500\n"
                            "[notify]\nsmtp_timeout_ms = 3000\n[outbound]\nallow = [\"127.0.0.0/8\", \"::1/128\"]\nca_file = \"{}\"\n",
                            installation, rabbit_.port(), ca_file));
}

void Stage::trust(const std::string& ca_file) { write_settings(ca_file); }

std::unique_ptr<support::Child> Stage::start_worker(std::vector<std::string> environment) {
  environment.push_back("POSTROOM_ALLOW_ROOT=1");
  return std::make_unique<support::Child>(std::vector<std::string>{POSTROOM_BINARY_DIR "/postroom-notifier", "--config", home().string()},
                                          support::Child::Ending::terminate, std::move(environment), (home() / "log" / "notifier").string());
}

void Stage::run_until(const std::function<bool()>& is_there, std::chrono::milliseconds limit) {
  const auto until = clock_.steady() + limit;
  loop::Timer look{loop_, [&] { loop_.stop(); }};
  while (!is_there()) {
    REQUIRE_MESSAGE(clock_.steady() < until, "not there in time; the worker said:\n" << worker_log() << "\nthe server saw:\n" << smtp.log());
    look.after(std::chrono::milliseconds{20});
    loop_.run();
  }
}

void Stage::run_for(std::chrono::milliseconds time) {
  const auto until = clock_.steady() + time;
  run_until([&] { return clock_.steady() >= until; }, time + std::chrono::seconds{1});
}

messages::Site Stage::site_of(std::string url, std::string account, std::string secret) const {
  return {"connection", std::move(url), std::move(account), sealer_.seal(secret, crypto::connection_place("connection"))};
}

messages::Grant Stage::grant(const messages::WorkClaim& claim) const {
  messages::Grant grant;
  grant.site = site();
  grant.target.kind = messages::TargetKind::desk;
  grant.ticket.id = ticket;
  grant.ticket.number = 12;
  grant.ticket.title = "Printer on fire: Gr\xc3\xbc\xc3\x9f" "e";
  grant.ticket.url = "https://desk.example/v1/tickets/1";
  grant.marker = fmt::format("{}.{}", installation, claim.delivery_id);
  grant.attempt = claim.dispatch_no;
  messages::MailNotice notice;
  notice.kind = messages::NoticeKind::comment;
  notice.sender_address = "desk@desk.example";
  notice.sender_name = "Acme Support";
  notice.recipient = recipients_.at(claim.delivery_id);
  notice.comment_text = "Please press the red button.\n.\nThank you.";
  notice.comment_author = "J\xc3\xb6rg";
  notice.references = {"first@example.org"};
  notice.date = "2026-11-20T10:00:00.000000Z";
  grant.notice = notice;
  return grant;
}

void Stage::take(std::vector<broker::Delivery> burst) {
  for (const auto& one : burst) {
    if (auto claim = codec::decode<messages::WorkClaim>(one.body); one.envelope.type == messages::WorkClaim::type && claim) {
      claims.push_back(*claim);
      if (answers_claims) answer(*claim, one.envelope);
    } else if (auto commit = codec::decode<messages::WorkCommit>(one.body); one.envelope.type == messages::WorkCommit::type && commit) {
      answer(*commit, one.envelope);
    } else if (auto outcome = codec::decode<messages::WorkOutcome>(one.body); one.envelope.type == messages::WorkOutcome::type && outcome) {
      outcomes.push_back(*outcome);
    } else if (auto test = codec::decode<messages::TestOutcome>(one.body); one.envelope.type == messages::TestOutcome::type && test) {
      tests.push_back(*test);
    }
  }
  consumer_->ack_all(burst);
}

void Stage::answer(const messages::WorkClaim& claim, const messages::Envelope& asked) {
  auto& holder = holders_[fmt::format("{}/{}", claim.delivery_id, claim.dispatch_no)];
  if (holder.empty()) holder = claim.token;
  messages::ClaimAnswered answered{claim.delivery_id, claim.dispatch_no, claim.token, ClaimVerdict::drop, std::string{messages::WorkClaim::type}, "not yours", {}};
  if (holder == claim.token && dispatched_.at(claim.delivery_id) == claim.dispatch_no) {
    answered.verdict = ClaimVerdict::send;
    answered.grant = grant(claim);
  }
  messages::Envelope envelope;
  envelope.type = messages::ClaimAnswered::type;
  envelope.correlation_id = asked.correlation_id;
  publish("reply", asked.reply_to, envelope, codec::encode(answered));
}

void Stage::answer(const messages::WorkCommit& commit, const messages::Envelope& asked) {
  const bool is_holder = holders_[fmt::format("{}/{}", commit.delivery_id, commit.dispatch_no)] == commit.token && dispatched_.at(commit.delivery_id) == commit.dispatch_no;
  const auto verdict = is_holder ? on_commit(commit) : ClaimVerdict::drop;
  if (verdict == ClaimVerdict::send) commits.push_back(commit);
  if (!verdict) return;
  messages::Envelope envelope;
  envelope.type = messages::ClaimAnswered::type;
  publish("reply", asked.reply_to, envelope,
          codec::encode(messages::ClaimAnswered{commit.delivery_id, commit.dispatch_no, commit.token, *verdict, std::string{messages::WorkCommit::type}, "", {}}));
}

void Stage::publish(std::string_view exchange, std::string key, messages::Envelope envelope, std::string body) {
  envelope.message_id = ids_.next();
  envelope.timestamp = clock_.wall();
  broker::Outgoing message{std::string{exchange}, std::move(key), std::move(envelope), std::move(body)};
  message.must_arrive = exchange != "reply";
  publisher_->submit(std::move(message), [](broker::Published) {});
}

std::string Stage::tell(std::string recipient) {
  const std::string id = ids_.next();
  recipients_[id] = std::move(recipient);
  dispatch(id, 1);
  return id;
}

void Stage::dispatch(const std::string& delivery, std::int64_t dispatch_no) {
  dispatched_[delivery] = dispatch_no;
  messages::Envelope envelope;
  envelope.type = messages::NotifyMail::type;
  envelope.correlation_id = ids_.next();
  publish("work", "notifier", envelope, codec::encode(messages::NotifyMail{{delivery, dispatch_no, ticket}}));
}

std::string Stage::test_connection(const messages::Site& tested) {
  messages::NotifierTest test;
  test.test_id = ids_.next();
  test.site = tested;
  messages::Envelope envelope;
  envelope.type = messages::NotifierTest::type;
  publish("work", "notifier.test", envelope, codec::encode(test));
  return test.test_id;
}

std::set<std::string> Stage::committed() const {
  std::set<std::string> found;
  for (const auto& one : commits) found.insert(one.delivery_id);
  return found;
}

const messages::WorkOutcome* Stage::outcome_of(const std::string& delivery) const {
  // Of the newest dispatch: the ledger drops what is said about an older one, unless it is done.
  const auto found = std::find_if(outcomes.rbegin(), outcomes.rend(), [&](const auto& one) {
    return one.delivery_id == delivery && (one.dispatch_no == dispatched_.at(delivery) || one.outcome == messages::Outcome::done);
  });
  return found == outcomes.rend() ? nullptr : &*found;
}

std::size_t Stage::mails_to(const std::string& recipient) const {
  const auto mails = smtp.mails();
  return static_cast<std::size_t>(std::ranges::count_if(mails, [&](const auto& mail) { return mail.recipients.at(0) == recipient; }));
}

void Stage::run_until_empty() {
  // Asking the broker takes about a second in which the ledger's part is not played, and what it shows may be 5 s old.
  for (int i = 0; i < 30; ++i) {
    run_for(std::chrono::milliseconds{400});
    std::istringstream lines{rabbit_.ctl({"list_queues", "-q", "--no-table-headers", "-p", "postroom", "name", "messages_ready", "messages_unacknowledged"})};
    for (std::string name, ready, held; lines >> name >> ready >> held;) {
      if (name == "notifier" && ready == "0" && held == "0") return;
    }
  }
  FAIL("the queue does not become empty; the worker said:\n" << worker_log());
}

std::string Stage::worker_log() const {
  std::ostringstream text;
  text << std::ifstream{home() / "log" / "notifier"}.rdbuf();
  return text.str();
}

mail::Hmac Stage::hmac() const {
  return [](std::string_view data) { return crypto::hmac_sha256(message_id_key, data); };
}

}  // namespace postroom::notifier

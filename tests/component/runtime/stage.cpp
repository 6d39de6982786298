#include "tests/component/runtime/stage.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>
#include <stdlib.h>

#include <fstream>
#include <sstream>

namespace postroom::worker {

namespace {

constexpr const char* installation = "0190aaaa-0000-7000-8000-00000000000a";

void write_private(const std::filesystem::path& path, std::string_view text) {
  std::ofstream{path} << text;
  std::filesystem::permissions(path, std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
}

}  // namespace

Stage::Stage(std::chrono::milliseconds first_byte) {
  for (const char* queue : {"jira", "jira.test", "ledger.results", "standby"}) rabbit_.purge(queue);
  char pattern[] = "/tmp/postroom-stage-XXXXXX";
  home_ = mkdtemp(pattern);
  for (const char* folder : {"etc", "secrets", "run", "log"}) std::filesystem::create_directory(home_ / folder);
  std::filesystem::permissions(home_ / "secrets", std::filesystem::perms::owner_all);
  write_private(home_ / "secrets" / "broker-jira", rabbit_.endpoint("jira").password);
  write_private(home_ / "secrets" / "key-jira", sealer_.kind_key());
  write_private(home_ / "etc" / "postroom.toml",
                fmt::format("[installation]\nid = \"{}\"\n[broker]\nport = {}\n[delivery]\nhttp_timeout_ms = 20000\nclaim_answer_ms = 500\n"
                            "first_byte_ms = {}\n[outbound]\nallow = [\"127.0.0.0/8\"]\n",
                            installation, rabbit_.port(), first_byte.count()));
  const auto on_loop = [this](std::function<void()> work) { loop_.post(std::move(work)); };
  publisher_ = broker::make_publisher(rabbit_.endpoint("ledger", "stage publish"), on_loop);
  consumer_ = broker::make_consumer(rabbit_.endpoint("ledger", "stage consume"), on_loop);
  for (const char* queue : {"ledger.results", "standby"}) consumer_->subscribe({queue, 200});
  consumer_->on_deliveries([this](std::vector<broker::Delivery> burst) { take(std::move(burst)); });
  publisher_->start();
  consumer_->start();
  run_until([this] { return consumer_->consuming() == 2 && publisher_->state() == broker::LinkState::open; });
}

Stage::~Stage() {
  publisher_->stop(std::chrono::milliseconds{0});
  consumer_->stop();
  if (getenv("POSTROOM_KEEP_STAGE") == nullptr) std::filesystem::remove_all(home_);
}

std::unique_ptr<support::Child> Stage::start_worker(std::vector<std::string> environment) {
  environment.push_back("POSTROOM_ALLOW_ROOT=1");
  return std::make_unique<support::Child>(std::vector<std::string>{POSTROOM_BINARY_DIR "/postroom-jira", "--config", home_.string()},
                                          support::Child::Ending::terminate, std::move(environment), (home_ / "log" / "jira").string());
}

void Stage::run_until(const std::function<bool()>& is_there, std::chrono::milliseconds limit) {
  const auto until = clock_.steady() + limit;
  loop::Timer look{loop_, [&] { loop_.stop(); }};
  while (!is_there()) {
    REQUIRE_MESSAGE(clock_.steady() < until, "not there in time; the worker said:\n" << worker_log());
    look.after(std::chrono::milliseconds{20});
    loop_.run();
  }
}

messages::Site Stage::site() const {
  return {"connection", jira.base_url(), "bot@example.test", sealer_.seal("jira-secret", crypto::connection_place("connection"))};
}

messages::Grant Stage::grant(const messages::WorkClaim& claim) const {
  messages::Grant grant;
  grant.site = site();
  grant.target.kind = messages::TargetKind::jira;
  grant.target.jira = messages::JiraMapping{"SUP", "Task", {}, {}};
  grant.ticket.id = "0190cccc-0000-7000-8000-00000000000c";
  grant.ticket.title = "Printer on fire";
  grant.ticket.url = "https://desk.example.org/v1/tickets/1";
  grant.marker = fmt::format("{}.{}", installation, claim.delivery_id);
  grant.attempt = 1;
  grant.probe_base = probe_base;
  return grant;
}

void Stage::take(std::vector<broker::Delivery> burst) {
  for (const auto& one : burst) {
    if (one.queue == "standby") {
      ++shelved;
    } else if (auto claim = codec::decode<messages::WorkClaim>(one.body); one.envelope.type == messages::WorkClaim::type && claim) {
      claims.push_back(*claim);
      on_claim(*claim);
      if (answers_claims) answer(*claim, one.envelope);
    } else if (auto commit = codec::decode<messages::WorkCommit>(one.body); one.envelope.type == messages::WorkCommit::type && commit) {
      commits.push_back(*commit);
      messages::Envelope envelope;
      envelope.type = messages::ClaimAnswered::type;
      publish("reply", one.envelope.reply_to, envelope,
              codec::encode(messages::ClaimAnswered{commit->delivery_id, commit->dispatch_no, commit->token, messages::ClaimVerdict::send,
                                                    std::string{messages::WorkCommit::type}, "", {}}));
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
  messages::ClaimAnswered answered{claim.delivery_id, claim.dispatch_no, claim.token, messages::ClaimVerdict::drop, std::string{messages::WorkClaim::type}, "", {}};
  if (holder == claim.token) {
    answered.verdict = messages::ClaimVerdict::send;
    answered.grant = grant(claim);
  } else {
    answered.reason = "claimed by another";
  }
  messages::Envelope envelope;
  envelope.type = messages::ClaimAnswered::type;
  envelope.correlation_id = asked.correlation_id;
  publish("reply", asked.reply_to, envelope, codec::encode(answered));
}

void Stage::publish(std::string_view exchange, std::string key, messages::Envelope envelope, std::string body) {
  envelope.message_id = ids_.next();
  envelope.timestamp = clock_.wall();
  broker::Outgoing message{std::string{exchange}, std::move(key), std::move(envelope), std::move(body)};
  message.must_arrive = exchange != "reply";
  publisher_->submit(std::move(message), [](broker::Published) {});
}

std::string Stage::publish_job(std::string_view type, std::string body) {
  const std::string id = ids_.next();
  messages::Envelope envelope;
  envelope.type = type;
  envelope.correlation_id = ids_.next();
  const bool is_test = type == messages::JiraTest::type;
  publish("work", is_test ? "jira.test" : "jira", envelope, body.empty() ? codec::encode(messages::JiraCreate{{id, 1, "ticket"}}) : body);
  return id;
}

std::string Stage::queue_depths() {
  return rabbit_.evaluate("{ok, Q} = rabbit_amqqueue:lookup(rabbit_misc:r(<<\"postroom\">>, queue, <<\"jira\">>)), "
                          "[{_, Ready}, {_, Held}] = rabbit_amqqueue:info(Q, [messages_ready, messages_unacknowledged]), {Ready, Held}");
}

std::string Stage::worker_log() const {
  std::ostringstream text;
  text << std::ifstream{home_ / "log" / "jira"}.rdbuf();
  return text.str();
}

}  // namespace postroom::worker

#include "tests/component/imap_poller/stage.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>
#include <stdlib.h>


#include <algorithm>
#include <fstream>
#include <sstream>

#include "common/base/text.hpp"
#include "workers/imap_poller/arrival.hpp"

namespace postroom::imap_poller {

namespace {

void write_private(const std::filesystem::path& path, std::string_view text) {
  std::ofstream{path} << text;
  std::filesystem::permissions(path, std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
}

}  // namespace

Stage::Stage(const std::string& ca_file, std::string_view more_config) {
  char pattern[] = "/tmp/postroom-stage-XXXXXX";
  home_ = mkdtemp(pattern);
  for (const char* folder : {"etc", "secrets", "run", "log"}) std::filesystem::create_directory(home_ / folder);
  std::filesystem::permissions(home_ / "secrets", std::filesystem::perms::owner_all);
  write_private(home_ / "secrets" / "broker-imap_poller", rabbit_.endpoint("imap_poller").password);
  write_private(home_ / "secrets" / "key-imap_poller", sealer_.kind_key());
  write_private(home_ / "etc" / "postroom.toml",
                fmt::format("[installation]\nid = \"0190aaaa-0000-7000-8000-00000000000a\"\n[broker]\nport = {}\n[delivery]\nclaim_answer_ms = 500\n"
                            "[mail]\nlease_word_ms = 500\nlease_silence_ms = 60000\n{}[outbound]\nallow = [\"127.0.0.0/8\", \"::1/128\"]\nca_file = \"{}\"\n",
                            rabbit_.port(), more_config, ca_file));
  const auto on_loop = [this](std::function<void()> work) { loop_.post(std::move(work)); };
  publisher_ = broker::make_publisher(rabbit_.endpoint("ledger", "stage publish"), on_loop);
  consumer_ = broker::make_consumer(rabbit_.endpoint("ledger", "stage consume"), on_loop);
  for (const char* queue : {"ledger.results", "ledger.intake", "standby"}) consumer_->subscribe({queue, 200});
  consumer_->on_deliveries([this](std::vector<broker::Delivery> burst) { take(std::move(burst)); });
  publisher_->start();
  consumer_->start();
  run_until([this] { return consumer_->consuming() == 3 && publisher_->state() == broker::LinkState::open; });
}

Stage::~Stage() {
  publisher_->stop(std::chrono::milliseconds{0});
  consumer_->stop();
  if (getenv("POSTROOM_KEEP_STAGE") == nullptr) std::filesystem::remove_all(home_);
}

std::unique_ptr<support::Child> Stage::start_worker(std::vector<std::string> environment) {
  environment.push_back("POSTROOM_ALLOW_ROOT=1");
  return std::make_unique<support::Child>(std::vector<std::string>{POSTROOM_BINARY_DIR "/postroom-imap_poller", "--config", home_.string()},
                                          support::Child::Ending::terminate, std::move(environment), (home_ / "log" / "imap_poller").string());
}

Inbox& Stage::inbox(std::string base_url) {
  inboxes_.push_back(std::make_unique<Inbox>());
  inboxes_.back()->id = ids_.next();
  inboxes_.back()->base_url = std::move(base_url);
  return *inboxes_.back();
}

Inbox* Stage::find(const std::string& id) {
  for (const auto& inbox : inboxes_) {
    if (inbox->id == id) return inbox.get();
  }
  return nullptr;
}

void Stage::dispatch(Inbox& inbox) {
  ++inbox.dispatch_no;
  inbox.token.clear();
  inbox.is_stopping = false;
  publish("work", "imap_poller", messages::ImapPoll::type, codec::encode(messages::ImapPoll{inbox.id, inbox.dispatch_no}));
}

messages::Site Stage::site(const Inbox& inbox) const {
  const std::string connection = "connection-" + inbox.id;
  return {connection, inbox.base_url, inbox.user, sealer_.seal(inbox.password, crypto::connection_place(connection))};
}

std::string Stage::test_connection(const Inbox& inbox, std::optional<std::string> folder) {
  const std::string id = ids_.next();
  publish("work", "imap_poller.test", messages::ImapPollerTest::type, codec::encode(messages::ImapPollerTest{id, site(inbox), std::move(folder)}));
  return id;
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

void Stage::run_for(std::chrono::milliseconds time) {
  const auto until = clock_.steady() + time;
  run_until([&] { return clock_.steady() >= until; }, time + std::chrono::seconds{5});
}

void Stage::take(std::vector<broker::Delivery> burst) {
  for (const auto& one : burst) {
    const std::string& type = one.envelope.type;
    if (one.queue == "standby") {
      ++shelved;
    } else if (type == messages::PollClaim::type) {
      answer(*codec::decode<messages::PollClaim>(one.body), one.envelope);
    } else if (type == messages::PollProgress::type) {
      answer(*codec::decode<messages::PollProgress>(one.body), one.envelope);
    } else if (type == messages::PollEnded::type) {
      const auto end = *codec::decode<messages::PollEnded>(one.body);
      Inbox* const of = find(end.inbox_id);
      if (of == nullptr) continue;
      Inbox& inbox = *of;
      inbox.ends.push_back(end);
      inbox.reports.insert(inbox.reports.end(), end.chores.begin(), end.chores.end());
      if (inbox.token == end.token) inbox.token = "ended";
    } else if (type == messages::MailArrived::type) {
      take_arrival(*codec::decode<messages::MailArrived>(one.body), one.envelope);
    } else if (type == messages::TestOutcome::type) {
      tests.push_back(*codec::decode<messages::TestOutcome>(one.body));
    }
  }
  consumer_->ack_all(burst);
}

// What the ledger does in the transaction of the arrival.
void Stage::take_arrival(const messages::MailArrived& mail, const messages::Envelope& envelope) {
  Inbox* const of = find(mail.inbox_id);
  if (of == nullptr) return;
  on_arrival(mail);
  Inbox& inbox = *of;
  CHECK(envelope.message_id == arrival_id_of(mail));
  CHECK(envelope.correlation_id == envelope.message_id);
  CHECK(mail.ticket_id == ticket_id_of(envelope.message_id));
  CHECK((mail.extent == messages::MailExtent::none) == !mail.blob.has_value());
  if (inbox.arrival_ids.insert(envelope.message_id).second) {
    inbox.arrivals.push_back(mail);
  } else {
    ++inbox.duplicates;
  }
  auto& cursor = inbox.cursor;
  if (!cursor || cursor->uid_validity != mail.uid_validity) {
    CHECK(mail.previous_uid == 0);
    cursor = messages::MailboxCursor{mail.uid_validity, mail.uid};
  } else if (mail.previous_uid <= cursor->last_uid) {
    cursor->last_uid = std::max(cursor->last_uid, mail.uid);
  } else {
    ++inbox.gaps;
  }
}

void Stage::answer(const messages::PollClaim& claim, const messages::Envelope& asked) {
  Inbox unknown;
  Inbox* const of = find(claim.inbox_id);
  Inbox& inbox = of == nullptr ? unknown : *of;
  ++inbox.claims;
  if (!answers) return;
  messages::PollAnswered answered{claim.inbox_id, claim.dispatch_no, claim.token, messages::ClaimVerdict::drop, "", {}, {}};
  if (claim.dispatch_no != inbox.dispatch_no) {
    answered.reason = "given out again";
  } else if (!inbox.token.empty() && inbox.token != claim.token) {
    answered.reason = "another holds it";
  } else {
    inbox.token = claim.token;
    inbox.worker = claim.worker;
    answered.verdict = messages::ClaimVerdict::send;
    messages::PollGrant grant;
    grant.site = site(inbox);
    grant.folder = inbox.folder;
    grant.cursor = inbox.cursor;
    grant.since_us = inbox.since_us;
    grant.skip = inbox.skip;
    grant.chores = inbox.chores;
    grant.interval_ms = inbox.interval_ms;
    grant.is_push = inbox.is_push;
    grant.is_careful = inbox.is_careful;
    grant.lease_ms = inbox.lease_ms;
    answered.grant = std::move(grant);
  }
  publish("reply", asked.reply_to, messages::PollAnswered::type, codec::encode(answered));
}

void Stage::answer(const messages::PollProgress& word, const messages::Envelope& asked) {
  Inbox* const of = find(word.inbox_id);
  if (of == nullptr) return;
  Inbox& inbox = *of;
  inbox.words.push_back(word);
  if (word.is_caught_up) ++inbox.caught_up;
  for (const auto& report : word.chores) {
    inbox.reports.push_back(report);
    std::erase_if(inbox.chores, [&](const messages::PollChore& chore) { return chore.chore_id == report.chore_id; });
  }
  if (!answers) return;
  messages::PollAnswered answered{word.inbox_id, word.dispatch_no, word.token, messages::ClaimVerdict::send, "", {}, inbox.chores};
  if (word.token != inbox.token || inbox.is_stopping) {
    answered.verdict = messages::ClaimVerdict::drop;
    answered.reason = inbox.is_stopping ? "the inbox was changed" : "another holds it";
  }
  publish("reply", asked.reply_to, messages::PollAnswered::type, codec::encode(answered));
}

void Stage::publish(std::string_view exchange, std::string key, std::string_view type, std::string body) {
  messages::Envelope envelope;
  envelope.message_id = ids_.next();
  envelope.correlation_id = envelope.message_id;
  envelope.type = type;
  envelope.timestamp = clock_.wall();
  broker::Outgoing message{std::string{exchange}, std::move(key), std::move(envelope), std::move(body)};
  message.must_arrive = exchange != "reply";
  publisher_->submit(std::move(message), [](broker::Published) {});
}

std::string Stage::content(const messages::MailArrived& mail) const {
  REQUIRE(mail.blob.has_value());
  const auto bytes = blob::Store::for_reading(home_ / "blobs").read({mail.blob->sha256, mail.blob->size}, 100 << 20);
  REQUIRE_MESSAGE(bytes.ok(), bytes.error().text());
  return *bytes;
}

std::string Stage::queue_depths() {
  const auto table = rabbit_.ctl({"list_queues", "-q", "-p", "postroom", "--no-table-headers", "name", "messages_ready", "messages_unacknowledged"});
  std::istringstream lines{table};
  for (std::string name, ready, unacknowledged; lines >> name >> ready >> unacknowledged;) {
    if (name == "imap_poller") return ready + " " + unacknowledged;
  }
  return {};
}

std::string Stage::worker_log() const {
  std::ostringstream text;
  text << std::ifstream{home_ / "log" / "imap_poller"}.rdbuf();
  const std::string all = text.str();
  return all.substr(all.size() > 20'000 ? all.size() - 20'000 : 0);
}

}  // namespace postroom::imap_poller

#include "workers/mail_router/router.hpp"

#include <doctest/doctest.h>
#include <stdlib.h>

#include <fstream>
#include <optional>

#include "common/codec/codec.hpp"
#include "common/crypto/crypto.hpp"
#include "tests/support/fake_broker.hpp"
#include "tests/support/fakes.hpp"

using namespace postroom;
using namespace postroom::mail_router;
using std::chrono::milliseconds;

namespace {

// A router whose sandbox, disk and broker are the test.
struct House {
  House() {
    char pattern[] = "/tmp/postroom-router-XXXXXX";
    folder = mkdtemp(pattern);
    auto opened = blob::Store::open(folder / "blobs");
    REQUIRE(opened.ok());
    desk.emplace(Desk{publisher, consumer, [this](mail_sandbox::Job job) { jobs.push_back(std::move(job)); }, *opened,
                      [this](blob::Batch batch, std::function<void(Result<void>)> done) { kept.push_back({std::move(batch), std::move(done)}); }, clock,
                      ids, {}, [this](SteadyTime then) { wake = then; }, [this] { ++rested; }});
    router.emplace(*desk);
  }
  ~House() {
    router.reset();
    kept.clear();
    std::filesystem::remove_all(folder);
  }

  broker::Delivery delivery(const messages::MailParse& job) {
    broker::Delivery delivery;
    delivery.tag = ++last_tag;
    delivery.queue = "mail_router";
    delivery.envelope.type = messages::MailParse::type;
    delivery.envelope.correlation_id = job.arrival_id;
    delivery.body = codec::encode(job);
    return delivery;
  }
  messages::MailParse job(std::string arrival, std::int64_t parse_no = 1, std::string_view header = "") {
    blob::Batch batch{desk->store};
    const auto ref = batch.add(fmt::format("{}a mail of {}", header, arrival));
    REQUIRE(ref.ok());
    REQUIRE(batch.commit().ok());
    return {std::move(arrival), parse_no, {ref->sha256, ref->size}, {"desk@example.org"}};
  }
  void give(const messages::MailParse& one) { router->on_deliveries({delivery(one)}); }
  // The sandbox answers its oldest mail.
  void answer(Result<mail::Message> with) {
    REQUIRE_FALSE(jobs.empty());
    const mail_sandbox::Job first = std::move(jobs.front());
    jobs.erase(jobs.begin());
    first.on_done(std::move(with));
  }
  std::vector<messages::MailParsed> told() {
    std::vector<messages::MailParsed> all;
    for (const auto& one : publisher.take(messages::MailParsed::type)) all.push_back(*codec::decode<messages::MailParsed>(one.body));
    return all;
  }
  void pass(milliseconds time) {
    clock.advance(time);
    router->on_time();
  }

  struct Kept {
    blob::Batch batch;
    std::function<void(Result<void>)> done;
  };
  std::filesystem::path folder;
  fakes::FakePublisher publisher;
  fakes::FakeConsumer consumer;
  fakes::ManualClock clock;
  fakes::CountingIds ids;
  std::vector<mail_sandbox::Job> jobs;
  std::vector<Kept> kept;
  SteadyTime wake{};
  int rested = 0;
  std::uint64_t last_tag = 0;
  std::optional<Desk> desk;
  std::optional<Router> router;
};

mail::Message hello() {
  mail::Message message;
  message.from = {{"Ann", "ann@example.org"}};
  message.subject = "hello";
  message.body_text = "text";
  return message;
}

}  // namespace

TEST_CASE("one mail is read ahead, never more, in the order of arrival") {
  House house;
  for (const char* arrival : {"a", "b", "c", "d"}) house.give(house.job(arrival));
  REQUIRE(house.jobs.size() == 2);
  CHECK(house.jobs[0].mail == "a mail of a");
  CHECK(house.jobs[1].mail == "a mail of b");
  house.answer(hello());
  REQUIRE(house.jobs.size() == 2);
  CHECK(house.jobs[1].mail == "a mail of c");
}

TEST_CASE("a job is acknowledged when its answer is confirmed, not before") {
  House house;
  house.give(house.job("a"));
  house.answer(hello());
  CHECK(house.consumer.acked.empty());
  const auto told = house.told();
  REQUIRE(told.size() == 1);
  CHECK(told[0].arrival_id == "a");
  CHECK(told[0].mail->subject == "hello");
  house.publisher.answer_all();
  CHECK(house.consumer.acked == std::vector<std::uint64_t>{1});
  CHECK(house.router->in_flight() == 0);
}

TEST_CASE("an answer that the broker does not take is said again") {
  House house;
  house.give(house.job("a"));
  house.answer(hello());
  house.publisher.answer_all(broker::Published::rejected);
  CHECK(house.told().size() == 1);
  CHECK(house.consumer.acked.empty());
  house.pass(milliseconds{999});
  CHECK(house.told().empty());
  CHECK(house.wake == house.clock.steady() + milliseconds{1});
  house.pass(milliseconds{1});
  CHECK(house.told().size() == 1);
  house.publisher.answer_all();
  CHECK(house.consumer.acked.size() == 1);
}

TEST_CASE("attachments are durable before anything is told") {
  House house;
  house.give(house.job("a"));
  house.jobs[0].on_attachment_bytes(1, "first ");
  house.jobs[0].on_restart();
  house.jobs[0].on_attachment_bytes(1, "second ");
  house.jobs[0].on_attachment_bytes(1, "try");
  mail::Message message = hello();
  for (const char* name : {"empty.txt", "full.txt", "also-empty.txt"}) message.attachments.push_back({name, name, "text/plain", "", false, 0});
  house.answer(message);
  CHECK(house.told().empty());
  REQUIRE(house.kept.size() == 1);
  CHECK(house.kept[0].batch.size() == 3);
  REQUIRE(house.kept[0].batch.commit().ok());
  house.kept[0].done({});
  const auto told = house.told();
  REQUIRE(told.size() == 1);
  REQUIRE(told[0].mail->attachments.size() == 3);
  CHECK(told[0].mail->attachments[0].blob.size == 0);
  CHECK(told[0].mail->attachments[1].blob.sha256 == crypto::to_hex(crypto::sha256("second try")));
  CHECK(told[0].mail->attachments[2].blob.sha256 == crypto::to_hex(crypto::sha256("")));
}

TEST_CASE("a disk that does not keep is nobody's mail's fault: the mail is read again, and health tells") {
  House house;
  house.give(house.job("a"));
  house.jobs[0].on_attachment_bytes(0, "bytes");
  mail::Message message = hello();
  message.attachments.push_back({"a.txt", "a.txt", "text/plain", "", false, 5});
  house.answer(message);
  house.kept[0].done(Error{Code::io, "no space left on the device"});
  CHECK(house.told().empty());
  CHECK(house.router->trouble().find("no space left") != std::string::npos);
  house.pass(milliseconds{1'999});
  CHECK(house.jobs.empty());
  house.pass(milliseconds{1});
  REQUIRE(house.jobs.size() == 1);
  house.jobs[0].on_attachment_bytes(0, "bytes");
  house.answer(message);
  house.kept[1].done({});
  CHECK(house.told().size() == 1);
  CHECK(house.router->trouble().empty());
}

TEST_CASE("a mail that cannot be parsed is told, a sandbox that cannot be had is not") {
  House house;
  house.give(house.job("a"));
  house.give(house.job("b"));
  house.answer(Error{Code::bad_message, "the mail broke the parser: a crash"});
  house.answer(Error{Code::unavailable, "no such file", "mail sandbox"});
  const auto told = house.told();
  REQUIRE(told.size() == 1);
  CHECK(told[0].arrival_id == "a");
  CHECK_FALSE(told[0].mail.has_value());
  CHECK(told[0].trouble == "the mail broke the parser: a crash");
  CHECK(house.router->trouble().find("no such file") != std::string::npos);
  house.pass(milliseconds{2'000});
  CHECK(house.jobs.size() == 1);
}

TEST_CASE("of a mail that cannot be parsed its header is told, read without the sandbox") {
  House house;
  house.give(house.job("a", 1, "From: Ann <ann@example.org>\r\nSubject: =?utf-8?q?Schl=C3=BCssel?=\r\nAuto-Submitted: auto-generated\r\n\r\n"));
  house.give(house.job("b"));
  house.answer(Error{Code::bad_message, "it broke"});
  house.answer(Error{Code::bad_message, "it broke"});
  const auto told = house.told();
  REQUIRE(told.size() == 2);
  REQUIRE(told[0].header.has_value());
  CHECK(told[0].header->subject == "Schlüssel");
  CHECK(told[0].header->sender_address == "ann@example.org");
  CHECK(told[0].header->sender_name == "Ann");
  CHECK(told[0].header->is_auto);
  CHECK_FALSE(told[0].mail.has_value());
  CHECK_FALSE(told[1].header.has_value());  // it has none
}

TEST_CASE("a disk that cannot be read is tried five times, then the mail is told to be unreadable") {
  House house;
  auto job = house.job("a");
  std::filesystem::resize_file(house.desk->store.file_of(job.blob.sha256), 3);
  house.give(job);
  for (int i = 0; i < 4; ++i) {
    CHECK(house.told().empty());
    house.pass(milliseconds{2'000});
  }
  const auto told = house.told();
  REQUIRE(told.size() == 1);
  CHECK(told[0].trouble.find("blob store") != std::string::npos);
}

TEST_CASE("the same job twice is one errand with two acknowledgements; a newer number takes the place of one that waits") {
  House house;
  const auto a = house.job("a");
  house.give(a);
  house.give(a);
  CHECK(house.jobs.size() == 1);
  house.give(house.job("b"));
  house.give(house.job("c", 1));
  house.give(house.job("c", 2));
  CHECK(house.consumer.acked == std::vector<std::uint64_t>{4});  // the first "c"
  house.answer(hello());
  house.publisher.answer_all();
  CHECK(house.consumer.acked == std::vector<std::uint64_t>{4, 1, 2});
  house.answer(hello());
  house.answer(hello());
  const auto told = house.told();
  REQUIRE(told.size() == 3);
  CHECK(told[2].arrival_id == "c");
  CHECK(told[2].parse_no == 2);
}

TEST_CASE("what is no job of ours is rejected") {
  House house;
  auto newer = house.delivery(house.job("a"));
  newer.envelope.type = "mail.parse.v2";
  auto broken = house.delivery(house.job("a"));
  broken.body = "{";
  house.router->on_deliveries({newer, broken});
  CHECK(house.consumer.rejected.size() == 2);
  CHECK(house.jobs.empty());
}

TEST_CASE("draining: what is being read is told, what waits is left to another router, and then there is rest") {
  House house;
  for (const char* arrival : {"a", "b", "c"}) house.give(house.job(arrival));
  house.router->drain();
  CHECK(house.rested == 0);
  house.give(house.job("late"));
  CHECK(house.router->in_flight() == 3);
  house.answer(hello());
  house.answer(hello());
  CHECK(house.jobs.empty());
  CHECK(house.rested == 0);
  house.publisher.answer_all();
  CHECK(house.rested > 0);
  CHECK(house.consumer.acked == std::vector<std::uint64_t>{1, 2});
}

TEST_CASE("a router without work rests at once") {
  House house;
  house.router->drain();
  CHECK(house.rested == 1);
}

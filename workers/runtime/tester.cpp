#include "workers/runtime/tester.hpp"

#include <algorithm>
#include <utility>

#include "common/base/log.hpp"
#include "common/broker/topology.hpp"

namespace postroom::worker {

void Tester::begin(broker::Delivery delivery, TestJob job) {
  const std::uint64_t number = ++last_number_;
  Test& test = tests_[number];
  test.delivery = std::move(delivery);
  test.outcome.test_id = job.test_id;
  test.outcome.connection_id = job.site.connection_id;
  auto secret = desk_.unseal(job.site);
  if (!secret) {
    test.outcome.checks = {{"secret", false, "the stored secret cannot be opened; enter it again"}};
    test.outcome.summary = test.outcome.checks.front().detail;
    test.outcome.reason_class = messages::ReasonClass::credentials;
    return report(number);
  }
  test.talk = job.begin(std::move(*secret));
  follow(number, [](Talk<TestStep>& talk) { return talk.begin(); });
}

void Tester::follow(std::uint64_t number, const std::function<TestStep(Talk<TestStep>&)>& step) {
  const auto found = tests_.find(number);
  if (found == tests_.end()) return;
  Test& test = found->second;
  TestStep next = step(test.talk);
  if (auto* tested = std::get_if<Tested>(&next)) {
    test.outcome.checks = std::move(tested->checks);
    test.outcome.summary = std::move(tested->summary);
    test.outcome.reason_class = tested->reason_class;
    return report(number);
  }
  perform(number, std::move(std::get<Ask>(next)));
}

// A test asks for nothing but reads and trials.
void Tester::perform(std::uint64_t number, Ask ask) {
  const auto limit = std::min(read_timeout(desk_.rules), std::chrono::milliseconds{8'000});  // a person waits
  const auto next = [this, number](Answer answer) { follow(number, [&](Talk<TestStep>& talk) { return talk.next(answer); }); };
  if (auto* mail = std::get_if<SmtpAsk>(&ask)) {
    mail->request.timeout = limit;
    mail->request.recipients.clear();
    tests_.at(number).mail = desk_.smtp.send(std::move(mail->request), [] {}, [next](smtp::Reply reply) { next(std::move(reply)); });
    return;
  }
  auto& request = std::get<HttpAsk>(ask).request;
  request.timeout = limit;
  tests_.at(number).exchange = desk_.http.send(std::move(request), [next](http::Reply reply) { next(std::move(reply)); });
}

void Tester::report(std::uint64_t number) {
  Test& test = tests_.at(number);
  test.outcome.passed = std::ranges::all_of(test.outcome.checks, &messages::TestCheck::passed);
  log::info("connection tested", {{"connection_id", test.outcome.connection_id},
                                  {"passed", test.outcome.passed ? "yes" : "no"},
                                  {"summary", test.outcome.summary},
                                  {"correlation_id", test.delivery.envelope.correlation_id}});
  broker::Outgoing message;
  message.exchange = broker::names::result;
  message.routing_key = broker::names::key_result;
  message.envelope = desk_.envelope(messages::TestOutcome::type, test.delivery.envelope, false);
  message.body = codec::encode(test.outcome);
  desk_.publisher.submit(std::move(message), [this, number](broker::Published published) {
    const auto found = tests_.find(number);
    if (found == tests_.end()) return;
    // Not confirmed: the person who waits gets no answer in time, and may ask again. Nothing is repeated behind their back.
    if (published != broker::Published::confirmed) log::warning("test outcome not delivered", {{"test_id", found->second.outcome.test_id}});
    desk_.consumer.ack(found->second.delivery);
    tests_.erase(found);
    ended();
  });
}

void Tester::abandon_all() {
  const auto abandoned = std::exchange(tests_, {});  // first, so that their replies find nobody
  for (const auto& [number, test] : abandoned) {
    if (test.exchange != 0) desk_.http.cancel(test.exchange);
    if (test.mail != 0) desk_.smtp.cancel(test.mail);
  }
}

}  // namespace postroom::worker

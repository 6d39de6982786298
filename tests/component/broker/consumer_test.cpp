#include <doctest/doctest.h>

#include <algorithm>
#include <set>

#include "tests/component/broker/bench.hpp"

using namespace postroom;
using namespace postroom::bench;
using broker::LinkState;
using broker::Published;

TEST_CASE("an envelope arrives as it was sent, with the user that the broker checked and CloudEvents attributes") {
  auto& rabbit = support::Rabbit::shared();
  empty_all(rabbit);
  Owner owner;
  Sender api{owner, rabbit.endpoint("api")};
  Receiver ledger{owner, rabbit.endpoint("ledger")};
  ledger.consumer->subscribe({"ledger.now", 10});
  REQUIRE(ledger.open());
  REQUIRE(api.open());
  auto out = message("cmd", "now", "0198c2f4-0000-7000-8000-000000000001", R"({"a":1})");
  out.envelope.correlation_id = "0198c2f4-0000-7000-8000-000000000002";
  out.envelope.reply_to = "reply.api.1-a";
  out.envelope.traceparent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
  out.envelope.retry = 3;
  out.envelope.assigned_board = "board";
  out.envelope.original_user_id = "imap_poller";
  out.envelope.user_id = "somebody else";
  api.send(out);
  REQUIRE(ledger.has(1));
  const auto& got = ledger.got[0];
  auto expected = out.envelope;
  expected.user_id = "api";
  CHECK(got.envelope == expected);
  CHECK(got.body == out.body);
  CHECK(got.queue == "ledger.now");
  CHECK(got.exchange == "cmd");
  CHECK(got.routing_key == "now");
  CHECK_FALSE(got.redelivered);
  for (const char* header : {R"("cloudEvents:specversion":"1.0")", R"("cloudEvents:type":"ticket.open.v1")", R"("cloudEvents:source":"urn:postroom:api")",
                             R"("cloudEvents:id":"0198c2f4-0000-7000-8000-000000000001")", R"("x-time-us":1795168800123456)"}) {
    CAPTURE(header);
    CHECK(got.headers_json.find(header) != std::string::npos);
  }
}

TEST_CASE("a burst is one call, acks in any order are counted once, and prefetch holds") {
  auto& rabbit = support::Rabbit::shared();
  empty_all(rabbit);
  Owner owner;
  Sender ledger{owner, rabbit.endpoint("ledger")};
  REQUIRE(ledger.open());
  for (int i = 0; i < 60; ++i) ledger.send(message("work", "jira", fmt::format("job-{}", i)));
  REQUIRE(ledger.answered(60));
  Receiver jira{owner, rabbit.endpoint("jira")};
  jira.acks_at_once = false;
  jira.consumer->subscribe({"jira", 20});
  REQUIRE(jira.open());
  REQUIRE(jira.has(20));
  CHECK_FALSE(jira.has(21, 300ms));
  CHECK(jira.bursts <= 20);
  // Backwards, one by one, each twice: the broker would close the channel on a second ack.
  for (std::size_t i = 20; i-- > 0;) {
    jira.consumer->ack(jira.got[i]);
    jira.consumer->ack(jira.got[i]);
  }
  REQUIRE(jira.has(40));
  jira.consumer->ack_all({jira.got.begin() + 20, jira.got.begin() + 40});
  REQUIRE(jira.has(60));
  jira.consumer->ack_all({jira.got.begin() + 40, jira.got.end()});
  CHECK(jira.consumer->state() == LinkState::open);
  jira.consumer->stop();  // flushes the acks
  CHECK(depth(rabbit, "jira") == 0);
  CHECK(std::ranges::none_of(jira.got, &broker::Delivery::redelivered));
}

TEST_CASE("what is not acked comes back, rejects are shelved or repeated, acks of an older link are no-ops") {
  auto& rabbit = support::Rabbit::shared();
  empty_all(rabbit);
  Owner owner;
  Sender ledger{owner, rabbit.endpoint("ledger")};
  REQUIRE(ledger.open());
  for (int i = 0; i < 4; ++i) ledger.send(message("work", "jira", fmt::format("fate-{}", i)));
  REQUIRE(ledger.answered(4));
  broker::Delivery of_the_first_link;
  {
    Receiver jira{owner, rabbit.endpoint("jira")};
    jira.acks_at_once = false;
    jira.consumer->subscribe({"jira", 20});
    REQUIRE(jira.open());
    REQUIRE(jira.has(4));
    jira.consumer->ack(jira.got[0]);
    jira.consumer->reject(jira.got[1], false);
    jira.consumer->reject(jira.got[2], true);
    REQUIRE(jira.has(5));
    CHECK(jira.got[4].redelivered);
    CHECK(jira.got[4].envelope.message_id == "fate-2");
    of_the_first_link = jira.got[3];
    of_the_first_link.link += 1000;
    jira.consumer->ack(of_the_first_link);
    jira.consumer->stop();
  }
  Receiver again{owner, rabbit.endpoint("jira")};
  again.consumer->subscribe({"jira", 20});
  REQUIRE(again.open());
  REQUIRE(again.has(2));
  CHECK_FALSE(again.has(3, 300ms));
  Receiver shelf{owner, rabbit.endpoint("ledger")};
  shelf.consumer->subscribe({"standby", 20});
  REQUIRE(shelf.open());
  REQUIRE(shelf.has(1));
  CHECK(shelf.got[0].envelope.message_id == "fate-1");
  CHECK(shelf.got[0].headers_json.find(R"("reason":"rejected")") != std::string::npos);
}

TEST_CASE("quiet brings nothing new but lets acks through, resume goes on") {
  auto& rabbit = support::Rabbit::shared();
  empty_all(rabbit);
  Owner owner;
  Sender ledger{owner, rabbit.endpoint("ledger")};
  REQUIRE(ledger.open());
  Receiver jira{owner, rabbit.endpoint("jira")};
  jira.acks_at_once = false;
  jira.consumer->subscribe({"jira", 20});
  jira.consumer->subscribe({"jira.test", 4});
  jira.consumer->own({"reply.jira.7-quiet", "reply", {"reply.jira.7-quiet"}});
  REQUIRE(jira.open());
  CHECK(jira.consumer->consuming() == 2);
  ledger.send(message("work", "jira", "before"));
  REQUIRE(jira.has(1));
  jira.consumer->quiet();
  REQUIRE(owner.until([&] { return jira.consumer->consuming() == 0; }));
  ledger.send(message("work", "jira", "meanwhile"));
  ledger.send(message("reply", "reply.jira.7-quiet", "answer"));
  REQUIRE(jira.has(2));
  CHECK(jira.got[1].envelope.message_id == "answer");
  CHECK_FALSE(jira.has(3, 300ms));
  jira.consumer->ack(jira.got[0]);
  jira.consumer->resume();
  REQUIRE(jira.has(3));
  CHECK(jira.got[2].envelope.message_id == "meanwhile");
  CHECK_FALSE(jira.got[2].redelivered);
  jira.consumer->ack(jira.got[2]);
  jira.consumer->stop();
  CHECK(depth(rabbit, "jira") == 0);
}

TEST_CASE("acks before stop count, even while more is pouring in") {
  auto& rabbit = support::Rabbit::shared();
  empty_all(rabbit);
  Owner owner;
  Sender ledger{owner, rabbit.endpoint("ledger")};
  REQUIRE(ledger.open());
  for (int i = 0; i < 3000; ++i) ledger.send(message("work", "jira", fmt::format("pour-{}", i), std::string(4000, 'x')));
  REQUIRE(ledger.answered(3000));
  Receiver jira{owner, rabbit.endpoint("jira")};
  jira.consumer->subscribe({"jira", 3000});
  REQUIRE(jira.open());
  REQUIRE(jira.has(1));
  const auto acked = jira.got.size();
  CHECK(acked < 3000);
  jira.consumer->stop();
  // The rest went back when the broker said goodbye; the queue counts it a moment later.
  CHECK(owner.until([&] { return depth(rabbit, "jira") == 3000 - acked; }));
}

TEST_CASE("a question and its answer travel over an own reply queue") {
  auto& rabbit = support::Rabbit::shared();
  empty_all(rabbit);
  Owner owner;
  const auto key = broker::reply_queue("api", "4711-0badcafe");
  Sender api{owner, rabbit.endpoint("api")};
  Sender ledger_out{owner, rabbit.endpoint("ledger")};
  Receiver replies{owner, rabbit.endpoint("api")};
  replies.consumer->own({key, "reply", {key}});
  Receiver ledger{owner, rabbit.endpoint("ledger")};
  ledger.consumer->subscribe({"ledger.now", 10});
  ledger.consumer->on_deliveries([&](std::vector<broker::Delivery> burst) {
    ledger.consumer->ack_all(burst);
    for (const auto& asked : burst) {
      auto answer = message("reply", asked.envelope.reply_to, "answer to " + asked.envelope.message_id);
      answer.must_arrive = false;
      ledger_out.send(answer);
    }
  });
  REQUIRE(replies.open());
  REQUIRE(ledger.open());
  REQUIRE(api.open());
  REQUIRE(ledger_out.open());
  auto question = message("cmd", "now", "question");
  question.envelope.reply_to = key;
  api.send(question);
  REQUIRE(replies.has(1));
  CHECK(replies.got[0].envelope.message_id == "answer to question");
  CHECK(replies.got[0].queue == key);
  CHECK(replies.got[0].tag == 0);
  const auto queues = rabbit.ctl({"list_queues", "-p", rabbit.vhost, "name", "type", "exclusive", "arguments"});
  const auto row = queues.substr(queues.find(key), 200);
  CHECK(row.find("classic\ttrue") != std::string::npos);
  CHECK(row.find("drop-head") != std::string::npos);
}

TEST_CASE("a queue that is deleted under its consumer: not open, and consumed again when it is back") {
  auto& rabbit = support::Rabbit::shared();
  empty_all(rabbit);
  Owner owner;
  Receiver trello{owner, rabbit.endpoint("trello")};
  trello.consumer->subscribe({"trello.test", 4});
  REQUIRE(trello.open());
  rabbit.evaluate("{ok, Q} = rabbit_amqqueue:lookup(rabbit_misc:r(<<\"postroom\">>, queue, <<\"trello.test\">>)), "
                  "rabbit_amqqueue:delete(Q, false, false, <<\"test\">>), ok");
  REQUIRE(owner.until([&] { return trello.consumer->state() != LinkState::open; }));
  CHECK(trello.consumer->consuming() == 0);
  rabbit.ctl({"import_definitions", std::string_view{rabbit.definitions()}});
  // A node saves the names of new quorum queues half a second later; killed before, it never serves them again, and a later case kills it.
  rabbit.evaluate("[dets:sync(Table) || Table <- dets:all()], ok");
  REQUIRE(owner.until([&] { return trello.consumer->state() == LinkState::open; }));
  CHECK(trello.consumer->consuming() == 1);
  Sender ledger{owner, rabbit.endpoint("ledger")};
  REQUIRE(ledger.open());
  ledger.send(message("work", "trello.test", "after"));
  REQUIRE(trello.has(1));
}

TEST_CASE("headers and types of strangers are carried as JSON, and a wrong type is no envelope") {
  auto& rabbit = support::Rabbit::shared();
  empty_all(rabbit);
  Owner owner;
  Receiver ledger{owner, rabbit.endpoint("ledger")};
  ledger.consumer->subscribe({"ledger.intake", 10});
  REQUIRE(ledger.open());
  rabbit.evaluate(
      "Headers = [{<<\"x-retry\">>, longstr, <<\"many\">>}, {<<\"x-nested\">>, table, [{<<\"a\">>, array, [{signedint, 1}, {bool, true}, {void, "
      "undefined}, {double, 1.5}]}]}, {<<\"bad \\\"name\">>, longstr, <<255, 34>>}, {<<\"when\">>, timestamp, 7}], "
      "Content = rabbit_basic:build_content({'P_basic', undefined, undefined, Headers, undefined, undefined, undefined, undefined, undefined, "
      "undefined, 18446744073709551615, <<\"odd\">>, undefined, undefined, undefined}, <<0, 1, 2>>), "
      "{ok, Message} = rabbit_basic:message(rabbit_misc:r(<<\"postroom\">>, exchange, <<\"cmd\">>), <<\"intake\">>, Content), "
      "rabbit_basic:publish(rabbit_basic:delivery(false, false, Message, undefined)), ok");
  REQUIRE(ledger.has(1));
  const auto& got = ledger.got[0];
  CHECK(got.body == std::string("\0\1\2", 3));
  CHECK(got.envelope.retry == 0);
  CHECK(got.envelope.type == "odd");
  CHECK(got.envelope.user_id.empty());
  CHECK(to_micros(got.envelope.timestamp) == 0);
  CHECK(got.headers_json.find(R"("x-nested":{"a":[1,true,null,1.5]})") != std::string::npos);
  CHECK(got.headers_json.find("\"bad \\\"name\":\"\xef\xbf\xbd\\\"\"") != std::string::npos);
  CHECK(got.headers_json.find(R"("when":7)") != std::string::npos);
}

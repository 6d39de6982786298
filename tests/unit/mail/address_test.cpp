#include "common/mail/address.hpp"

#include <doctest/doctest.h>

using namespace postroom::mail;

namespace {

struct Case {
  std::string_view raw;
  std::vector<Address> expected;
};

}  // namespace

TEST_CASE("address lists are read as people meant them") {
  const Case cases[] = {
      {"ann@example.org", {{"", "ann@example.org"}}},
      {"Ann Lee <ann@Example.ORG>", {{"Ann Lee", "ann@example.org"}}},
      {"\"Lee, Ann\" <ann@example.org>, bob@example.org", {{"Lee, Ann", "ann@example.org"}, {"", "bob@example.org"}}},
      {"ann@example.org (Ann Lee)", {{"Ann Lee", "ann@example.org"}}},
      {"Team: ann@example.org, bob@example.org;", {{"", "ann@example.org"}, {"", "bob@example.org"}}},
      {"undisclosed-recipients:;", {}},
      {"ann@example.org; bob@example.org", {{"", "ann@example.org"}, {"", "bob@example.org"}}},
      {"<@relay.example,@b.example:ann@example.org>", {{"", "ann@example.org"}}},
      {"mailto:ann@example.org", {{"", "ann@example.org"}}},
      {"'Ann' <ann@example.org>", {{"Ann", "ann@example.org"}}},
      {"=?utf-8?Q?J=C3=BCrgen?= <j@example.org>", {{"Jürgen", "j@example.org"}}},
      {"\"=?utf-8?Q?J=C3=BCrgen?=\" <j@example.org>", {{"Jürgen", "j@example.org"}}},
      {"ann@example.org Ann Lee", {{"", "ann@example.org"}}},
      {"Ann <ann@example.org", {{"Ann", "ann@example.org"}}},
      {"ann @ example.org", {{"", "ann@example.org"}}},
      {"Root User", {{"Root User", ""}}},
      {"\"much more\"@example.org", {{"", "\"much more\"@example.org"}}},
      {"ann@[192.0.2.1]", {{"", "ann@[192.0.2.1]"}}},
      {"用户@例子.广告", {{"", "用户@例子.广告"}}},
      {"", {}},
      {",,;;,", {}},
  };
  for (const Case& one : cases) {
    CAPTURE(one.raw);
    CHECK(parse_addresses(one.raw) == one.expected);
  }
}

TEST_CASE("a name that claims an address never becomes the address") {
  const Case cases[] = {
      {"\"boss@corp.example\" <evil@attacker.example>", {{"boss@corp.example", "evil@attacker.example"}}},
      {"boss@corp.example <evil@attacker.example>", {{"boss@corp.example", "evil@attacker.example"}}},
      {"<boss@corp.example> <evil@attacker.example>", {{"boss@corp.example", "evil@attacker.example"}}},
      {"=?utf-8?Q?boss=40corp=2Eexample=0A?= <evil@attacker.example>",
       {{"boss@corp.example", "evil@attacker.example"}}},
  };
  for (const Case& one : cases) {
    CAPTURE(one.raw);
    CHECK(parse_addresses(one.raw) == one.expected);
  }
  // Encoded words inside the address are no address (Mailsploit).
  const auto hidden = parse_addresses("=?utf-8?b?Ym9zc0Bjb3JwLmV4YW1wbGU=?=@attacker.example");
  REQUIRE(hidden.size() <= 1);
  if (!hidden.empty()) CHECK(hidden[0].addr.empty());
}

TEST_CASE("hostile lists stay bounded and do not recurse") {
  std::string groups;
  for (int i = 0; i < 60'000; ++i) groups += "a:";
  CHECK(parse_addresses(groups).empty());
  std::string many;
  for (int i = 0; i < 100'000; ++i) many += "a@b.example,";
  CHECK(parse_addresses(many).size() == most_addresses);
  CHECK(parse_addresses(std::string(100'000, '(')).empty());
  CHECK(parse_addresses(std::string(100'000, '<')).size() <= 1);
  CHECK(parse_addresses(std::string(100'000, '"')).size() <= 1);
}

TEST_CASE("what can be written to") {
  for (const std::string_view good :
       {"a@b", "a.b+c@example.org", "a@xn--p1ai.example", "\"a b\"@example.org", "o'neil@example.org"}) {
    CAPTURE(good);
    CHECK(is_addr_spec(good));
  }
  for (const std::string_view bad : {"", "@", "a@", "@b", "a b@c", "a@b c", "a@b..c", "a@-b", "a@b\r\nRCPT TO:<x@y>",
                                     "<a@b>", "a@b>", "a,b@c", "a@b@c"}) {
    CAPTURE(bad);
    CHECK_FALSE(is_addr_spec(bad));
  }
  CHECK_FALSE(is_addr_spec(std::string(65, 'a') + "@b.example"));
  CHECK_FALSE(is_addr_spec("a@" + std::string(64, 'b')));
}

TEST_CASE("machines that answer nobody") {
  for (const std::string_view addr :
       {"MAILER-DAEMON@mx.example", "no-reply@shop.example", "noreply-4711@x.example", "postmaster@x.example",
        "payments-noreply@x.example", "do.not.reply@x.example", "donot-reply@x.example", "autoreply@x.example",
        "bounces@x.example", "bounces+17@x.example", "mailer-daemon+x@x.example", "no_reply.shop@x.example"})
    CHECK(takes_no_answers(addr));
  for (const std::string_view addr : {"ann@example.org", "rooter@example.org", "reply@example.org",
                                     "norepley.smith@example.org", "bounce.house@example.org", "no.replying@example.org"})
    CHECK_FALSE(takes_no_answers(addr));
}

TEST_CASE("the sender is From, else Sender, Reply-To, Return-Path") {
  Message message;
  message.headers = {{"Return-Path", "<back@example.org>"}};
  CHECK(sender_of(message).addr == "back@example.org");
  message.reply_to = {{"", "answer@example.org"}};
  CHECK(sender_of(message).addr == "answer@example.org");
  message.headers.push_back({"Sender", "Agent <agent@example.org>"});
  CHECK(sender_of(message).addr == "agent@example.org");
  message.from = {{"Nobody", ""}, {"Ann", "ann@example.org"}};
  CHECK(sender_of(message).addr == "ann@example.org");
}

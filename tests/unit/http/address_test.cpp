#include <doctest/doctest.h>

#include "common/http/address.hpp"

using namespace postroom::http;

namespace {
IpAddress address(std::string_view text) {
  const auto parsed = parse_address(text);
  REQUIRE_MESSAGE(parsed, text);
  return *parsed;
}
}  // namespace

TEST_CASE("private, reserved and disguised addresses are not public") {
  for (const char* text :
       {"0.0.0.0", "0.1.2.3", "10.0.0.1", "10.255.255.255", "100.64.0.1", "100.127.255.255", "127.0.0.1", "127.255.0.9", "169.254.169.254",
        "172.16.0.1", "172.31.255.255", "192.0.0.8", "192.0.2.1", "192.88.99.1", "192.168.1.1", "198.18.0.1", "198.19.255.255",
        "198.51.100.7", "203.0.113.9", "224.0.0.1", "239.255.255.255", "240.0.0.1", "255.255.255.255",
        "::", "::1", "::127.0.0.1", "::ffff:10.0.0.1", "::ffff:127.0.0.1", "64:ff9b::10.0.0.1", "64:ff9b::169.254.169.254",
        "64:ff9b:1::1", "100::1", "2001::1", "2001:db8::1", "2002:7f00:1::", "2002:808:808::1", "3fff::1", "5f00::1", "fc00::1", "fd12::1",
        "fe80::1", "fec0::1", "ff02::1"}) {
    CAPTURE(text);
    CHECK_FALSE(is_public(address(text)));
  }
}

TEST_CASE("public addresses are public") {
  for (const char* text : {"1.1.1.1", "8.8.8.8", "100.63.255.255", "100.128.0.1", "172.15.0.1", "172.32.0.1", "185.166.143.1", "223.255.255.1",
                           "::ffff:8.8.8.8", "64:ff9b::8.8.8.8", "2600:1f18::1", "2a00:1450:4001::1", "2401:1d80::1"}) {
    CAPTURE(text);
    CHECK(is_public(address(text)));
  }
}

TEST_CASE("the allow list opens what it names and nothing else") {
  const auto guard = AddressGuard::allowing({"127.0.0.0/8", "10.1.2.3", "fd00:1::/32", "::1/128"});
  REQUIRE(guard.ok());
  CHECK(guard->may_call(address("127.9.9.9")));
  CHECK(guard->may_call(address("::ffff:127.0.0.1")));
  CHECK(guard->may_call(address("64:ff9b::127.0.0.1")));
  CHECK(guard->may_call(address("10.1.2.3")));
  CHECK_FALSE(guard->may_call(address("10.1.2.4")));
  CHECK(guard->may_call(address("fd00:1:ffff::9")));
  CHECK_FALSE(guard->may_call(address("fd00:2::9")));
  CHECK(guard->may_call(address("::1")));
  CHECK_FALSE(guard->may_call(address("::2")));
  CHECK(guard->may_call(address("8.8.8.8")));
  CHECK_FALSE(guard->is_listed(address("8.8.8.8")));
}

TEST_CASE("a wrong allow list is refused by name") {
  for (const char* text : {"", "localhost", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/8/8", "::1/129", "10.0.0.0/x"}) {
    CAPTURE(text);
    const auto guard = AddressGuard::allowing({text});
    REQUIRE_FALSE(guard.ok());
    CHECK(guard.error().where() == "outbound.allow");
  }
}

TEST_CASE("addresses are shown as people write them") {
  CHECK(to_text(address("::ffff:10.0.0.1")) == "10.0.0.1");
  CHECK(to_text(address("2001:DB8::1")) == "2001:db8::1");
  CHECK_FALSE(parse_address("10.1"));
  CHECK_FALSE(parse_address("0x7f.1"));
}

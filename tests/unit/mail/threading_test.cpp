#include "common/mail/threading.hpp"

#include <doctest/doctest.h>

#include "common/crypto/crypto.hpp"

using namespace postroom::mail;

namespace {

using Ids = std::vector<std::string>;

const SignedId id{"01920000-0000-7000-8000-000000000001", "01920000-0000-7000-8000-000000000002"};
const Hmac ours = [](std::string_view data) { return postroom::crypto::hmac_sha256("our key", data); };
const Hmac theirs = [](std::string_view data) { return postroom::crypto::hmac_sha256("another key", data); };

}  // namespace

TEST_CASE("message ids are found in what clients write") {
  CHECK(parse_message_ids("<a@b>") == Ids{"a@b"});
  CHECK(parse_message_ids("<a@b> <c@d>\r\n <e@f>") == Ids{"a@b", "c@d", "e@f"});
  CHECK(parse_message_ids("<a@b><c@d>") == Ids{"a@b", "c@d"});
  CHECK(parse_message_ids("a@b") == Ids{"a@b"});
  CHECK(parse_message_ids("Your message of Friday <a@b>") == Ids{"a@b"});
  CHECK(parse_message_ids("<a@b> <a@b>") == Ids{"a@b"});
  CHECK(parse_message_ids("<a@\r\n b>") == Ids{"a@b"});
  CHECK(parse_message_ids("<a@b, <c@d>") == Ids{"a@b,", "c@d"});
  CHECK(parse_message_ids("<no-at-sign>") == Ids{"no-at-sign"});
  CHECK(parse_message_ids("<>").empty());
  CHECK(parse_message_ids("").empty());
}

TEST_CASE("100,000 references are read in linear time, the last 50 count") {
  std::string many;
  for (int i = 0; i < 100'000; ++i) many += "<" + std::to_string(i) + "@x> ";
  const Ids found = parse_message_ids(many);
  REQUIRE(found.size() == most_references);
  CHECK(found.back() == "99999@x");
  CHECK(parse_message_ids(std::string(1'000'000, '<')).empty());
}

TEST_CASE("our signed ids verify, and nothing else does") {
  const std::string message_id = signed_message_id(id, "Desk.Example.ORG", ours);
  CHECK(message_id == signed_message_id(id, "desk.example.org", ours));
  CHECK(verify_message_id(message_id, "desk.example.org", ours) == id);
  CHECK_FALSE(verify_message_id(message_id, "desk.example.org", theirs));
  CHECK_FALSE(verify_message_id(message_id, "other.example.org", ours));
  std::string other_ticket = message_id;
  other_ticket[0] = '1';
  CHECK_FALSE(verify_message_id(other_ticket, "desk.example.org", ours));
  std::string forged = message_id;
  forged[80] = forged[80] == 'a' ? 'b' : 'a';
  CHECK_FALSE(verify_message_id(forged, "desk.example.org", ours));
  for (const std::string_view bad : {"", "@desk.example.org", "x.y.z@desk.example.org", "a@b"})
    CHECK_FALSE(verify_message_id(bad, "desk.example.org", ours));
}

TEST_CASE("the thread is In-Reply-To's, else the newest reference's") {
  Message message;
  message.references = {"first@x", signed_message_id(id, "d.example", ours), "last@x"};
  CHECK(thread_of(message, "d.example", ours) == id);
  const SignedId newer{id.delivery_id, id.ticket_id};
  message.in_reply_to = {signed_message_id(newer, "d.example", ours)};
  CHECK(thread_of(message, "d.example", ours) == newer);
  CHECK_FALSE(thread_of(message, "d.example", theirs));
}

TEST_CASE("the ids of an installation have a host of their own") {
  const std::string host = message_id_host("01920000-0000-7000-8000-0000000000aa");
  CHECK(host == "01920000-0000-7000-8000-0000000000aa.postroom");
  CHECK(verify_message_id(signed_message_id(id, host, ours), host, ours) == id);
}

TEST_CASE("ticket numbers in subjects") {
  CHECK(ticket_number("Re: [#1234] printer") == 1234);
  CHECK(ticket_number("[#] [#x1] [#77]") == 77);
  CHECK_FALSE(ticket_number("#1234"));
  CHECK_FALSE(ticket_number("[#1234"));
  CHECK_FALSE(ticket_number("[#12345678901234567890]"));
}

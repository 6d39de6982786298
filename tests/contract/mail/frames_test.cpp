// The contract between the sandbox's parent and child, from both ends.

#include "common/mail_sandbox/frames.hpp"

#include <doctest/doctest.h>

using namespace postroom;
using namespace postroom::mail_sandbox;

namespace {

mail::Message full_message() {
  mail::Message message;
  message.subject = "Grüße";
  message.from = {{"Ann", "ann@example.org"}};
  message.to = {{"", "a@b.example"}, {"C", "c@d.example"}};
  message.cc = {{"", "e@f.example"}};
  message.reply_to = {{"", "g@h.example"}};
  message.date = from_micros(1'795'168'800'000'000);
  message.message_id = "id@x";
  message.in_reply_to = {"r@x"};
  message.references = {"r@x", "s@x"};
  message.body_text = "text";
  message.body_html = "<p>text</p>";
  message.attachments = {{"a.txt", "../a.txt", "text/plain", "cid", true, 5'000'000'000}};
  message.headers = {{"X-A", "1"}, {"X-A", "2"}};
  message.content_type = "multipart/mixed";
  message.report_type = "delivery-status";
  message.delivery_status = "Action: failed";
  message.returned_headers = {{"Subject", "s"}};
  message.notes = {"note"};
  return message;
}

}  // namespace

TEST_CASE("a message arrives as it was sent, with every member") {
  const auto decoded = decode_message(encode_message(full_message()));
  REQUIRE(decoded.ok());
  CHECK(*decoded == full_message());
  const auto empty = decode_message(encode_message({}));
  REQUIRE(empty.ok());
  CHECK(*empty == mail::Message{});
}

TEST_CASE("a message cut anywhere, or with more behind it, is refused") {
  const std::string bytes = encode_message(full_message());
  for (std::size_t length = 0; length < bytes.size(); ++length)
    CHECK_FALSE(decode_message(std::string_view{bytes}.substr(0, length)).ok());
  CHECK_FALSE(decode_message(bytes + "x").ok());
}

TEST_CASE("lengths that lie do not cost memory") {
  std::string huge;
  append_length(huge, 0xffffffff);
  CHECK_FALSE(decode_message(huge).ok());
  std::string many = encode_message({});
  many.replace(4, 4, std::string(4, '\x7f'));  // the count of senders
  CHECK_FALSE(decode_message(many).ok());
}

TEST_CASE("text from the child is made valid, names safe") {
  mail::Message message;
  message.subject = "\xff";
  message.attachments = {{"../../x\n", "", "text/plain", "", false, 0}};
  const auto decoded = decode_message(encode_message(message));
  REQUIRE(decoded.ok());
  CHECK(decoded->subject == "\xef\xbf\xbd");
  CHECK(decoded->attachments[0].name == "x");
}

TEST_CASE("frames are cut out of a stream") {
  std::string stream;
  append_frame(stream, FrameKind::ready, "");
  append_frame(stream, FrameKind::refusal, "why");
  std::size_t consumed = 0;
  auto frame = next_frame(stream, consumed);
  REQUIRE(frame.ok());
  REQUIRE(frame->has_value());
  CHECK((*frame)->kind == FrameKind::ready);
  std::string_view rest = std::string_view{stream}.substr(consumed);
  for (std::size_t length = 0; length < rest.size(); ++length) {
    const auto none = next_frame(rest.substr(0, length), consumed);
    REQUIRE(none.ok());
    CHECK_FALSE(none->has_value());
  }
  frame = next_frame(rest, consumed);
  REQUIRE(frame->has_value());
  CHECK((*frame)->payload == "why");
  CHECK_FALSE(next_frame("\x09"
                         "abcd",
                         consumed)
                  .ok());
  CHECK_FALSE(next_frame(std::string{"\x03\xff\xff\xff\xff"}, consumed).ok());
}

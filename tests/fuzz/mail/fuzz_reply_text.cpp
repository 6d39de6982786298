// Bodies: the three parts together hold every visible character of the body, and the reply is never empty without
// cause.
#include <algorithm>

#include "common/base/text.hpp"
#include "common/mail/plain_text.hpp"
#include "common/mail/reply_text.hpp"
#include "tests/fuzz/mail/fuzz.hpp"

using namespace postroom;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes = fuzz::text(data, size);
  const std::string flowed = mail::unflowed(bytes, size % 2 == 0);
  fuzz::require(flowed.size() <= bytes.size() * 2 + 2);
  const std::string body = mail::normalised_text(to_valid_utf8(bytes));
  const auto visible = [](std::string_view text) {
    return std::count_if(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) > 0x20; });
  };
  for (const bool is_answer : {true, false}) {
    const mail::ReplyText parts = mail::split_reply(body, is_answer);
    fuzz::require(visible(parts.reply) + visible(parts.quoted) + visible(parts.signature) == visible(body));
    fuzz::require(visible(parts.reply) > 0 || visible(body) == 0);
  }
  return 0;
}

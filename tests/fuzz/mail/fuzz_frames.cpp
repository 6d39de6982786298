// What a broken or taken child could write: frames and messages are refused or sound.
#include "common/base/text.hpp"
#include "common/mail_sandbox/frames.hpp"
#include "tests/fuzz/mail/fuzz.hpp"

using namespace postroom;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view rest = fuzz::text(data, size);
  if (const auto message = mail_sandbox::decode_message(rest)) {
    fuzz::require(is_valid_utf8(message->subject) && is_valid_utf8(message->body_text));
    fuzz::require(message->attachments.size() <= mail_sandbox::most_attachments);
    const auto again = mail_sandbox::decode_message(mail_sandbox::encode_message(*message));
    fuzz::require(again.ok() && *again == *message);
  }
  while (true) {
    std::size_t consumed = 0;
    const auto frame = mail_sandbox::next_frame(rest, consumed);
    if (!frame || !*frame) break;
    fuzz::require(consumed >= mail_sandbox::frame_header_bytes && consumed <= rest.size());
    rest.remove_prefix(consumed);
  }
  return 0;
}

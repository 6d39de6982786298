// Whole mails through the reader of the child: what comes out can be sent to the parent and arrives the same.
#include <map>

#include "common/mail_sandbox/child/charsets.hpp"
#include "common/mail_sandbox/child/mime_reader.hpp"
#include "common/mail_sandbox/frames.hpp"
#include "tests/fuzz/mail/fuzz.hpp"

using namespace postroom;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const mail_sandbox::Charsets charsets = [] {
    mail_sandbox::start_gmime();
    return mail_sandbox::Charsets{};
  }();
  std::string bytes{fuzz::text(data, size)};
  std::map<std::size_t, std::uint64_t> sizes;
  const auto message = mail_sandbox::read_mail(
      bytes, charsets, [&](std::size_t index, std::string_view piece) { sizes[index] += piece.size(); });
  if (!message) return 0;
  for (const auto& [index, count] : sizes)
    fuzz::require(index < message->attachments.size() && message->attachments[index].size == count);
  const std::string encoded = mail_sandbox::encode_message(*message);
  fuzz::require(encoded.size() <= mail_sandbox::longest_frame);
  const auto arrived = mail_sandbox::decode_message(encoded);
  fuzz::require(arrived.ok() && *arrived == *message);
  return 0;
}

// Message ids and signed ids: nothing that we did not sign verifies.
#include "common/base/text.hpp"
#include "common/mail/subject.hpp"
#include "common/mail/threading.hpp"
#include "tests/fuzz/mail/fuzz.hpp"

using namespace postroom;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view value = fuzz::text(data, size);
  const mail::Hmac hmac = [](std::string_view) { return std::string(32, '\x5a'); };
  const auto ids = mail::parse_message_ids(value);
  fuzz::require(ids.size() <= mail::most_references);
  for (const std::string& id : ids) {
    fuzz::require(!id.empty() && id.find_first_of("<> \r\n\t") == std::string::npos && !has_control_bytes(id));
    if (const auto signed_id = mail::verify_message_id(id, "desk.example", hmac)) {
      fuzz::require(to_lower_ascii(mail::signed_message_id(*signed_id, "desk.example", hmac)) == to_lower_ascii(id));
    }
  }
  if (const auto number = mail::ticket_number(value)) fuzz::require(*number >= 0);
  const mail::SubjectParts parts = mail::subject_parts(value);
  fuzz::require(parts.rest.size() <= value.size());
  fuzz::require(!mail::title_of(value, value).empty());
  return 0;
}

// Reports: status texts, prose and returned headers of any content.
#include "common/base/text.hpp"
#include "common/mail/auto_mail.hpp"
#include "common/mail/bounce.hpp"
#include "tests/fuzz/mail/fuzz.hpp"

using namespace postroom;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text = to_valid_utf8(fuzz::text(data, size));
  mail::Message message;
  message.from = {{"", "mailer-daemon@mx.example"}};
  message.subject = cut_utf8(text, 100);
  message.body_text = text;
  message.headers = {{"Auto-Submitted", text},
                     {"X-Failed-Recipients", text},
                     {"Precedence", text},
                     {"X-Auto-Response-Suppress", text}};
  message.returned_headers = {{"Message-ID", text}};
  for (const bool by_the_book : {true, false}) {
    if (by_the_book) message.delivery_status = text;
    message.report_type = by_the_book ? "delivery-status" : "";
    const auto bounce = mail::parse_bounce(message);
    message.delivery_status.clear();
    if (!bounce) continue;
    fuzz::require(!bounce->all.empty() && bounce->all.size() <= 100);
    fuzz::require(!has_control_bytes(bounce->first.reason) && bounce->first.reason.size() <= 500 &&
                  is_valid_utf8(bounce->first.reason));
    for (const char c : bounce->first.status) fuzz::require((c >= '0' && c <= '9') || c == '.');
  }
  fuzz::require(mail::detect_auto_mail(message, {}).reason.size() <= 200);
  return 0;
}

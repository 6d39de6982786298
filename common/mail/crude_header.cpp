#include "common/mail/crude_header.hpp"

#include "common/base/text.hpp"
#include "common/mail/address.hpp"
#include "common/mail/encoded_word.hpp"
#include "common/mail/header_block.hpp"

namespace postroom::mail {

namespace {

constexpr std::size_t most_fields = 200;
constexpr std::size_t longest_value = 4'000;  // bytes of one field that are read
constexpr std::size_t longest_line = 1'000;   // of what is handed out

// Without iconv, which lives in the sandbox.
std::string unicode_of(std::string_view bytes, std::string_view label) {
  const std::string name = to_lower_ascii(label);
  const bool is_latin = name == "iso-8859-1" || name == "iso-8859-15" || name == "windows-1252" || name == "latin1";
  if (!is_latin) return to_valid_utf8(bytes);
  std::string out;
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte >= 0x80) {
      out.push_back(static_cast<char>(0xc0 | (byte >> 6)));
      out.push_back(static_cast<char>(0x80 | (byte & 0x3f)));
    } else {
      out.push_back(c);
    }
  }
  return to_valid_utf8(out);
}

// An mbox "From " line and empty lines may come before the header.
std::string_view without_envelope(std::string_view mail) {
  while (!mail.empty()) {
    std::string_view ahead = mail;
    const std::string_view line = take_line(ahead);
    if (!line.empty() && !line.starts_with("From ")) break;
    mail = ahead;
  }
  return mail;
}

bool holds_addresses(std::string_view name) {
  for (const std::string_view one : {"from", "sender", "reply-to", "return-path"}) {
    if (equals_ignoring_case(name, one)) return true;
  }
  return false;
}

}  // namespace

CrudeHeader crude_header(std::string_view mail, const OwnMarks& own) {
  std::string head{mail.substr(0, crude_header_bytes)};
  for (char& c : head) c = c == '\0' ? ' ' : c;
  Message message;
  for (const RawField& field : split_header_block(without_envelope(head), most_fields).fields) {
    const std::string_view value = field.value.substr(0, longest_value);
    if (has_header(message.headers, field.name)) continue;  // the first counts
    if (equals_ignoring_case(field.name, "Subject")) message.subject = decode_header(value, unicode_of);
    if (equals_ignoring_case(field.name, "From")) message.from = parse_addresses(value, unicode_of);
    if (equals_ignoring_case(field.name, "Reply-To")) message.reply_to = parse_addresses(value, unicode_of);
    // As in the sandbox: a decoded name cannot pose as an address when the field is read again.
    message.headers.push_back({to_valid_utf8(field.name), holds_addresses(field.name)
                                                              ? to_valid_utf8(without_control_bytes(unfolded(value)))
                                                              : decode_header(value, unicode_of)});
  }
  CrudeHeader found;
  found.subject = cut_utf8(message.subject, longest_line);
  found.sender = sender_of(message);
  found.sender.name = cut_utf8(found.sender.name, longest_line);
  found.auto_mail = detect_auto_mail(message, own);
  found.auto_mail.reason = cut_utf8(found.auto_mail.reason, longest_line);
  return found;
}

}  // namespace postroom::mail

// Header values: addresses, encoded words, parameters, dates. An address that comes out can be written to and holds no
// control byte.
#include "common/base/text.hpp"
#include "common/mail/address.hpp"
#include "common/mail/date.hpp"
#include "common/mail/encoded_word.hpp"
#include "common/mail/file_name.hpp"
#include "common/mail/parameters.hpp"
#include "tests/fuzz/mail/fuzz.hpp"

using namespace postroom;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view raw = fuzz::text(data, size);
  const mail::Charset charset = [](std::string_view bytes, std::string_view) { return to_valid_utf8(bytes); };
  for (const mail::Address& one : mail::parse_addresses(raw, charset)) {
    fuzz::require(one.addr.empty() || mail::is_addr_spec(one.addr));
    fuzz::require(is_valid_utf8(one.name) && !has_control_bytes(one.name) && !has_control_bytes(one.addr));
    fuzz::require(!one.addr.empty() || !one.name.empty());
  }
  const std::string header = mail::decode_header(raw, charset);
  fuzz::require(is_valid_utf8(header) && !has_control_bytes(header) && header.size() <= mail::longest_header_text);
  const mail::Parameters parameters = mail::parse_parameters(raw, charset);
  fuzz::require(parameters.entries.size() <= mail::most_parameters && parameters.entries.size() <= parameters.count);
  for (const auto& [name, value] : parameters.entries) fuzz::require(is_valid_utf8(value));
  const std::string name = mail::safe_file_name(raw, "application/pdf", 1);
  fuzz::require(!name.empty() && name.size() <= mail::longest_file_name && name.find('/') == std::string::npos &&
                !has_control_bytes(name) && name.front() != '.');
  fuzz::require(mail::safe_file_name(name, "application/pdf", 1) == name);  // safe stays as it is
  if (const auto date = mail::parse_date(raw))
    fuzz::require(to_micros(*date) >= 0 && to_micros(*date) < 7'300'000'000'000'000);
  return 0;
}

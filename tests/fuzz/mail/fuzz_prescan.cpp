// Whole mails: the pre-scan must be bounded, and what it measures must lie inside the mail. What nobody could parse is
// read crudely.
#include "common/base/text.hpp"
#include "common/mail/address.hpp"
#include "common/mail/crude_header.hpp"
#include "common/mail/header_block.hpp"
#include "common/mail/prescan.hpp"
#include "tests/fuzz/mail/fuzz.hpp"

using namespace postroom;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view mail = fuzz::text(data, size);
  const mail::Prescan scan = mail::prescan(mail);
  fuzz::require(scan.start + scan.header_bytes <= mail.size());
  fuzz::require(scan.part_count <= mail::Limits{}.part_count + 1 && scan.depth <= mail::Limits{}.depth + 1);
  const mail::HeaderBlock block = mail::split_header_block(mail.substr(scan.start), 1'000);
  fuzz::require(block.byte_count <= mail.size() - scan.start);
  // Both readers of the header agree where the body begins.
  if (scan.is_acceptable()) fuzz::require(scan.header_bytes == block.byte_count || scan.header_bytes == 0);
  for (const mail::RawField& field : block.fields) {
    fuzz::require(!field.name.empty() && field.name.data() >= mail.data());
    mail::unfolded(field.value);
  }
  const mail::CrudeHeader crude = mail::crude_header(mail, {"install", {"desk@example.org"}});
  fuzz::require(crude.subject.size() <= 1'000 && crude.sender.name.size() <= 1'000 && is_valid_utf8(crude.subject) &&
                is_valid_utf8(crude.sender.name));
  fuzz::require(crude.sender.addr.empty() || mail::is_addr_spec(crude.sender.addr));
  return 0;
}

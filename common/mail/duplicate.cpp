#include "common/mail/duplicate.hpp"

#include <fmt/format.h>

#include "common/mail/address.hpp"
#include "common/mail/plain_text.hpp"
#include "common/mail/subject.hpp"

namespace postroom::mail {

namespace {

// Length before text, so that no two lists of parts give one string.
void add(std::string& key, std::string_view part) {
  key += fmt::format("{}:{}\n", part.size(), part);
}

}  // namespace

std::string sender_subject_key(std::string_view sender_addr, std::string_view subject) {
  if (comparable(subject_parts(subject).rest).empty()) return {};
  std::string key = "sender+subject v1\n";
  add(key, canonical_address(sender_addr));
  add(key, comparable(subject));
  return key;
}

std::string content_key(const Message& message, const std::vector<std::string>& attachment_digests) {
  std::string key = "content v1\n";
  add(key, canonical_address(sender_of(message).addr));
  add(key, message.date ? std::to_string(to_micros(*message.date)) : "");
  add(key, comparable(message.subject));
  add(key, comparable(message.body_text));
  for (const std::string& digest : attachment_digests) add(key, digest);
  return key;
}

}  // namespace postroom::mail

#pragma once
// What two mails must share to be the same mail. The strings are hash inputs: long, unambiguous, and never shown.

#include <string>
#include <string_view>
#include <vector>

#include "common/mail/message.hpp"

namespace postroom::mail {

// Sender and subject: two mails with the same one within the inbox's threshold are one. "Re:" is part of the subject,
// so an answer never is a duplicate of what it answers. Empty when the subject says nothing, or nothing but "Re:": then
// these two tell no mail from another.
std::string sender_subject_key(std::string_view sender_addr, std::string_view subject);

// Everything that a person would compare: sender, date, subject, text, and each attachment's digest
// (`attachment_digests`, in order). A Message-ID that comes again with another content key belongs to another mail.
std::string content_key(const Message& message, const std::vector<std::string>& attachment_digests);

}  // namespace postroom::mail

#pragma once
// One mail, from bytes to a Message, by GMime for the tree and the content encodings, and common/mail for all that
// headers mean.

#include <functional>
#include <string>

#include "common/base/result.hpp"
#include "common/mail/message.hpp"
#include "common/mail_sandbox/child/charsets.hpp"

namespace postroom::mail_sandbox {

// Receives the decoded bytes of attachment `index` (of Message::attachments), in order, in pieces of at most
// longest_piece.
using AttachmentSink = std::function<void(std::size_t index, std::string_view bytes)>;

void start_gmime();  // once, before confine()

// bad_message: the pre-scan refuses the mail, or no message can be made of it. `bytes` is used as working space.
Result<mail::Message> read_mail(std::string& bytes, const Charsets& charsets, const AttachmentSink& sink);

}  // namespace postroom::mail_sandbox

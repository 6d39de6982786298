#pragma once
// Whether a machine wrote a mail, and which: so that we never answer machines, lists and ourselves.

#include <string>
#include <string_view>
#include <vector>

#include "common/mail/message.hpp"

namespace postroom::mail {

// What names our own mails.
struct OwnMarks {
  std::string installation_id;             // the value of X-Postroom-Loop on every mail that we send
  std::vector<std::string> own_addresses;  // of all our inboxes and senders; who writes as one is never answered
};

struct AutoMail {
  bool is_auto = false;           // no confirmation, no notice, no reopening; implied by all below
  bool is_list = false;           // came over a mailing list or as a newsletter
  bool is_out_of_office = false;  // an absence note
  bool is_own = false;            // came from this installation
  std::string reason;             // "header: value", for people; empty: none
};

constexpr std::string_view loop_header = "X-Postroom-Loop";

// One of our addresses in From makes a mail automatic, not our own: web forms write as support@….
// By headers alone, in the union of what RT, Zammad, osTicket and FreeScout look at, and RFC 3834, 2369, 2919. The
// first rule that holds names the reason; own mail first, then single marks, then lists.
AutoMail detect_auto_mail(const Message& message, const OwnMarks& own);

}  // namespace postroom::mail

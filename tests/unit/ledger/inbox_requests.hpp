#pragma once
// What an operator asks for about the inbox of LeaseWorld.

#include "tests/unit/ledger/lease_world.hpp"

namespace postroom::ledger {

inline messages::InboxCreate creation() {
  messages::InboxCreate create;
  create.inbox_id = "inbox";
  create.actor = "ada";
  create.name = "Support";
  create.connection_id = "mailbox";
  create.address = "Support@Example.COM";
  create.folder = "INBOX";
  return create;
}

inline messages::InboxUpdate update() {
  messages::InboxUpdate message;
  message.inbox_id = "inbox";
  message.actor = "ada";
  return message;
}

}  // namespace postroom::ledger

#pragma once
// What a connection's trouble is called in messages.

#include "common/imap_link/link.hpp"
#include "common/messages/connection.hpp"

namespace postroom::imap_poller {

inline messages::ReasonClass reason_class_of(imap_link::Trouble trouble) {
  using imap_link::Trouble;
  using messages::ReasonClass;
  switch (trouble) {
    case Trouble::refused_account:
      return ReasonClass::invalid_data;
    case Trouble::unreachable:
      return ReasonClass::unreachable;
    case Trouble::blocked_address:
      return ReasonClass::blocked_address;
    case Trouble::certificate:
    case Trouble::no_encryption:
      return ReasonClass::certificate;
    case Trouble::credentials:
      return ReasonClass::credentials;
    case Trouble::server:
      return ReasonClass::server_error;
    case Trouble::timeout:
      return ReasonClass::timeout;
    case Trouble::protocol:
      break;
  }
  return ReasonClass::protocol;
}

}  // namespace postroom::imap_poller

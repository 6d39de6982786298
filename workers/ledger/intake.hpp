#pragma once
// What becomes of one message: known or not, allowed or not, new or a duplicate, decided, written. Runs inside a savepoint of the round.

#include <string>

#include "common/broker/broker.hpp"
#include "workers/ledger/books.hpp"
#include "workers/ledger/decide/incoming.hpp"

namespace postroom::ledger {

class Intake {
 public:
  explicit Intake(Books& books) : books_(books) {}

  // An error io or unavailable is about this machine: the round is rolled back and tried again. Any other error is about this message:
  // roll its savepoint back and shelve() it.
  Result<Aftermath> take(const broker::Delivery& delivery, Context& context);

  Result<Aftermath> shelve(const broker::Delivery& delivery, std::string_view reason_class, std::string_view reason, Context& context);

 private:
  Result<Aftermath> take_command(const broker::Delivery& delivery, const Incoming& in, Context& context);
  Result<Aftermath> answer_duplicate(const store::InboxRow& known, const Incoming& in, std::string_view fingerprint, Context& context);
  Result<Aftermath> shelve(const Incoming& in, std::string_view reason_class, std::string_view reason, Context& context);

  Books& books_;
};

}  // namespace postroom::ledger

#pragma once
// What the end of an SMTP transaction with one recipient means. Pure.
//
// Certain is all but what was not answered after the final dot: that is unknown. What may succeed later is deferred, what a person must set right is
// refused. One recipient's trouble has the class recipient_refused, which is not held against the server.

#include "workers/runtime/step.hpp"

namespace postroom::notifier {

constexpr std::string_view far_side = "the mail server";

// Of a reply that did not end well.
worker::Step verdict_on(const smtp::Reply& reply);

// The words and the class alone, for tests of connections.
std::string words_for(const smtp::Reply& reply);
messages::ReasonClass reason_class_of(const smtp::Reply& reply);

}  // namespace postroom::notifier

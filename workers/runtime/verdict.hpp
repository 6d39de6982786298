#pragma once
// The part of judging an answer that is the same for every far side. Pure.
//
// Rule of thumb: what certainly did not happen is deferred or refused; what may have happened is unknown; a read that failed did no harm.

#include <optional>
#include <string>
#include <string_view>

#include "workers/runtime/step.hpp"

namespace postroom::worker {

// The verdict on an exchange that brought no whole answer, or an empty optional when it did. `far_side`: "Jira".
std::optional<Step> transport_verdict(std::string_view far_side, const http::Reply& reply, bool has_effect);

// The verdict on a status that is not the hoped-for one. `message`: the far side's own words. `after`: its wish.
Step status_verdict(std::string_view far_side, const http::Reply& reply, bool has_effect, std::string_view message,
                    std::optional<std::chrono::milliseconds> after = std::nullopt);

// The words and the class of such a failure alone, for tests of connections; the class also of a status that is not the hoped-for one.
std::string transport_words(std::string_view far_side, const http::Reply& reply);
messages::ReasonClass reason_class_of(const http::Reply& reply);

// An answer that should have been JSON with certain members and is not: unknown after an effect, else deferred.
Step not_understood(std::string_view far_side, const http::Reply& reply, bool has_effect);

// A text of the far side (JSON or HTML or anything) cut down to a line that may be logged and shown: at most 300 bytes.
std::string as_words(std::string_view body);

// "https://host/" → "https://host"
std::string without_final_slash(std::string_view base_url);

}  // namespace postroom::worker

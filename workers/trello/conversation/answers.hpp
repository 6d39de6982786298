#pragma once
// Reading Trello's answers (REST v1) and building its requests. Pure. Pages: developer.atlassian.com/cloud/trello/rest.

#include <optional>
#include <string>

#include "common/codec/view.hpp"
#include "workers/runtime/step.hpp"
#include "workers/runtime/verdict.hpp"

namespace postroom::trello {

constexpr std::string_view far_side = "Trello";
constexpr std::size_t text_limit = 16'384;  // UTF-16 units of a card's name and of its description

// A request with key and token in the header, never in the URL: URLs get logged. `path` begins with "/1/".
worker::HttpAsk ask(const messages::Site& site, const std::string& secret, std::string method, std::string_view path, std::string body = "");

// Key and token may stand between quotes of that header.
bool are_credentials_usable(const messages::Site& site, std::string_view secret);

bool is_object_id(std::string_view text);  // 24 hexadecimal digits

// The words of an error: mostly plain text, sometimes JSON {message, error}.
std::string words_of(const http::Reply& reply);

// The verdict on anything but success: transport, rate limits, statuses.
worker::Step verdict_on(const http::Reply& reply, bool has_effect);

// x-rate-limit-api-{token,key}-*, of the allowance that is nearer to its end.
std::optional<messages::Limits> limits_of(const http::Reply& reply);

// Trello says nothing about when to come back, so a whole interval is waited for: more than 200 refusals within one block the key for all.
std::chrono::milliseconds wished_pause(const http::Reply& reply);

// Of a card as any read or the create returns it.
messages::Remote remote_of(const codec::JsonView& card);

// The markers of a delivery, as the create puts them there and the resolve looks for them.
std::string source_url(const messages::TicketCard& ticket, std::string_view marker);
std::string last_line(std::string_view marker);
bool carries(const codec::JsonView& card, std::string_view marker);

std::string name_of(const messages::TicketCard& ticket);
std::string description_of(const messages::TicketCard& ticket, std::string_view marker);

}  // namespace postroom::trello

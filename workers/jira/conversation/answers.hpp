#pragma once
// Reading Jira Cloud's answers (REST v3) and building its requests. Pure. Pages: developer.atlassian.com/cloud/jira/platform/rest/v3.

#include <optional>
#include <string>
#include <vector>

#include "common/codec/view.hpp"
#include "workers/runtime/step.hpp"
#include "workers/runtime/verdict.hpp"

namespace postroom::jira {

constexpr std::string_view far_side = "Jira";
constexpr std::string_view property_key = "postroom.origin";

// A request with the site's credentials; `path` begins with "/rest/".
worker::HttpAsk ask(const messages::Site& site, const std::string& secret, std::string method, std::string_view path, std::string body = "");

// The newest issues of a project, newest first; from their keys a lower bound of the next number is read.
worker::HttpAsk ask_newest(const messages::Site& site, const std::string& secret, std::string_view project);

// "SUP-17" → 17. Empty for anything else.
std::optional<std::int64_t> number_of(std::string_view key);

// The highest number among the issues of a search or bulkfetch answer; 0 when there is none. With a project, only of that project's keys: an
// issue that was moved away answers to its old key with a new one.
std::int64_t highest_number(const codec::JsonView& answer, std::string_view project = {});

// Fields that Jira named in a structured error: field id → its words.
struct FieldErrors {
  std::vector<std::pair<std::string, std::string>> fields;
  std::string words;  // everything that was said, for a person
};
FieldErrors errors_of(const http::Reply& reply);

// The verdict on anything but success: transport, rate limits, statuses.
worker::Step verdict_on(const http::Reply& reply, bool has_effect);

// X-RateLimit-*, when there.
std::optional<messages::Limits> limits_of(const http::Reply& reply);

// How long Jira asks to wait: Retry-After, else X-RateLimit-Reset; two seconds when it says neither.
std::chrono::milliseconds wished_pause(const http::Reply& reply);

// Letters, digits and underscores: what may stand in JQL and keys as it is.
bool is_project_key(std::string_view text);
bool is_digits(std::string_view text);

messages::Remote remote_of(const messages::Site& site, std::string id, std::string key);

// "installation.delivery" → "postroom-delivery"
std::string label_of(std::string_view marker);

}  // namespace postroom::jira

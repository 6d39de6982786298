#include "workers/jira/conversation/answers.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "common/base/text.hpp"

namespace postroom::jira {

using codec::JsonView;
using std::chrono::milliseconds;

worker::HttpAsk ask(const messages::Site& site, const std::string& secret, std::string method, std::string_view path, std::string body) {
  worker::HttpAsk asked;
  asked.request.method = std::move(method);
  asked.request.url = worker::without_final_slash(site.base_url).append(path);
  asked.request.headers = {{"Accept", "application/json"}};
  if (!body.empty()) asked.request.headers.push_back({"Content-Type", "application/json"});
  asked.request.basic_auth = http::BasicAuth{site.account, secret};
  asked.request.body = std::move(body);
  return asked;
}

worker::HttpAsk ask_newest(const messages::Site& site, const std::string& secret, std::string_view project) {
  codec::JsonWriter body;
  body.begin_object().text_member("jql", fmt::format("project = \"{}\" ORDER BY created DESC", project));
  // `key` comes with every field selection except the default, which is the bare id.
  body.member("fields").begin_array().text("created").end_array().member("maxResults").integer(5).end_object();
  return ask(site, secret, "POST", "/rest/api/3/search/jql", body.take());
}

std::optional<std::int64_t> number_of(std::string_view key) {
  const auto dash = key.rfind('-');
  if (dash == std::string_view::npos || dash == 0) return std::nullopt;
  const std::string_view digits = key.substr(dash + 1);
  std::int64_t number = 0;
  const auto [end, failed] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  if (failed != std::errc{} || end != digits.data() + digits.size() || number < 1) return std::nullopt;
  return number;
}

std::int64_t highest_number(const JsonView& answer, std::string_view project) {
  std::int64_t highest = 0;
  for (std::size_t i = 0; i < answer["issues"].size(); ++i) {
    const std::string_view key = answer["issues"][i]["key"].text();
    if (project.empty() || key.substr(0, key.rfind('-')) == project) highest = std::max(highest, number_of(key).value_or(0));
  }
  return highest;
}

FieldErrors errors_of(const http::Reply& reply) {
  FieldErrors found;
  const auto parsed = JsonView::parse(reply.body);
  if (!parsed || !parsed->is_object()) {
    found.words = worker::as_words(reply.body);
    return found;
  }
  const auto add = [&](std::string_view words) {
    if (words.empty()) return;
    if (!found.words.empty()) found.words += "; ";
    found.words += worker::as_words(words);
  };
  for (std::size_t i = 0; i < (*parsed)["errorMessages"].size(); ++i) add((*parsed)["errorMessages"][i].text());
  for (const auto& name : (*parsed)["errors"].names()) {
    const std::string_view words = (*parsed)["errors"][name].text();
    found.fields.emplace_back(name, std::string{words});
    add(fmt::format("{}: {}", name, words));
  }
  add((*parsed)["message"].text());
  return found;
}

milliseconds wished_pause(const http::Reply& reply) {
  // The far side's own clock, where it tells it: its dates are meant by that.
  const WallTime now = http::parse_http_date(reply.header("date")).value_or(reply.received_at);
  for (const auto* name : {"retry-after", "x-ratelimit-reset"}) {
    if (const auto wait = http::wait_until(reply.header(name), now)) return *wait;
  }
  return milliseconds{2'000};
}

std::optional<messages::Limits> limits_of(const http::Reply& reply) {
  const auto number = [&](std::string_view name) -> std::optional<std::int64_t> {
    const std::string_view text = reply.header(name);
    if (!is_digits(text) || text.size() > 15) return std::nullopt;
    std::int64_t value = 0;
    std::from_chars(text.data(), text.data() + text.size(), value);
    return value;
  };
  messages::Limits limits;
  limits.per_interval = number("x-ratelimit-limit");
  limits.remaining = number("x-ratelimit-remaining");
  const WallTime now = http::parse_http_date(reply.header("date")).value_or(reply.received_at);
  if (const auto wait = http::wait_until(reply.header("x-ratelimit-reset"), now)) limits.reset_ms = wait->count();
  if (!limits.per_interval && !limits.remaining && !limits.reset_ms) return std::nullopt;
  return limits;
}

worker::Step verdict_on(const http::Reply& reply, bool has_effect) {
  if (auto failed = worker::transport_verdict(far_side, reply, has_effect)) return std::move(*failed);
  std::string words = errors_of(reply).words;
  if (reply.status == 429) {
    if (const auto reason = reply.header("ratelimit-reason"); !reason.empty()) words += fmt::format(" ({})", worker::as_words(reason));
    return worker::status_verdict(far_side, reply, has_effect, words, wished_pause(reply));
  }
  const bool says_when = !reply.header("retry-after").empty();
  return worker::status_verdict(far_side, reply, has_effect, words, says_when ? std::optional{wished_pause(reply)} : std::nullopt);
}

bool is_digits(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
}

bool is_project_key(std::string_view text) {
  const auto is_letter = [](char c) { return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z'); };
  return !text.empty() && text.size() <= 255 && is_letter(text[0]) &&
         std::ranges::all_of(text, [&](char c) { return is_letter(c) || (c >= '0' && c <= '9') || c == '_'; });
}

messages::Remote remote_of(const messages::Site& site, std::string id, std::string key) {
  messages::Remote remote;
  remote.url = fmt::format("{}/browse/{}", worker::without_final_slash(site.base_url), key);
  remote.mark = number_of(key);
  remote.id = std::move(id);
  remote.key = std::move(key);
  return remote;
}

std::string label_of(std::string_view marker) { return fmt::format("postroom-{}", marker.substr(marker.rfind('.') + 1)); }

}  // namespace postroom::jira

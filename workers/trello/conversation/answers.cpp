#include "workers/trello/conversation/answers.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "common/base/text.hpp"

namespace postroom::trello {

using codec::JsonView;
using std::chrono::milliseconds;

worker::HttpAsk ask(const messages::Site& site, const std::string& secret, std::string method, std::string_view path, std::string body) {
  worker::HttpAsk asked;
  asked.request.method = std::move(method);
  asked.request.url = worker::without_final_slash(site.base_url).append(path);
  asked.request.headers = {{"Accept", "application/json"},
                           {"Authorization", fmt::format("OAuth oauth_consumer_key=\"{}\", oauth_token=\"{}\"", site.account, secret)}};
  if (!body.empty()) asked.request.headers.push_back({"Content-Type", "application/json"});
  asked.request.body = std::move(body);
  return asked;
}

bool are_credentials_usable(const messages::Site& site, std::string_view secret) {
  const auto is_usable = [](std::string_view text) {
    return !text.empty() && std::ranges::all_of(text, [](char c) { return c > ' ' && c < 0x7f && c != '"' && c != '\\' && c != ','; });
  };
  return is_usable(site.account) && is_usable(secret);
}

bool is_object_id(std::string_view text) {
  return text.size() == 24 && std::ranges::all_of(text, [](char c) {
           return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
         });
}

std::string words_of(const http::Reply& reply) {
  const auto parsed = JsonView::parse(reply.body);
  if (!parsed || !parsed->is_object()) return worker::as_words(reply.body);
  const std::string message = worker::as_words((*parsed)["message"].text()), error = worker::as_words((*parsed)["error"].text());
  if (message.empty() || error.empty()) return message + error;
  return fmt::format("{} ({})", message, error);
}

namespace {

std::optional<std::int64_t> number_in(const http::Reply& reply, std::string_view header) {
  const std::string_view text = reply.header(header);
  std::int64_t value = 0;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || failed != std::errc{} || end != text.data() + text.size() || value < 0) return std::nullopt;
  return value;
}

struct Allowance {
  std::optional<std::int64_t> interval_ms, most, remaining;
};

Allowance allowance_of(const http::Reply& reply, std::string_view whose) {
  return {number_in(reply, fmt::format("x-rate-limit-api-{}-interval-ms", whose)), number_in(reply, fmt::format("x-rate-limit-api-{}-max", whose)),
          number_in(reply, fmt::format("x-rate-limit-api-{}-remaining", whose))};
}

constexpr std::int64_t usual_interval_ms = 10'000;

}  // namespace

std::optional<messages::Limits> limits_of(const http::Reply& reply) {
  const Allowance token = allowance_of(reply, "token"), key = allowance_of(reply, "key");
  const bool is_key_nearer = key.remaining && (!token.remaining || *key.remaining < *token.remaining);
  const Allowance& nearer = is_key_nearer ? key : token;
  if (!nearer.most && !nearer.remaining) return std::nullopt;
  return messages::Limits{nearer.most, nearer.interval_ms, nearer.remaining, std::nullopt};
}

milliseconds wished_pause(const http::Reply& reply) {
  if (const auto wait = http::wait_until(reply.header("retry-after"), reply.received_at)) return *wait;
  const auto parsed = JsonView::parse(reply.body);
  const std::string_view error = parsed ? (*parsed)["error"].text() : "";
  const std::string_view whose = error.find("KEY") != std::string_view::npos ? "key" : "token";
  // Members' allowance (/members/) runs over a quarter of an hour and is announced nowhere.
  if (error.find("MEMBER") != std::string_view::npos) return milliseconds{900'000};
  return milliseconds{std::max<std::int64_t>(1'000, allowance_of(reply, whose).interval_ms.value_or(usual_interval_ms))};
}

worker::Step verdict_on(const http::Reply& reply, bool has_effect) {
  if (auto failed = worker::transport_verdict(far_side, reply, has_effect)) return std::move(*failed);
  const auto after = reply.status == 429 ? std::optional{wished_pause(reply)} : http::wait_until(reply.header("retry-after"), reply.received_at);
  return worker::status_verdict(far_side, reply, has_effect, words_of(reply), after);
}

messages::Remote remote_of(const JsonView& card) {
  messages::Remote remote;
  remote.id = card["id"].text();
  remote.key = card["shortLink"].text();
  remote.url = card["shortUrl"].text();
  if (remote.url.empty() && !remote.key.empty()) remote.url = fmt::format("https://trello.com/c/{}", remote.key);
  return remote;
}

std::string source_url(const messages::TicketCard& ticket, std::string_view marker) {
  return fmt::format("{}{}m={}", ticket.url, ticket.url.find('?') == std::string::npos ? '?' : '&', marker);
}

std::string last_line(std::string_view marker) { return fmt::format("Postroom {}", marker); }

bool carries(const JsonView& card, std::string_view marker) {
  // Whole identifiers on both sides of the dot: one cannot be the beginning of another.
  if (card["desc"].text().find(last_line(marker)) != std::string_view::npos) return true;
  const std::string in_url = fmt::format("m={}", marker);
  for (std::size_t i = 0; i < card["attachments"].size(); ++i) {
    if (card["attachments"][i]["url"].text().find(in_url) != std::string_view::npos) return true;
  }
  return false;
}

std::string name_of(const messages::TicketCard& ticket) {
  const std::string title = on_one_line(ticket.title);
  if (title.empty()) return "(no title)";
  if (utf16_length(title) <= text_limit) return title;
  return std::string{cut_utf16(title, text_limit - 1)} + "…";
}

std::string description_of(const messages::TicketCard& ticket, std::string_view marker) {
  const std::string name = ticket.creator_name ? on_one_line(*ticket.creator_name) : "", email = ticket.creator_email ? on_one_line(*ticket.creator_email) : "";
  std::string foot = "\n\n";
  if (!name.empty() && !email.empty()) {
    foot += fmt::format("From: {} <{}>\n", cut_utf16(name, 500), cut_utf16(email, 500));
  } else if (!name.empty() || !email.empty()) {
    foot += fmt::format("From: {}\n", cut_utf16(name + email, 500));
  }
  foot += fmt::format("Ticket {} on {}: {}\n{}", ticket.number, cut_utf16(on_one_line(ticket.board_name), 500), ticket.url, last_line(marker));
  const std::string text = plain_text(ticket.description);
  const std::size_t room = text_limit - std::min(text_limit, utf16_length(foot));
  if (utf16_length(text) <= room) return text.empty() ? foot.substr(2) : text + foot;
  constexpr std::string_view note = "…\n[Shortened: the whole text is in the ticket.]";
  const std::size_t left = room - std::min(room, utf16_length(note));
  return std::string{cut_utf16(text, left)}.append(note) + foot;
}

}  // namespace postroom::trello

#include "api/handlers/reading_answers.hpp"

#include <algorithm>
#include <charconv>

#include "common/base/ids.hpp"
#include "common/base/log.hpp"
#include "common/base/text.hpp"

namespace postroom::api {

Reply reading_failed(const Error& error, const Request& request) {
  if (error.code() == Code::bad_message) {
    return bad_request("invalid-parameters", "a query parameter is wrong", request.path, {in_query("cursor", error.what())});
  }
  log::warning("the state could not be read", {{"path", std::string{request.path}}, {"why", error.text()}});
  return unavailable("state-unavailable", "the state cannot be read at the moment; ask again", request.path);
}

store::PageRequest Parameters::page() {
  store::PageRequest page;
  if (const auto limit = request_.query.find("limit")) {
    const auto [end, failed] = std::from_chars(limit->data(), limit->data() + limit->size(), page.limit);
    if (failed != std::errc{} || end != limit->data() + limit->size() || page.limit < 1 || page.limit > 200) {
      flaws_.push_back(in_query("limit", "must be a number from 1 to 200"));
    }
  }
  if (const auto cursor = request_.query.find("cursor")) {
    if (cursor->empty() || cursor->size() > 2'048) flaws_.push_back(in_query("cursor", "must be page.next of the answer before"));
    page.cursor = *cursor;
  }
  return page;
}

std::optional<std::string> Parameters::text(std::string_view name) {
  const auto value = request_.query.find(name);
  if (!value) return std::nullopt;
  if (value->empty() || value->size() > 1'024) flaws_.push_back(in_query(std::string{name}, "must be 1 to 1024 bytes"));
  return std::string{*value};
}

std::optional<std::string> Parameters::uuid(std::string_view name) {
  const auto value = request_.query.find(name);
  if (!value) return std::nullopt;
  if (!is_uuid(*value)) flaws_.push_back(in_query(std::string{name}, "must be a UUID"));
  return to_lower_ascii(*value);
}

std::optional<std::string> Parameters::one_of(std::string_view name, std::span<const std::string_view> known) {
  const auto value = request_.query.find(name);
  if (!value) return std::nullopt;
  if (std::ranges::find(known, *value) == known.end()) complain(name, fmt::format("must be one of: {}", fmt::join(known, ", ")));
  return std::string{*value};
}

std::optional<Reply> Parameters::refusal() const {
  if (flaws_.empty()) return std::nullopt;
  return bad_request("invalid-parameters", "a query parameter is wrong", request_.path, flaws_);
}

}  // namespace postroom::api

#pragma once
// How reads are answered: data, pages, and why there is no answer.

#include <fmt/format.h>

#include <span>
#include <string>

#include "api/handlers/handlers.hpp"
#include "api/problem.hpp"
#include "common/store/reading.hpp"
#include "common/store/views.hpp"

namespace postroom::api {

inline std::string entity_tag(std::int64_t version) { return fmt::format("\"v{}\"", version); }

inline Reply data_reply(std::string_view object) { return Reply{.status = 200, .body = store::data_json(object)}; }

template <class T, class ToJson>
Reply page_reply(const store::Page<T>& page, ToJson&& to_json) {
  std::string body = "{\"data\":[";
  for (const auto& item : page.items) {
    if (body.back() != '[') body.push_back(',');
    body += to_json(item);
  }
  // Cursors are URL-safe, so they need no escapes.
  body += page.next ? fmt::format("],\"page\":{{\"next\":\"{}\"}}}}", *page.next) : "],\"page\":{\"next\":null}}";
  return Reply{.status = 200, .body = std::move(body)};
}

// A read that failed: 400 for a wrong cursor, else 503.
Reply reading_failed(const Error& error, const Request& request);

// Reads query values and collects what is wrong with them.
class Parameters {
 public:
  explicit Parameters(const Request& request) : request_(request) {}

  store::PageRequest page();  // limit 1–200 (default 50) and cursor
  std::optional<std::string> text(std::string_view name);
  std::optional<std::string> uuid(std::string_view name);
  std::optional<std::string> one_of(std::string_view name, std::span<const std::string_view> known);
  void complain(std::string_view name, std::string detail) { flaws_.push_back(in_query(std::string{name}, std::move(detail))); }

  template <class E>
  std::optional<E> named(std::string_view name) {
    const auto value = request_.query.find(name);
    if (!value) return std::nullopt;
    return named_value<E>(name, *value);
  }
  // A comma separated list.
  template <class E>
  std::vector<E> named_list(std::string_view name, std::vector<E> otherwise);

  std::optional<Reply> refusal() const;

 private:
  template <class E>
  std::optional<E> named_value(std::string_view name, std::string_view value) {
    const auto found = messages::value_of<E>(value);
    if (!found) {
      std::string known;
      for (const auto& [unused, text] : messages::enum_names<E>) known += fmt::format("{}{}", known.empty() ? "" : ", ", text);
      complain(name, fmt::format("must be one of: {}", known));
    }
    return found;
  }

  const Request& request_;
  std::vector<Flaw> flaws_;
};

template <class E>
std::vector<E> Parameters::named_list(std::string_view name, std::vector<E> otherwise) {
  const auto value = request_.query.find(name);
  if (!value) return otherwise;
  std::vector<E> all;
  std::string_view rest = *value;
  while (true) {
    const auto comma = rest.find(',');
    const auto one = named_value<E>(name, rest.substr(0, comma));
    if (!one) return {};
    bool is_new = true;
    for (const auto known : all) is_new = is_new && known != *one;
    if (is_new) all.push_back(*one);
    if (comma == std::string_view::npos) return all;
    rest.remove_prefix(comma + 1);
  }
}

}  // namespace postroom::api

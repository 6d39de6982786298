#include "api/cli/find.hpp"

#include <fmt/format.h>

#include "common/base/ids.hpp"
#include "common/base/text.hpp"

namespace postroom::cli {

namespace {

constexpr std::size_t most_listed = 10;

// "Desk (0192…), desk (0193…)"
std::string listed(const std::vector<Named>& all) {
  std::string text;
  for (std::size_t n = 0; n < all.size() && n < most_listed; ++n) text += fmt::format("{}{} ({})", n == 0 ? "" : ", ", all[n].name, all[n].id);
  return all.size() > most_listed ? fmt::format("{} and {} more", text, all.size() - most_listed) : text;
}

}  // namespace

Result<std::string> choose(const std::vector<Named>& all, std::string_view what, const std::string& name_or_id) {
  std::vector<Named> exact, alike;
  for (const Named& one : all) {
    if (one.id == name_or_id || one.name == name_or_id) exact.push_back(one);
    if (to_lower_ascii(one.name) == to_lower_ascii(name_or_id)) alike.push_back(one);
  }
  const auto& meant = exact.empty() ? alike : exact;
  if (meant.size() == 1) return meant.front().id;
  if (meant.size() > 1) return Error{Code::conflict, fmt::format("{} may be any of {}: give the id", name_or_id, listed(meant))};
  return Error{Code::not_found, fmt::format("there is no {} named {}; there {}", what, name_or_id, all.empty() ? "are none" : "are " + listed(all))};
}

Result<std::vector<Named>> all_named(const Client& client, std::string_view list) {
  std::vector<Named> all;
  std::string cursor;
  do {
    const auto answer = client.ask("GET", fmt::format("{}?limit=200{}{}", list, cursor.empty() ? "" : "&cursor=", percent_encoded(cursor)));
    if (!answer.ok()) return Error{Code::unavailable, answer.trouble};
    for (std::size_t n = 0; n < answer.data().size(); ++n) {
      const auto one = answer.data().at(n);
      all.push_back({std::string{one["id"].string()}, std::string{one["name"].string()}});
    }
    cursor = answer.document.root()["page"]["next"].string();
  } while (!cursor.empty());
  return all;
}

Result<std::string> find_id(const Client& client, std::string_view list, std::string_view what, const std::string& name_or_id) {
  if (is_uuid(name_or_id)) return name_or_id;
  const auto all = all_named(client, list);
  if (!all) return all.error();
  return choose(*all, what, name_or_id);
}

Result<void> find_ids(const Client& client, const std::vector<Naming>& namings) {
  for (const Naming& naming : namings) {
    if (naming.name_or_id->empty()) continue;
    auto id = find_id(client, naming.list, naming.what, *naming.name_or_id);
    if (!id) return id.error();
    *naming.name_or_id = std::move(*id);
  }
  return {};
}

}  // namespace postroom::cli

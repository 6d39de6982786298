#include "api/cli/find.hpp"

#include <fmt/format.h>

#include "common/base/ids.hpp"

namespace postroom::cli {

Result<std::string> find_id(const Client& client, std::string_view list, std::string_view what, const std::string& name_or_id) {
  if (is_uuid(name_or_id)) return name_or_id;
  std::string cursor;
  do {
    const auto answer = client.ask("GET", fmt::format("{}?limit=200{}{}", list, cursor.empty() ? "" : "&cursor=", percent_encoded(cursor)));
    if (!answer.ok()) return Error{Code::unavailable, answer.trouble};
    for (std::size_t n = 0; n < answer.data().size(); ++n) {
      if (answer.data().at(n)["name"].string() == name_or_id) return std::string{answer.data().at(n)["id"].string()};
    }
    cursor = answer.document.root()["page"]["next"].string();
  } while (!cursor.empty());
  return Error{Code::not_found, fmt::format("there is no {} named {}", what, name_or_id)};
}

}  // namespace postroom::cli

#include "api/handlers/connection_parts.hpp"

namespace postroom::api {

std::string base_url_of(Json url, const Settings& settings, std::vector<Flaw>& flaws) {
  std::string_view text = url.string();
  if (!text.starts_with("https://") && !settings.may_call_plain_http) {
    flaws.push_back(in_body("/base_url", "must begin with https:// (plain http is for addresses that outbound.allow lists)"));
  }
  while (text.ends_with('/')) text.remove_suffix(1);
  return std::string{text};
}

}  // namespace postroom::api

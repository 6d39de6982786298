#include "workers/notifier/conversation/request.hpp"

#include <algorithm>

namespace postroom::notifier {

smtp::Request request_to(const messages::Site& site, std::string secret, std::string sender) {
  smtp::Request request;
  request.url = site.base_url;
  if (!site.account.empty()) request.login = smtp::Login{site.account, std::move(secret)};
  // The sender's domain is what servers can look up; this machine's name is nobody's business.
  const std::string domain = sender.substr(sender.rfind('@') + 1);
  const bool is_name = sender.find('@') != std::string::npos && !domain.empty() && std::ranges::all_of(domain, [](char c) { return c > ' ' && c < 0x7f; });
  request.greeting_name = is_name ? domain : "localhost";
  request.sender = std::move(sender);
  return request;
}

}  // namespace postroom::notifier

#include "common/smtp/exchange.hpp"

namespace postroom::smtp {

std::string_view name_of(Stage stage) {
  switch (stage) {
    case Stage::connecting: return "connecting";
    case Stage::greeting: return "greeting";
    case Stage::hello: return "hello";
    case Stage::starttls: return "starttls";
    case Stage::login: return "login";
    case Stage::sender: return "sender";
    case Stage::recipient: return "recipient";
    case Stage::data: return "data";
    case Stage::content: return "content";
    case Stage::held: return "held";
    case Stage::final_dot: return "final_dot";
  }
  return "";
}

std::string_view name_of(Failure failure) {
  switch (failure) {
    case Failure::none: return "none";
    case Failure::refused_request: return "refused_request";
    case Failure::dns: return "dns";
    case Failure::connect: return "connect";
    case Failure::blocked_address: return "blocked_address";
    case Failure::no_tls: return "no_tls";
    case Failure::tls_certificate: return "tls_certificate";
    case Failure::tls: return "tls";
    case Failure::no_login: return "no_login";
    case Failure::no_utf8: return "no_utf8";
    case Failure::rejected: return "rejected";
    case Failure::too_late: return "too_late";
    case Failure::timeout: return "timeout";
    case Failure::broken: return "broken";
    case Failure::protocol: return "protocol";
    case Failure::cancelled: return "cancelled";
  }
  return "";
}

std::string_view enhanced_status(std::string_view text) {
  const auto end = text.find(' ') == std::string_view::npos ? text.size() : text.find(' ');
  const std::string_view word = text.substr(0, end);
  if (word.size() < 5 || word.size() > 9 || word[1] != '.') return {};
  if (word[0] != '2' && word[0] != '4' && word[0] != '5') return {};
  const auto dot = word.find('.', 2);
  const auto is_number = [](std::string_view digits) {
    return !digits.empty() && digits.size() <= 3 && digits.find_first_not_of("0123456789") == std::string_view::npos;
  };
  if (dot == std::string_view::npos || !is_number(word.substr(2, dot - 2)) || !is_number(word.substr(dot + 1))) return {};
  return word;
}

}  // namespace postroom::smtp

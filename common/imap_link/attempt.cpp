#include "common/imap_link/attempt.hpp"

#include <fmt/format.h>
#include <sys/socket.h>

#include <algorithm>

#include "common/base/text.hpp"
#include "common/http/curl_guard.hpp"

namespace postroom::imap_link {

namespace {

constexpr std::size_t longest_line = 300;  // of the server's words that is shown to people

// "A003 NO [UNAVAILABLE] later" → "NO [UNAVAILABLE] later"; an untagged line without its star.
std::string_view without_tag(std::string_view line) {
  const auto blank = line.find(' ');
  return blank == std::string_view::npos ? std::string_view{} : line.substr(blank + 1);
}

// Response codes of RFC 5530 that speak of the server and not of the password.
bool is_passing(std::string_view words) {
  constexpr std::string_view codes[] = {"[UNAVAILABLE]", "[INUSE]", "[LIMIT]", "[SERVERBUG]", "[OVERQUOTA]", "[CONTACTADMIN]"};
  return std::ranges::any_of(codes, [&](std::string_view code) { return words.find(code) != std::string_view::npos; });
}

}  // namespace

Result<void> check(const Account& account) {
  const auto refused = [](std::string what) { return Error{Code::bad_message, std::move(what)}; };
  if (const auto place = parse_base_url(account.base_url); !place) return place.error();
  if (account.user.empty()) return refused("the account has no user name");
  if (account.password.empty()) return refused("the account has no password");
  if (has_control_bytes(account.user) || has_control_bytes(account.password))
    return refused("user name or password contain control bytes");
  return {};
}

Attempt::Attempt(const Account& account, const Place& place, Security security, Login login, const Rules& rules)
    : rules_(rules), security_(security), login_(login), host_and_port_(fmt::format("{}:{}", place.host, place.port)), easy_(curl_easy_init()) {
  const auto set = [this](CURLoption option, auto value) { curl_easy_setopt(easy_, option, value); };
  set(CURLOPT_ERRORBUFFER, problem_);
  set(CURLOPT_NOSIGNAL, 1L);
  set(CURLOPT_QUICK_EXIT, 1L);  // a look-up that outlives its attempt must not be joined: it would stop the loop
  set(CURLOPT_CONNECT_ONLY, 1L);
  set(CURLOPT_URL, fmt::format("{}://{}/", security == Security::tls ? "imaps" : "imap", host_and_port_).c_str());
  set(CURLOPT_PROTOCOLS_STR, security == Security::tls ? "imaps" : "imap");
  if (login == Login::sasl) {
    set(CURLOPT_USERNAME, account.user.c_str());
    set(CURLOPT_PASSWORD, account.password.c_str());
    set(CURLOPT_LOGIN_OPTIONS, "AUTH=PLAIN;AUTH=LOGIN");
  }
  set(CURLOPT_PROXY, "");  // the environment's proxies would dodge the address check
  set(CURLOPT_NETRC, static_cast<long>(CURL_NETRC_IGNORED));
  set(CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(rules.settings.connect_limit.count()));
  set(CURLOPT_FRESH_CONNECT, 1L);
  set(CURLOPT_TCP_NODELAY, 1L);
  set(CURLOPT_TCP_KEEPALIVE, 1L);
  set(CURLOPT_OPENSOCKETDATA, this);
  set(CURLOPT_OPENSOCKETFUNCTION, +[](void* self, curlsocktype, curl_sockaddr* where) {
    return static_cast<Attempt*>(self)->open_socket(*where);
  });
  set(CURLOPT_HEADERDATA, this);
  set(CURLOPT_HEADERFUNCTION, +[](char* data, std::size_t size, std::size_t count, void* self) {
    static_cast<Attempt*>(self)->take_line({data, size * count});
    return size * count;
  });
  set_tls();
}

Attempt::~Attempt() { curl_easy_cleanup(easy_); }

void Attempt::set_tls() {
  curl_easy_setopt(easy_, CURLOPT_USE_SSL, static_cast<long>(security_ == Security::none ? CURLUSESSL_NONE : CURLUSESSL_ALL));
  curl_easy_setopt(easy_, CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
  curl_easy_setopt(easy_, CURLOPT_SSL_VERIFYPEER, 1L);
  curl_easy_setopt(easy_, CURLOPT_SSL_VERIFYHOST, 2L);
  curl_easy_setopt(easy_, CURLOPT_CAPATH, nullptr);
  curl_easy_setopt(easy_, CURLOPT_CAINFO, nullptr);
  curl_easy_setopt(easy_, CURLOPT_SSL_CTX_DATA, const_cast<Certificates*>(&rules_.certificates));
  curl_easy_setopt(easy_, CURLOPT_SSL_CTX_FUNCTION, +[](CURL*, void* context, void* certificates) {
    static_cast<const Certificates*>(certificates)->lend(context);
    return CURLE_OK;
  });
}

curl_socket_t Attempt::open_socket(const curl_sockaddr& where) {
  const auto address = http::address_of(where);
  const bool is_allowed =
      address && (security_ == Security::none ? rules_.guard.is_listed(*address) : rules_.guard.may_call(*address));
  if (!is_allowed) {
    blocked_address_ = address ? http::to_text(*address) : "an address that is not IP";
    return CURL_SOCKET_BAD;
  }
  saw_open_address_ = true;
  return ::socket(where.family, where.socktype | SOCK_CLOEXEC, where.protocol);
}

void Attempt::take_line(std::string_view line) {
  saw_greeting_ = saw_greeting_ || line.starts_with("* ");
  if (line.starts_with("* CAPABILITY ")) {
    const auto words = split(trimmed(line), ' ');
    const auto has = [&](std::string_view word) { return std::ranges::find(words, word) != words.end(); };
    offers_sasl_ = has("AUTH=PLAIN") || has("AUTH=LOGIN");
    offers_login_ = !has("LOGINDISABLED");
  }
  last_line_ = trimmed(cut_utf8(line, longest_line));
}

std::string Attempt::remote_address() const {
  char* address = nullptr;
  if (curl_easy_getinfo(easy_, CURLINFO_PRIMARY_IP, &address) != CURLE_OK || address == nullptr) return {};
  return address;
}

// libcurl keeps the time of the connection only when the handshake went well too.
bool Attempt::is_reached(Trouble trouble) const {
  switch (trouble) {
    case Trouble::certificate:
    case Trouble::no_encryption:
    case Trouble::credentials:
    case Trouble::server:
    case Trouble::protocol:
      return true;
    default:
      break;
  }
  curl_off_t took = 0;
  curl_easy_getinfo(easy_, CURLINFO_CONNECT_TIME_T, &took);
  return took > 0 && saw_open_address_;
}

Standing Attempt::standing() const { return {remote_address(), security_ != Security::none}; }

bool Attempt::may_do_without_tls(CURLcode code) const {
  if (code != CURLE_USE_SSL_FAILED || security_ != Security::starttls) return false;
  const auto address = http::parse_address(remote_address());
  return address && rules_.guard.is_listed(*address);
}

bool Attempt::may_log_in_by_command(CURLcode code) const {
  return code == CURLE_LOGIN_DENIED && login_ == Login::sasl && !offers_sasl_ && offers_login_;
}

Trouble Attempt::classify(CURLcode code) const {
  const bool is_blocked = !blocked_address_.empty() && !saw_open_address_;
  switch (code) {
    case CURLE_URL_MALFORMAT:
    case CURLE_UNSUPPORTED_PROTOCOL:
      return Trouble::refused_account;
    case CURLE_COULDNT_CONNECT:
      return is_blocked ? Trouble::blocked_address : Trouble::unreachable;
    case CURLE_OPERATION_TIMEDOUT:
      return is_blocked ? Trouble::blocked_address : Trouble::timeout;
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_ISSUER_ERROR:
      return Trouble::certificate;
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_SSL_CIPHER:
    case CURLE_SSL_ENGINE_INITFAILED:
    case CURLE_USE_SSL_FAILED:
      return Trouble::no_encryption;
    case CURLE_LOGIN_DENIED:
    case CURLE_AUTH_ERROR:
      return is_passing(last_line_) ? Trouble::server : Trouble::credentials;
    case CURLE_WEIRD_SERVER_REPLY:
      return last_line_.starts_with("* BYE") ? Trouble::server : Trouble::protocol;
    default:
      return Trouble::unreachable;
  }
}

std::string Attempt::describe(Trouble trouble, CURLcode code) const {
  const std::string words = json_escaped(without_tag(last_line_));
  const std::string said = problem_[0] != '\0' ? to_valid_utf8(problem_) : curl_easy_strerror(code);
  switch (trouble) {
    case Trouble::blocked_address:
      if (security_ == Security::none)
        return fmt::format("without encryption only addresses in outbound.allow are called, {} is not there", blocked_address_);
      return fmt::format("the address {} of {} is private or reserved; outbound.allow in the configuration file does not list it",
                         blocked_address_, host_and_port_);
    case Trouble::credentials:
      if (!offers_sasl_ && !offers_login_) return fmt::format("{} offers no login with a password", host_and_port_);
      return words.empty() ? fmt::format("{} refuses user name or password", host_and_port_)
                           : fmt::format("{} refuses user name or password: {}", host_and_port_, words);
    case Trouble::server:
      return fmt::format("{} cannot serve now: {}", host_and_port_, words);
    case Trouble::no_encryption:
      if (code == CURLE_USE_SSL_FAILED)
        return fmt::format("{} offers no encryption (STARTTLS); without it nothing is sent outside outbound.allow", host_and_port_);
      return fmt::format("no encrypted connection to {}: {}{}", host_and_port_, said,
                         security_ == Security::tls ? "; imaps:// is TLS from the first byte, imap:// begins in the clear and changes to it" : "");
    case Trouble::certificate:
      return fmt::format("the certificate of {} is not accepted: {}", host_and_port_, said);
    case Trouble::protocol:
      return fmt::format("{} does not speak IMAP: {}", host_and_port_, words.empty() ? said : words);
    case Trouble::timeout:
      if (!is_reached(trouble)) return fmt::format("{} did not answer in time", host_and_port_);
      if (security_ != Security::tls && last_line_.empty())
        return fmt::format("no greeting from {}: is it a port where TLS begins with the first byte? then the address begins with imaps://",
                           host_and_port_);
      return fmt::format("{} did not finish the login in time", host_and_port_);
    default:
      return fmt::format("{}: {}", host_and_port_, said);
  }
}

Ending Attempt::ending(CURLcode code) const {
  Ending ending;
  ending.trouble = classify(code);
  ending.text = describe(ending.trouble, code);
  ending.is_reached = is_reached(ending.trouble);
  ending.address = ending.is_reached ? remote_address() : "";
  curl_off_t secured_after = 0;
  curl_easy_getinfo(easy_, CURLINFO_APPCONNECT_TIME_T, &secured_after);
  ending.is_secured = secured_after > 0;
  return ending;
}

Ending Attempt::refused(std::string_view line) {
  take_line(line);
  const bool is_bye = line.starts_with("* BYE");
  return ending(is_bye ? CURLE_WEIRD_SERVER_REPLY : CURLE_LOGIN_DENIED);
}

Ending Attempt::timed_out() const {
  Ending ending = this->ending(CURLE_OPERATION_TIMEDOUT);
  if (ending.trouble == Trouble::timeout && !last_line_.empty() && !saw_greeting_) {  // libcurl waits for the right words
    ending.trouble = Trouble::protocol;
    ending.text = fmt::format("{} does not speak IMAP: {}", host_and_port_, json_escaped(last_line_));
  }
  return ending;
}

}  // namespace postroom::imap_link

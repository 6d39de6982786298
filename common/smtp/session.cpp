#include "common/smtp/session.hpp"

#include <fmt/format.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>

#include "common/base/text.hpp"
#include "common/http/curl_guard.hpp"
#include "common/http/exchange.hpp"

namespace postroom::smtp {

namespace {
constexpr std::chrono::milliseconds longest_hello{60'000};  // from the look-up to the login: some servers greet late on purpose
constexpr std::size_t chunk = 16 << 10;
}  // namespace

Session::Session(Request request, Server server, const SessionRules& rules, const Clock& clock)
    : request_(std::move(request)),
      server_(std::move(server)),
      rules_(rules),
      clock_(clock),
      dialogue_(request_),
      easy_(curl_easy_init()),
      started_(clock.steady()) {
  set_options();
  set_login();
}

Session::~Session() { curl_easy_cleanup(easy_); }

void Session::set_options() {
  url_ = fmt::format("{}://{}:{}/{}", server_.is_tls ? "smtps" : "smtp", server_.host, server_.port, http::percent_encoded(request_.greeting_name));
  const auto limit = std::max<std::int64_t>(1, request_.timeout.count());
  curl_easy_setopt(easy_, CURLOPT_ERRORBUFFER, problem_);
  curl_easy_setopt(easy_, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(easy_, CURLOPT_QUICK_EXIT, 1L);  // a slow look-up is left behind, not waited for
  curl_easy_setopt(easy_, CURLOPT_URL, url_.c_str());
  curl_easy_setopt(easy_, CURLOPT_PROTOCOLS_STR, server_.is_tls ? "smtps" : "smtp");
  curl_easy_setopt(easy_, CURLOPT_PROXY, "");
  curl_easy_setopt(easy_, CURLOPT_NETRC, static_cast<long>(CURL_NETRC_IGNORED));
  curl_easy_setopt(easy_, CURLOPT_TCP_NODELAY, 1L);
  curl_easy_setopt(easy_, CURLOPT_CONNECT_ONLY, 1L);
  curl_easy_setopt(easy_, CURLOPT_FRESH_CONNECT, 1L);
  curl_easy_setopt(easy_, CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(std::min<std::int64_t>(limit, longest_hello.count())));
  curl_easy_setopt(easy_, CURLOPT_OPENSOCKETDATA, this);
  curl_easy_setopt(easy_, CURLOPT_OPENSOCKETFUNCTION, +[](void* self, curlsocktype, curl_sockaddr* where) {
    return static_cast<Session*>(self)->open_socket(*where);
  });
  curl_easy_setopt(easy_, CURLOPT_HEADERDATA, this);
  curl_easy_setopt(easy_, CURLOPT_HEADERFUNCTION, +[](char* data, std::size_t size, std::size_t count, void* self) {
    return static_cast<Session*>(self)->take_line({data, size * count});
  });
  curl_easy_setopt(easy_, CURLOPT_VERBOSE, 1L);  // into our own ears only
  curl_easy_setopt(easy_, CURLOPT_DEBUGDATA, this);
  curl_easy_setopt(easy_, CURLOPT_DEBUGFUNCTION, +[](CURL*, curl_infotype type, char* data, std::size_t size, void* self) {
    if (type == CURLINFO_HEADER_OUT) static_cast<Session*>(self)->dialogue_.overheard({data, size});
    return 0;
  });
  http::require_certificates(easy_, rules_.ca_file);
  require_tls(true);
}

void Session::set_login() {
  if (!request_.login) return;
  curl_easy_setopt(easy_, CURLOPT_USERNAME, request_.login->user.c_str());
  curl_easy_setopt(easy_, CURLOPT_PASSWORD, request_.login->password.c_str());
  curl_easy_setopt(easy_, CURLOPT_LOGIN_OPTIONS, "AUTH=PLAIN;AUTH=LOGIN");
  curl_easy_setopt(easy_, CURLOPT_SASL_IR, 1L);
}

void Session::require_tls(bool is_required) {
  curl_easy_setopt(easy_, CURLOPT_USE_SSL, static_cast<long>(is_required ? CURLUSESSL_ALL : CURLUSESSL_TRY));
}

curl_socket_t Session::open_socket(const curl_sockaddr& where) {
  const auto address = http::address_of(where);
  if (!address || !rules_.guard.may_call(*address)) {
    blocked_address_ = address ? to_text(*address) : "an address that is not IP";
    return CURL_SOCKET_BAD;
  }
  saw_open_address_ = true;
  remote_address_ = to_text(*address);
  // Without TLS only to where the configuration says so, whichever of its addresses answers in the end.
  saw_unlisted_address_ = saw_unlisted_address_ || !rules_.guard.is_listed(*address);
  require_tls(saw_unlisted_address_);
  return ::socket(where.family, where.socktype | SOCK_CLOEXEC, where.protocol);
}

std::size_t Session::take_line(std::string_view line) {
  if (!dialogue_.heard(line)) {
    is_endless_ = true;
    return 0;
  }
  // Offered, so it is used: a refusal of STARTTLS is no reason to go on in the clear.
  if (dialogue_.offers_starttls()) require_tls(true);
  return line.size();
}

void Session::connected(CURLcode code) {
  if (code != CURLE_OK) return end(classify(code));
  curl_easy_getinfo(easy_, CURLINFO_ACTIVESOCKET, &socket_);
  if (socket_ == CURL_SOCKET_BAD) return end(Failure::broken);
  is_connected_ = true;
  dialogue_.begin();
  pump();
}

void Session::pump() {
  if (!is_over_) read_all();
  if (!is_over_) write_all();
  if (!is_over_ && dialogue_.is_over()) end(dialogue_.failure());
}

void Session::read_all() {
  std::array<char, chunk> buffer;
  while (!dialogue_.is_over()) {
    std::size_t count = 0;
    const CURLcode code = curl_easy_recv(easy_, buffer.data(), buffer.size(), &count);
    if (code == CURLE_AGAIN) return;
    if (code != CURLE_OK || count == 0) return end(Failure::broken);
    dialogue_.take({buffer.data(), count});
  }
}

void Session::write_all() {
  while (!dialogue_.outgoing().empty()) {
    if (dialogue_.stage() == Stage::final_dot && !dialogue_.is_over()) dot_left_ = true;
    const std::string_view bytes = dialogue_.outgoing().substr(0, chunk);
    std::size_t count = 0;
    const CURLcode code = curl_easy_send(easy_, bytes.data(), bytes.size(), &count);
    if (code == CURLE_AGAIN) return;
    if (code != CURLE_OK) {
      if (!dialogue_.is_over()) end(Failure::broken);  // else it was only the farewell
      return;
    }
    dialogue_.written(count);
  }
}

void Session::go_on(SteadyTime by) {
  if (clock_.steady() > by) return end(Failure::too_late);
  pump();  // the server may have left, or said that it does
  if (!is_held()) return;
  dialogue_.go_on();
  write_all();
}

void Session::end(Failure failure) {
  if (is_over_) return;
  is_over_ = true;
  failure_ = failure;
  ended_ = clock_.steady();
}

Failure Session::classify(CURLcode code) const {
  if (is_endless_) return Failure::protocol;
  if (dialogue_.is_no()) return Failure::rejected;
  const bool is_blocked = !blocked_address_.empty() && !saw_open_address_;
  switch (code) {
    case CURLE_COULDNT_RESOLVE_HOST: return Failure::dns;
    case CURLE_COULDNT_CONNECT: return is_blocked ? Failure::blocked_address : Failure::connect;
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_ISSUER_ERROR: return Failure::tls_certificate;
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_SSL_CIPHER:
    case CURLE_SSL_ENGINE_INITFAILED: return Failure::tls;
    case CURLE_USE_SSL_FAILED: return Failure::no_tls;
    case CURLE_LOGIN_DENIED: return Failure::no_login;
    case CURLE_OPERATION_TIMEDOUT: return is_blocked ? Failure::blocked_address : Failure::timeout;
    case CURLE_WEIRD_SERVER_REPLY: return Failure::protocol;
    case CURLE_URL_MALFORMAT:
    case CURLE_UNSUPPORTED_PROTOCOL: return Failure::refused_request;
    default: return has_foreign_greeting() ? Failure::protocol : Failure::broken;
  }
}

bool Session::has_foreign_greeting() const { return dialogue_.stage() == Stage::greeting && dialogue_.code() == 0; }

bool Session::is_silent() const {
  curl_off_t took = 0;
  curl_easy_getinfo(easy_, CURLINFO_CONNECT_TIME_T, &took);
  return failure_ == Failure::timeout && !server_.is_tls && dialogue_.stage() == Stage::connecting && took > 0;
}

Reply Session::reply() const {
  Reply reply;
  reply.failure = failure_;
  reply.stage = dialogue_.stage();
  reply.may_have_arrived = dot_left_ && failure_ != Failure::rejected;
  reply.code = dialogue_.code();
  reply.text = dialogue_.text();
  reply.recipients = dialogue_.recipients();
  reply.is_silent = is_silent();
  reply.is_encrypted = is_connected_ ? server_.is_tls || dialogue_.has_begun_tls() : server_.is_tls && dialogue_.stage() != Stage::connecting;
  reply.offers_login = dialogue_.offers_login();
  reply.has_logged_in = dialogue_.has_logged_in();
  reply.remote_address = remote_address_;
  reply.detail = words();
  reply.took = std::chrono::duration_cast<std::chrono::milliseconds>(ended_ - started_);
  return reply;
}

std::string Session::words() const {
  switch (failure_) {
    case Failure::none: return {};
    case Failure::blocked_address:
      return fmt::format("the host's address {} is private or reserved; outbound.allow in the configuration file does not list it", blocked_address_);
    case Failure::rejected: return fmt::format("{} {}", dialogue_.code(), dialogue_.text());
    case Failure::no_tls: return "the server offers no STARTTLS, and without it neither passwords nor mails are sent";
    case Failure::no_login: return "the server offers neither AUTH PLAIN nor AUTH LOGIN";
    case Failure::too_late: return "the time for the final dot had passed; it was not sent";
    case Failure::timeout: return fmt::format("no answer in time ({})", name_of(dialogue_.stage()));
    case Failure::cancelled: return "cancelled";
    default: break;
  }
  if (is_endless_) return "the server's answers do not end";
  if (!dialogue_.detail().empty()) return std::string{dialogue_.detail()};
  if (is_connected_) return fmt::format("the server closed the connection ({})", name_of(dialogue_.stage()));
  if (has_foreign_greeting()) return "what answers does not speak SMTP";
  return std::string{cut_utf8(on_one_line(to_valid_utf8(problem_)), 300)};
}

}  // namespace postroom::smtp

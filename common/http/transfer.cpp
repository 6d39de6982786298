#include "common/http/transfer.hpp"

#include <fmt/format.h>
#include <sys/socket.h>

#include <algorithm>

#include "common/base/text.hpp"
#include "common/http/curl_guard.hpp"

namespace postroom::http {

namespace {

constexpr std::size_t head_limit = 64 << 10;
constexpr long connect_limit_ms = 10'000;

bool is_plain(std::string_view url) { return url.starts_with("http://"); }

bool is_token(std::string_view text) {  // RFC 9110 5.6.2
  constexpr std::string_view marks = "!#$%&'*+-.^_`|~";
  return !text.empty() && std::ranges::all_of(text, [&](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || marks.find(c) != std::string_view::npos;
  });
}

}  // namespace

Result<void> check(const Request& request) {
  const auto refused = [](std::string what) { return Error{Code::bad_message, std::move(what)}; };
  constexpr std::string_view methods[] = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"};
  if (std::ranges::find(methods, request.method) == std::end(methods)) return refused("the method is not one of ours");
  const std::string_view url = request.url;
  if (!url.starts_with("https://") && !is_plain(url)) return refused("the URL must begin with https://");
  if (std::ranges::any_of(url, [](char c) { return c <= ' ' || c >= 0x7f; })) {
    return refused("the URL contains blanks, control bytes or bytes outside ASCII");
  }
  const std::string_view authority = url.substr(url.find("//") + 2).substr(0, url.substr(url.find("//") + 2).find_first_of("/?#"));
  if (authority.empty()) return refused("the URL names no host");
  if (authority.find('@') != std::string_view::npos) return refused("the URL must not contain a user name");
  if (authority.find('\\') != std::string_view::npos) return refused("the URL's host contains a backslash");
  for (const auto& header : request.headers) {
    if (!is_token(header.name)) return refused("a header's name is not a token");
    if (has_control_bytes(header.value)) return refused(fmt::format("the header {} contains control bytes", header.name));
  }
  if (request.basic_auth) {
    const auto& [user, password] = *request.basic_auth;
    if (has_control_bytes(user) || has_control_bytes(password)) return refused("the credentials contain control bytes");
    if (user.find(':') != std::string::npos) return refused("the account contains a colon");
  }
  return {};
}

Transfer::Transfer(Request request, const TransferRules& rules, const Clock& clock)
    : request_(std::move(request)), rules_(rules), clock_(clock), easy_(curl_easy_init()), started_(clock.steady()) {
  set_options();
  set_method_and_body();
  set_headers();
  require_certificates(easy_, rules_.ca_file);
}

Transfer::~Transfer() {
  curl_easy_cleanup(easy_);
  curl_slist_free_all(headers_);
}

void Transfer::set_options() {
  curl_easy_setopt(easy_, CURLOPT_ERRORBUFFER, problem_);
  curl_easy_setopt(easy_, CURLOPT_NOSIGNAL, 1L);
  // Without it a look-up that outlives its exchange is joined, and a slow resolver would stop the whole loop.
  curl_easy_setopt(easy_, CURLOPT_QUICK_EXIT, 1L);
  curl_easy_setopt(easy_, CURLOPT_URL, request_.url.c_str());
  curl_easy_setopt(easy_, CURLOPT_PATH_AS_IS, 1L);
  curl_easy_setopt(easy_, CURLOPT_PROTOCOLS_STR, is_plain(request_.url) ? "http" : "https");
  curl_easy_setopt(easy_, CURLOPT_FOLLOWLOCATION, 0L);
  curl_easy_setopt(easy_, CURLOPT_REDIR_PROTOCOLS_STR, "https");
  curl_easy_setopt(easy_, CURLOPT_DISALLOW_USERNAME_IN_URL, 1L);
  curl_easy_setopt(easy_, CURLOPT_PROXY, "");  // the environment's proxies would see credentials and dodge the address check
  curl_easy_setopt(easy_, CURLOPT_NETRC, static_cast<long>(CURL_NETRC_IGNORED));
  curl_easy_setopt(easy_, CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
  curl_easy_setopt(easy_, CURLOPT_HTTP09_ALLOWED, 0L);
  curl_easy_setopt(easy_, CURLOPT_BUFFERSIZE, 16'384L);
  curl_easy_setopt(easy_, CURLOPT_TIMEOUT_MS, static_cast<long>(std::max<std::int64_t>(1, request_.timeout.count())));
  curl_easy_setopt(easy_, CURLOPT_CONNECTTIMEOUT_MS, connect_limit_ms);
  curl_easy_setopt(easy_, CURLOPT_TCP_NODELAY, 1L);
  if (!request_.is_repeatable) {
    curl_easy_setopt(easy_, CURLOPT_FRESH_CONNECT, 1L);
    curl_easy_setopt(easy_, CURLOPT_FORBID_REUSE, 1L);
  }
  curl_easy_setopt(easy_, CURLOPT_OPENSOCKETDATA, this);
  curl_easy_setopt(easy_, CURLOPT_OPENSOCKETFUNCTION, +[](void* self, curlsocktype, curl_sockaddr* where) {
    return static_cast<Transfer*>(self)->open_socket(*where);
  });
  // Called on a standing connection, right before the first byte: the last moment to say no.
  curl_easy_setopt(easy_, CURLOPT_PREREQDATA, this);
  curl_easy_setopt(easy_, CURLOPT_PREREQFUNCTION, +[](void* data, char*, char*, int, int) {
    auto* self = static_cast<Transfer*>(data);
    self->missed_deadline_ = self->is_too_late();
    if (self->missed_deadline_) return CURL_PREREQFUNC_ABORT;
    self->has_left_ = true;
    return CURL_PREREQFUNC_OK;
  });
  curl_easy_setopt(easy_, CURLOPT_HEADERDATA, this);
  curl_easy_setopt(easy_, CURLOPT_HEADERFUNCTION, +[](char* data, std::size_t size, std::size_t count, void* self) {
    return static_cast<Transfer*>(self)->take_header({data, size * count});
  });
  curl_easy_setopt(easy_, CURLOPT_WRITEDATA, this);
  curl_easy_setopt(easy_, CURLOPT_WRITEFUNCTION, +[](char* data, std::size_t size, std::size_t count, void* self) {
    return static_cast<Transfer*>(self)->take_body({data, size * count});
  });
  curl_easy_setopt(easy_, CURLOPT_MAXFILESIZE_LARGE, static_cast<curl_off_t>(request_.reply_limit));
}

void Transfer::set_method_and_body() {
  if (request_.method == "HEAD") curl_easy_setopt(easy_, CURLOPT_NOBODY, 1L);
  if (request_.method == "GET" || request_.method == "HEAD") return;
  if (request_.method != "DELETE" || !request_.body.empty()) {
    curl_easy_setopt(easy_, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request_.body.size()));
    curl_easy_setopt(easy_, CURLOPT_POSTFIELDS, request_.body.c_str());
  }
  if (request_.method != "POST") curl_easy_setopt(easy_, CURLOPT_CUSTOMREQUEST, request_.method.c_str());
}

void Transfer::set_headers() {
  // An empty "Expect:" keeps curl from waiting for 100 Continue with larger bodies.
  headers_ = curl_slist_append(headers_, "Expect:");
  for (const auto& header : request_.headers) {
    // libcurl reads "Name:" as "leave it out"; "Name;" is an empty header.
    const std::string line = header.value.empty() ? header.name + ";" : header.name + ": " + header.value;
    headers_ = curl_slist_append(headers_, line.c_str());
  }
  curl_easy_setopt(easy_, CURLOPT_HTTPHEADER, headers_);
  curl_easy_setopt(easy_, CURLOPT_USERAGENT, rules_.user_agent.c_str());
  if (request_.basic_auth) {
    curl_easy_setopt(easy_, CURLOPT_HTTPAUTH, static_cast<long>(CURLAUTH_BASIC));
    curl_easy_setopt(easy_, CURLOPT_USERNAME, request_.basic_auth->user.c_str());
    curl_easy_setopt(easy_, CURLOPT_PASSWORD, request_.basic_auth->password.c_str());
  }
}

curl_socket_t Transfer::open_socket(const curl_sockaddr& where) {
  const auto address = address_of(where);
  // Unencrypted only to where the configuration says so.
  const bool is_allowed =
      address && (is_plain(request_.url) ? rules_.guard.is_listed(*address) : rules_.guard.may_call(*address));
  if (!is_allowed) {
    blocked_address_ = address ? to_text(*address) : "an address that is not IP";
    return CURL_SOCKET_BAD;
  }
  saw_open_address_ = true;
  reply_.remote_address = to_text(*address);
  return socket(where.family, where.socktype | SOCK_CLOEXEC, where.protocol);
}

std::size_t Transfer::take_header(std::string_view line) {
  head_bytes_ += line.size();
  if (head_bytes_ > head_limit) {
    is_too_large_ = true;
    return 0;
  }
  if (line.starts_with("HTTP/")) {  // after a 100 Continue the real head begins anew
    reply_.headers.clear();
    return line.size();
  }
  if (const auto colon = line.find(':'); colon != std::string_view::npos) {
    reply_.headers.push_back({std::string{line.substr(0, colon)}, std::string{trimmed(line.substr(colon + 1))}});
  }
  return line.size();
}

std::size_t Transfer::take_body(std::string_view bytes) {
  if (reply_.body.size() + bytes.size() > request_.reply_limit) {
    is_too_large_ = true;
    reply_.body.clear();
    reply_.body.shrink_to_fit();
    return 0;
  }
  reply_.body.append(bytes);
  return bytes.size();
}

Failure Transfer::classify(CURLcode code) const {
  if (missed_deadline_) return Failure::too_late;
  if (is_too_large_ || code == CURLE_FILESIZE_EXCEEDED) return Failure::too_large;
  const bool is_blocked = !blocked_address_.empty() && !saw_open_address_;
  switch (code) {
    case CURLE_OK: return Failure::none;
    case CURLE_URL_MALFORMAT: return Failure::refused_request;
    case CURLE_UNSUPPORTED_PROTOCOL:  // ours before the request left; an answer without a status line (HTTP/0.9) afterwards
      return has_left_ ? Failure::protocol : Failure::refused_request;
    case CURLE_COULDNT_RESOLVE_HOST: return Failure::dns;
    case CURLE_COULDNT_CONNECT: return is_blocked ? Failure::blocked_address : Failure::connect;
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_ISSUER_ERROR: return Failure::tls_certificate;
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_SSL_CIPHER:
    case CURLE_SSL_ENGINE_INITFAILED: return Failure::tls;
    case CURLE_OPERATION_TIMEDOUT: return is_blocked ? Failure::blocked_address : Failure::timeout;
    case CURLE_WEIRD_SERVER_REPLY:
    case CURLE_HTTP2:
    case CURLE_BAD_CONTENT_ENCODING: return Failure::protocol;
    default: return has_left_ ? Failure::reset_after_send : Failure::reset_before_send;
  }
}

Reply Transfer::finish(CURLcode code) {
  Reply reply = reply_without_sending(classify(code));
  long status = 0;
  curl_easy_getinfo(easy_, CURLINFO_RESPONSE_CODE, &status);
  reply.status = static_cast<int>(status);
  return reply;
}

Reply Transfer::reply_without_sending(Failure failure) {
  Reply reply = std::move(reply_);
  reply.failure = failure;
  reply.was_sent = has_left_;
  reply.took = std::chrono::duration_cast<std::chrono::milliseconds>(clock_.steady() - started_);
  if (char* address = nullptr; curl_easy_getinfo(easy_, CURLINFO_PRIMARY_IP, &address) == CURLE_OK && address != nullptr && *address != 0) {
    reply.remote_address = address;  // of a kept connection too
  }
  long request_bytes = 0;
  curl_easy_getinfo(easy_, CURLINFO_REQUEST_SIZE, &request_bytes);
  reply.bytes_sent = request_bytes;
  if (failure == Failure::blocked_address) {
    reply.detail = fmt::format("the host's address {} is private or reserved; outbound.allow in the configuration file does not list it",
                               blocked_address_);
    if (is_plain(request_.url)) reply.detail = fmt::format("plain http is allowed only to addresses in outbound.allow, {} is not there", blocked_address_);
  } else if (failure == Failure::too_late) {
    reply.detail = "the time for the first byte had passed; nothing was sent";
  } else if (failure == Failure::too_large) {
    reply.detail = fmt::format("the answer is larger than {} bytes", request_.reply_limit);
  } else if (failure == Failure::cancelled) {
    reply.detail = "cancelled";
  } else if (failure != Failure::none) {
    reply.detail = to_valid_utf8(problem_);
  }
  return reply;
}

}  // namespace postroom::http

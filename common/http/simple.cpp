#include "common/http/simple.hpp"

#include <curl/curl.h>

#include <memory>

#include "common/base/text.hpp"
#include "common/http/transfer.hpp"

namespace postroom::http {

namespace {

struct Intake {
  Reply reply;
  std::size_t limit;
};

std::size_t take_body(char* data, std::size_t, std::size_t size, void* owner) {
  auto& intake = *static_cast<Intake*>(owner);
  if (intake.reply.body.size() + size > intake.limit) return 0;
  intake.reply.body.append(data, size);
  return size;
}

std::size_t take_header(char* data, std::size_t, std::size_t size, void* owner) {
  const std::string_view line = trimmed(std::string_view{data, size});
  const auto colon = line.find(':');
  auto& headers = static_cast<Intake*>(owner)->reply.headers;
  if (line.starts_with("HTTP/")) headers.clear();  // of an interim answer
  if (colon != std::string_view::npos) headers.push_back({std::string{line.substr(0, colon)}, std::string{trimmed(line.substr(colon + 1))}});
  return size;
}

Failure failure_of(CURLcode code) {
  switch (code) {
    case CURLE_OK: return Failure::none;
    case CURLE_COULDNT_RESOLVE_HOST: return Failure::dns;
    case CURLE_COULDNT_CONNECT: return Failure::connect;
    case CURLE_OPERATION_TIMEDOUT: return Failure::timeout;
    case CURLE_PEER_FAILED_VERIFICATION: return Failure::tls_certificate;
    case CURLE_WRITE_ERROR: return Failure::too_large;
    case CURLE_URL_MALFORMAT:
    case CURLE_UNSUPPORTED_PROTOCOL: return Failure::refused_request;
    case CURLE_SEND_ERROR:
    case CURLE_RECV_ERROR:
    case CURLE_GOT_NOTHING:
    case CURLE_PARTIAL_FILE: return Failure::reset_after_send;
    default: return Failure::protocol;
  }
}

}  // namespace

Reply ask(const Request& request) {
  Intake intake{.reply = {}, .limit = request.reply_limit};
  if (const auto fine = check(request); !fine) {
    intake.reply.failure = Failure::refused_request;
    intake.reply.detail = fine.error().text();
    return intake.reply;
  }
  const std::unique_ptr<CURL, decltype(&curl_easy_cleanup)> curl{curl_easy_init(), &curl_easy_cleanup};
  curl_slist* list = curl_slist_append(nullptr, "Expect:");
  for (const auto& header : request.headers) list = curl_slist_append(list, (header.name + ": " + header.value).c_str());
  const std::unique_ptr<curl_slist, decltype(&curl_slist_free_all)> headers{list, &curl_slist_free_all};
  char why[CURL_ERROR_SIZE] = "";
  const auto set = [&](CURLoption option, auto value) { curl_easy_setopt(curl.get(), option, value); };
  set(CURLOPT_URL, request.url.c_str());
  set(CURLOPT_PROTOCOLS_STR, "http,https");
  set(CURLOPT_PROXY, "");
  set(CURLOPT_NETRC, static_cast<long>(CURL_NETRC_IGNORED));
  set(CURLOPT_PATH_AS_IS, 1L);
  set(CURLOPT_NOSIGNAL, 1L);
  set(CURLOPT_CUSTOMREQUEST, request.method.c_str());
  set(CURLOPT_HTTPHEADER, headers.get());
  set(CURLOPT_TIMEOUT_MS, static_cast<long>(request.timeout.count()));
  set(CURLOPT_ERRORBUFFER, why);
  set(CURLOPT_WRITEFUNCTION, take_body);
  set(CURLOPT_WRITEDATA, static_cast<void*>(&intake));
  set(CURLOPT_HEADERFUNCTION, take_header);
  set(CURLOPT_HEADERDATA, static_cast<void*>(&intake));
  if (!request.body.empty()) {
    set(CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request.body.size()));
    set(CURLOPT_POSTFIELDS, request.body.c_str());
  }
  if (request.basic_auth) {
    set(CURLOPT_HTTPAUTH, static_cast<long>(CURLAUTH_BASIC));
    set(CURLOPT_USERNAME, request.basic_auth->user.c_str());
    set(CURLOPT_PASSWORD, request.basic_auth->password.c_str());
  }
  const CURLcode code = curl_easy_perform(curl.get());
  long status = 0;
  curl_easy_getinfo(curl.get(), CURLINFO_RESPONSE_CODE, &status);
  intake.reply.failure = failure_of(code);
  intake.reply.status = static_cast<int>(status);
  if (code != CURLE_OK) intake.reply.detail = why[0] != '\0' ? why : curl_easy_strerror(code);
  return std::move(intake.reply);
}

}  // namespace postroom::http

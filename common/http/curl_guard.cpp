#include "common/http/curl_guard.hpp"

#include <netinet/in.h>
#include <openssl/ssl.h>
#include <unistd.h>

namespace postroom::http {

namespace {
constexpr const char* system_certificates = "/etc/ssl/certs/ca-certificates.crt";
}

std::optional<IpAddress> address_of(const curl_sockaddr& where) {
  if (where.family == AF_INET) {
    const auto* v4 = reinterpret_cast<const sockaddr_in*>(&where.addr);
    return from_v4(reinterpret_cast<const std::uint8_t*>(&v4->sin_addr));
  }
  if (where.family == AF_INET6) {
    const auto* v6 = reinterpret_cast<const sockaddr_in6*>(&where.addr);
    return from_v6(reinterpret_cast<const std::uint8_t*>(&v6->sin6_addr));
  }
  return std::nullopt;
}

void require_certificates(CURL* easy, const std::string& ca_file) {
  curl_easy_setopt(easy, CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
  curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 1L);
  curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 2L);
  // One file and no directory: only then libcurl keeps the parsed certificates between connections.
  curl_easy_setopt(easy, CURLOPT_CAPATH, nullptr);
  curl_easy_setopt(easy, CURLOPT_CAINFO, system_certificates);
  if (ca_file.empty()) return;
  if (access(system_certificates, R_OK) != 0) curl_easy_setopt(easy, CURLOPT_CAINFO, ca_file.c_str());
  curl_easy_setopt(easy, CURLOPT_SSL_CTX_DATA, const_cast<char*>(ca_file.c_str()));
  curl_easy_setopt(easy, CURLOPT_SSL_CTX_FUNCTION, +[](CURL*, void* context, void* file) {
    const int added = SSL_CTX_load_verify_locations(static_cast<SSL_CTX*>(context), static_cast<const char*>(file), nullptr);
    return added == 1 ? CURLE_OK : CURLE_SSL_CACERT_BADFILE;
  });
}

}  // namespace postroom::http

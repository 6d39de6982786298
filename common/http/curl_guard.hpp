#pragma once
// Private to curl's homes (common/http and those that build on it): the guards that every connection has, whatever it speaks.

#include <curl/curl.h>

#include <optional>
#include <string>

#include "common/http/address.hpp"

namespace postroom::http {

// Of a socket that curl is about to open; empty for what is not IP.
std::optional<IpAddress> address_of(const curl_sockaddr& where);

// TLS 1.2 or later, the peer's certificate and name checked against the system's authorities and those of `ca_file` (PEM; empty = none), which
// must outlive the handle.
void require_certificates(CURL* easy, const std::string& ca_file);

}  // namespace postroom::http

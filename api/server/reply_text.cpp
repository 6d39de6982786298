#include "api/server/reply_text.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>

#include "api/server/file_body.hpp"
#include "common/base/log.hpp"
#include "common/base/sabotage.hpp"
#include "common/metrics/metrics.hpp"

namespace postroom::api {

namespace {

std::string_view reason_of(int status) {
  switch (status) {
    case 200: return "OK";
    case 201: return "Created";
    case 202: return "Accepted";
    case 204: return "No Content";
    case 400: return "Bad Request";
    case 401: return "Unauthorized";
    case 403: return "Forbidden";
    case 404: return "Not Found";
    case 405: return "Method Not Allowed";
    case 408: return "Request Timeout";
    case 409: return "Conflict";
    case 412: return "Precondition Failed";
    case 413: return "Content Too Large";
    case 414: return "URI Too Long";
    case 415: return "Unsupported Media Type";
    case 417: return "Expectation Failed";
    case 422: return "Unprocessable Content";
    case 429: return "Too Many Requests";
    case 431: return "Request Header Fields Too Large";
    case 500: return "Internal Server Error";
    case 503: return "Service Unavailable";
    case 505: return "HTTP Version Not Supported";
    default: return "Other";
  }
}

std::string_view type_of(BodyType type) {
  switch (type) {
    case BodyType::problem: return "application/problem+json";
    case BodyType::open_metrics: return "application/openmetrics-text; version=1.0.0; charset=utf-8";
    case BodyType::json: break;
  }
  return "application/json";
}

// Nothing here is a page: no sniffing, no framing, no caching of what a token opened.
constexpr std::string_view security_headers =
    "Cache-Control: no-store\r\n"
    "Content-Security-Policy: default-src 'none'; frame-ancestors 'none'\r\n"
    "Referrer-Policy: no-referrer\r\n"
    "X-Content-Type-Options: nosniff\r\n";

// What a stranger sent: to be saved. Should a browser show it all the same, then in a sandbox, to nobody else's page.
constexpr std::string_view download_headers =
    "Cache-Control: no-store\r\n"
    "Content-Security-Policy: default-src 'none'; frame-ancestors 'none'; sandbox\r\n"
    "Cross-Origin-Resource-Policy: same-origin\r\n"
    "Referrer-Policy: no-referrer\r\n"
    "X-Content-Type-Options: nosniff\r\n";

bool is_value_byte(char c) { return static_cast<unsigned char>(c) >= 0x20 && c != 0x7f; }
bool is_name_byte(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-'; }

}  // namespace

bool set_header(std::string& out, std::string_view name, std::string_view value) {
  if (name.empty() || !std::ranges::all_of(name, is_name_byte) || (!std::ranges::all_of(value, is_value_byte) && !saboteur("reply_header_unchecked"))) return false;
  out.append(name).append(": ").append(value).append("\r\n");
  return true;
}

void write_reply(std::string& out, const Reply& reply, const ReplyForm& form) {
  out.clear();
  out.reserve(reply.body.size() + 512);
  fmt::format_to(std::back_inserter(out), "HTTP/1.1 {} {}\r\nDate: {}\r\n", reply.status, reason_of(reply.status), form.date);
  if (reply.status != 204) {
    const auto size = reply.file ? static_cast<std::size_t>(reply.file->size()) : reply.body.size();
    fmt::format_to(std::back_inserter(out), "Content-Type: {}\r\nContent-Length: {}\r\n", reply.file ? std::string_view{reply.media_type} : type_of(reply.type), size);
  }
  for (const auto& [name, value] : reply.headers) {
    if (set_header(out, name, value)) continue;
    static auto& refused = metrics::counter("reply_headers_refused");
    refused.add();
    log::error("a reply header was refused for its control bytes", {{"header", std::string{name}}});
  }
  if (!form.keep_alive) {
    out += "Connection: close\r\n";
  } else if (form.is_http_1_0) {
    out += "Connection: keep-alive\r\n";
  }
  out.append(reply.file ? download_headers : security_headers).append("\r\n");
  if (!form.is_head && reply.status != 204 && !reply.file) out += reply.body;
}

std::string http_date(WallTime now) {
  return fmt::format("{:%a, %d %b %Y %H:%M:%S} GMT", fmt::gmtime(std::chrono::system_clock::to_time_t(std::chrono::system_clock::time_point{now})));
}

std::string_view http_date_now(WallTime now) {
  thread_local std::int64_t second = -1;
  thread_local std::string text;
  const std::int64_t this_second = to_micros(now) / 1'000'000;
  if (this_second != second) {
    second = this_second;
    text = http_date(now);
  }
  return text;
}

}  // namespace postroom::api

#pragma once
// Problem details (RFC 9457): every answer that is not a success.

#include <string>
#include <string_view>
#include <vector>

#include "api/http.hpp"

namespace postroom::api {

// One thing that is wrong, and where: exactly one of the places is set.
struct Flaw {
  std::string pointer;    // RFC 6901, into the body; "" is the body itself
  std::string parameter;  // of the query
  std::string header;
  std::string detail;
};

struct Problem {
  int status = 400;
  std::string_view slug;   // type = urn:postroom:problem:<slug>
  std::string_view title;  // the same for all of that slug
  std::string detail;      // what was wrong here, and what to do
  std::string_view instance = {};
  std::string_view command_id = {};
  std::string_view idempotency_key = {};  // to repeat with
  std::vector<Flaw> errors = {};
};

Reply to_reply(const Problem& problem);

inline Flaw in_body(std::string pointer, std::string detail) { return Flaw{.pointer = std::move(pointer), .detail = std::move(detail)}; }
inline Flaw in_query(std::string parameter, std::string detail) { return Flaw{.parameter = std::move(parameter), .detail = std::move(detail)}; }
inline Flaw in_header(std::string header, std::string detail) { return Flaw{.header = std::move(header), .detail = std::move(detail)}; }

// The problems that more than one place answers.
Reply bad_request(std::string_view slug, std::string detail, std::string_view instance, std::vector<Flaw> errors = {});
Reply unauthorized(std::string_view instance, std::string detail);
Reply forbidden(std::string_view instance, std::string_view permission);
Reply not_found(std::string_view instance, std::string detail);
Reply not_applied_yet(std::string_view instance);  // 404 with Retry-After: the intake may lag behind the promise
Reply too_large(std::string_view instance, std::uint64_t limit);  // 413; limit in bytes
Reply unavailable(std::string_view slug, std::string detail, std::string_view instance);  // 503 with Retry-After

}  // namespace postroom::api

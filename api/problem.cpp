#include "api/problem.hpp"

#include <fmt/format.h>

#include "common/base/text.hpp"

namespace postroom::api {

namespace {

void member(std::string& out, std::string_view name, std::string_view value) {
  fmt::format_to(std::back_inserter(out), "{}\"{}\":\"{}\"", out.back() == '{' ? "" : ",", name, json_escaped(value));
}

void write(std::string& out, const Flaw& flaw) {
  out.push_back('{');
  if (!flaw.parameter.empty()) {
    member(out, "parameter", flaw.parameter);
  } else if (!flaw.header.empty()) {
    member(out, "header", flaw.header);
  } else {
    member(out, "pointer", flaw.pointer);
  }
  member(out, "detail", flaw.detail);
  out.push_back('}');
}

}  // namespace

Reply to_reply(const Problem& problem) {
  std::string body = fmt::format(R"({{"type":"urn:postroom:problem:{}","title":"{}","status":{},"detail":"{}")", problem.slug,
                                 json_escaped(problem.title), problem.status, json_escaped(problem.detail));
  if (!problem.instance.empty()) member(body, "instance", problem.instance);
  if (!problem.command_id.empty()) member(body, "command_id", problem.command_id);
  if (!problem.idempotency_key.empty()) member(body, "idempotency_key", problem.idempotency_key);
  if (!problem.errors.empty()) {
    body += ",\"errors\":[";
    for (const auto& flaw : problem.errors) {
      if (body.back() != '[') body.push_back(',');
      write(body, flaw);
    }
    body.push_back(']');
  }
  body.push_back('}');
  return Reply{.status = problem.status, .body = std::move(body), .type = BodyType::problem};
}

Reply bad_request(std::string_view slug, std::string detail, std::string_view instance, std::vector<Flaw> errors) {
  return to_reply(Problem{.status = 400,
                          .slug = slug,
                          .title = "The request is not right",
                          .detail = std::move(detail),
                          .instance = instance,
                          .errors = std::move(errors)});
}

Reply unauthorized(std::string_view instance, std::string detail) {
  return to_reply(Problem{.status = 401,
                          .slug = "unauthorized",
                          .title = "Credentials are missing or wrong",
                          .detail = std::move(detail),
                          .instance = instance})
      .with("WWW-Authenticate", "Bearer realm=\"postroom\"");
}

Reply forbidden(std::string_view instance, std::string_view permission) {
  return to_reply(Problem{.status = 403,
                          .slug = "forbidden",
                          .title = "A permission is missing",
                          .detail = fmt::format("this needs the permission {}", permission),
                          .instance = instance});
}

Reply not_found(std::string_view instance, std::string detail) {
  return to_reply(Problem{
      .status = 404, .slug = "not-found", .title = "There is no such thing", .detail = std::move(detail), .instance = instance});
}

Reply not_applied_yet(std::string_view instance) {
  return to_reply(Problem{.status = 404,
                          .slug = "not-yet-applied",
                          .title = "Not there, or not there yet",
                          .detail = "nothing with this id is recorded; if it was promised a moment ago, it will be here soon: ask again",
                          .instance = instance})
      .with("Retry-After", "1");
}

Reply too_large(std::string_view instance, std::uint64_t limit) {
  return to_reply(Problem{.status = 413,
                          .slug = "body-too-large",
                          .title = "The body is too large",
                          .detail = fmt::format("at most {} bytes are taken", limit),
                          .instance = instance});
}

Reply unavailable(std::string_view slug, std::string detail, std::string_view instance) {
  return to_reply(Problem{
             .status = 503, .slug = slug, .title = "Not possible right now", .detail = std::move(detail), .instance = instance})
      .with("Retry-After", "1");
}

}  // namespace postroom::api

#include "api/front_door.hpp"

#include <fmt/format.h>

#include "api/command_ids.hpp"
#include "api/header_values.hpp"
#include "api/problem.hpp"
#include "common/base/text.hpp"

namespace postroom::api {

namespace {

Reply method_not_allowed(std::string_view instance, std::string allowed) {
  return to_reply(Problem{.status = 405,
                          .slug = "method-not-allowed",
                          .title = "The path does not know this method",
                          .detail = fmt::format("this path takes {}", allowed),
                          .instance = instance})
      .with("Allow", std::move(allowed));
}

Reply unsupported_type(std::string_view instance, std::string detail) {
  return to_reply(Problem{.status = 415,
                          .slug = "unsupported-media-type",
                          .title = "The body has the wrong type",
                          .detail = std::move(detail),
                          .instance = instance});
}

bool names(std::string_view list, std::string_view name) {
  for (const auto one : split(list, ',')) {
    if (one == name) return true;
  }
  return false;
}

}  // namespace

std::optional<Reply> FrontDoor::admit(Visit& visit) const {
  const Head& head = visit.head;
  auto match = find_route(head.method, head.path);
  if (match.route == nullptr) {
    if (!match.allowed.empty()) return method_not_allowed(head.path, std::move(match.allowed));
    return not_found(head.path, "there is nothing at this path; /openapi.json lists what there is");
  }
  visit.route = match.route;
  visit.id = std::move(match.id);
  visit.request.path = head.path;
  visit.request.id = visit.id;
  visit.request.received_at = clock_.wall();
  if (auto refusal = identify(visit)) return refusal;
  if (head.content_length.value_or(0) > settings_.body_limit) return too_large(head.path, settings_.body_limit);
  if (auto refusal = read_headers(visit)) return refusal;
  return read_query(visit);
}

std::optional<Reply> FrontDoor::identify(Visit& visit) const {
  const Head& head = visit.head;
  const Route& route = *visit.route;
  if (head.authorization.empty()) {
    if (route.access == Access::token) return unauthorized(head.path, "send Authorization: Bearer <token>");
    return std::nullopt;
  }
  if (route.access == Access::open) return std::nullopt;
  const auto token = bearer_token(head.authorization);
  visit.request.principal = token ? identities_.find(*token) : nullptr;
  // A wrong token is refused even where none is needed: its sender believes to be somebody.
  if (visit.request.principal == nullptr) return unauthorized(head.path, "the token is not known");
  if (!visit.request.principal->may(route.permission)) return forbidden(head.path, route.permission);
  return std::nullopt;
}

std::optional<Reply> FrontDoor::read_headers(Visit& visit) const {
  const Head& head = visit.head;
  const bool announces_body = head.chunked || head.content_length.value_or(0) > 0;
  if (announces_body && visit.route->body == BodyUse::none) {
    return bad_request("body-not-expected", "this route takes no body", head.path);
  }
  if (announces_body || visit.route->body == BodyUse::required) {
    if (!is_json_type(head.content_type)) return unsupported_type(head.path, "send Content-Type: application/json");
    if (!head.content_encoding.empty()) return unsupported_type(head.path, "send the body without Content-Encoding");
  }
  if (visit.route->verb == Verb::get) return std::nullopt;
  if (head.has_idempotency_key) {
    if (const auto fine = check_idempotency_key(head.idempotency_key); !fine) {
      return bad_request("invalid-header", "a header is wrong", head.path, {in_header("Idempotency-Key", fine.error().what())});
    }
  }
  auto version = version_expected(head.if_match);
  if (!version) return bad_request("invalid-header", "a header is wrong", head.path, {in_header("If-Match", version.error().what())});
  visit.request.expected_version = *version;
  visit.request.idempotency_key = head.idempotency_key;
  visit.request.wait = wait_preferred(head.prefer);
  visit.request.traceparent = valid_traceparent(head.traceparent);
  return std::nullopt;
}

std::optional<Reply> FrontDoor::read_query(Visit& visit) const {
  if (visit.head.query.empty()) return std::nullopt;
  auto query = Query::parse(visit.head.query);
  if (!query) return bad_request("invalid-parameters", "the query is wrong", visit.head.path, {in_query(query.error().where(), query.error().what())});
  std::vector<Flaw> flaws;
  for (const auto& [name, value] : query->all()) {
    if (!names(visit.route->parameters, name)) flaws.push_back(in_query(name, "is not a parameter of this route"));
  }
  if (!flaws.empty()) return bad_request("invalid-parameters", "the query is wrong", visit.head.path, std::move(flaws));
  visit.request.query = std::move(*query);
  return std::nullopt;
}

std::optional<Reply> FrontDoor::take_body(Visit& visit) const {
  Request& request = visit.request;
  const Route& route = *visit.route;
  if (!visit.body.empty() || route.body == BodyUse::required) {
    auto parsed = JsonDocument::parse(visit.body);
    if (!parsed) {
      const std::string& where = parsed.error().where();
      const bool is_pointer = where.starts_with('/');
      auto detail = is_pointer || where.empty() ? parsed.error().what() : fmt::format("{} at {}", parsed.error().what(), where);
      return bad_request("invalid-json", detail, request.path, {in_body(is_pointer ? where : std::string{}, detail)});
    }
    visit.document = std::move(*parsed);
    request.body = visit.document.root();
    auto flaws = bodies_.judge(route.schema, request.body);
    if (!flaws.empty()) return bad_request("invalid-body", "the body does not fit its schema in /openapi.json", request.path, std::move(flaws));
  }
  if (route.verb != Verb::get) {
    request.command_id = command_id(CommandOrigin{.installation = settings_.installation,
                                                  .principal = request.principal == nullptr ? std::string_view{} : request.principal->name,
                                                  .board = request.id,
                                                  .route = name_of(route),
                                                  .idempotency_key = request.idempotency_key},
                                    ids_);
  }
  return std::nullopt;
}

}  // namespace postroom::api

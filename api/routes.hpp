#pragma once
// The contents page of the API: every verb and path, who may use it, what its body must look like, and who answers.
// Paths are written without the prefix /v1; both forms are served.

#include <span>
#include <string>
#include <string_view>

#include "api/context.hpp"
#include "api/http.hpp"

namespace postroom::api {

enum class Access {
  token,         // a bearer token whose principal holds the permission
  public_board,  // the same, or nobody at all when the board is public: the handler decides
  open,          // everybody
};

enum class BodyUse { none, optional, required };

enum class Needs {
  nothing,   // runs on the loop
  board,     // runs on the loop while the board is in the cache
  state,     // reads: runs on a reader's thread; 503 while there is no state to read
  readiness  // reads if it can
};

using Handler = Plan (*)(const Request&, const Context&);

struct Route {
  Verb verb;
  std::string_view path;        // "/boards/{id}/tickets"
  std::string_view permission;  // one; empty when open
  Handler handler;
  Needs needs = Needs::nothing;
  std::string_view schema = {};  // of the body: a component of schemas/openapi.json
  BodyUse body = BodyUse::none;
  std::string_view parameters = {};  // names of the query, comma separated
  Access access = Access::token;
};

std::span<const Route> routes();

// "POST /boards/{id}/tickets": part of the ids that repeats find again, so it must never change for a route.
std::string name_of(const Route& route);

struct Match {
  const Route* route = nullptr;
  std::string id;       // lower case; of {id}
  std::string allowed;  // without a route: the verbs that this path knows, for Allow; empty: no such path
};

// `method` as it was sent (HEAD is GET); `path` with or without /v1. An {id} that is not a UUID matches nothing.
Match find_route(std::string_view method, std::string_view path);

}  // namespace postroom::api

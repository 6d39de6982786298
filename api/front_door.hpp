#pragma once
// From a head and a body to an admitted request, or to the answer that refuses it. No sockets: two pure steps, the first before the body is
// read, so that who may not ask is told so without sending a megabyte.

#include <optional>
#include <string>
#include <string_view>

#include "api/identity.hpp"
#include "api/routes.hpp"
#include "api/server/body_check.hpp"
#include "api/server/strict_head.hpp"
#include "api/settings.hpp"
#include "common/base/ids.hpp"

namespace postroom::api {

// One request from its head to its answer. The owner keeps the head's bytes alive and clears the visit before the next.
struct Visit {
  Head head;
  const Route* route = nullptr;
  std::string id;  // of the path
  std::string body;
  JsonDocument document;
  Request request;  // complete after take_body
};

class FrontDoor {
 public:
  FrontDoor(const Settings& settings, const Identities& identities, const BodyCheck& bodies, const Clock& clock, IdSource& ids)
      : settings_(settings), identities_(identities), bodies_(bodies), clock_(clock), ids_(ids) {}

  // Path, verb, token, permission, headers, announced length. An answer: refused.
  std::optional<Reply> admit(Visit& visit) const;

  // The body, when it is all there (visit.body).
  std::optional<Reply> take_body(Visit& visit) const;

 private:
  std::optional<Reply> identify(Visit& visit) const;
  std::optional<Reply> read_headers(Visit& visit) const;
  std::optional<Reply> read_query(Visit& visit) const;

  const Settings& settings_;
  const Identities& identities_;
  const BodyCheck& bodies_;
  const Clock& clock_;
  IdSource& ids_;
};

}  // namespace postroom::api

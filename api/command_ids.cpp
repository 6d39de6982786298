#include "api/command_ids.hpp"

#include "common/crypto/crypto.hpp"

namespace postroom::api {

std::string command_id(const CommandOrigin& origin, IdSource& ids) {
  if (origin.idempotency_key.empty()) return ids.next();
  // A principal's name never begins with "public:" (names are checked where tokens are made), so the two scopes do not meet.
  const std::string scope = origin.principal.empty() ? std::string{"public:"}.append(origin.board) : std::string{origin.principal};
  return crypto::uuid_v5(origin.installation, {scope, origin.route, origin.idempotency_key});
}

std::string made_by(std::string_view command_id, std::string_view thing) { return crypto::uuid_v5(command_id, {thing}); }

}  // namespace postroom::api

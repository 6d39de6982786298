#include "api/identity.hpp"

#include <stdexcept>

#include "common/crypto/crypto.hpp"

namespace postroom::api {

void Identities::add(std::string_view token, Principal principal) {
  if (token.size() < 16) throw std::invalid_argument{"a bearer token is shorter than 16 characters; mint a new one with `postroom init`"};
  if (principal.name.starts_with("public:")) throw std::invalid_argument{"a principal's name begins with public:"};
  holders_.push_back(Holder{crypto::sha256(token), std::move(principal)});
}

const Principal* Identities::find(std::string_view token) const {
  const std::string digest = crypto::sha256(token);
  const Principal* found = nullptr;
  for (const auto& holder : holders_) {
    if (crypto::equal_in_constant_time(holder.digest, digest)) found = &holder.principal;
  }
  return found;
}

}  // namespace postroom::api

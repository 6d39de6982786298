#pragma once
// Who holds which token. Tokens are kept as SHA-256 digests and compared in constant time.

#include <string>
#include <string_view>
#include <vector>

#include "api/http.hpp"

namespace postroom::api {

class Identities {
 public:
  // `name` must not begin with "public:" (the scope of anonymous commands); such a holder is refused with a bug error at start.
  void add(std::string_view token, Principal principal);

  // The holder of the token; nullptr for a token that nobody holds. All tokens are compared, whichever matches.
  const Principal* find(std::string_view token) const;

 private:
  struct Holder {
    std::string digest;
    Principal principal;
  };
  std::vector<Holder> holders_;
};

}  // namespace postroom::api

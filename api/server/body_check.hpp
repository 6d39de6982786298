#pragma once
// Bodies are judged by the components of schemas/openapi.json: the documented contract is the check. Shapes by valijson over a white list
// of keywords, formats by our own functions (api/formats.hpp).

#include <memory>
#include <string_view>
#include <vector>

#include "api/json_view.hpp"
#include "api/problem.hpp"

namespace postroom::api {

class BodyCheck {
 public:
  // Prepares every component that a route names. Throws std::runtime_error when the document misses one, or when one uses a keyword that
  // would not be enforced: better no server than a contract that is not kept.
  explicit BodyCheck(std::string_view openapi_document);
  ~BodyCheck();

  // What is wrong with the body, at most 20 flaws; empty: nothing. Microseconds; thread-safe for readers.
  std::vector<Flaw> judge(std::string_view component, Json body) const;

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

}  // namespace postroom::api

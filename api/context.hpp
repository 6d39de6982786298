#pragma once
// What a handler may use besides its request. All of it is read-only and bounded in time.

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "api/settings.hpp"
#include "common/base/result.hpp"
#include "common/messages/target.hpp"

namespace postroom::store {
class Reading;
}

namespace postroom::api {

// What the front door must know of a board before it promises anything.
struct BoardFacts {
  bool is_public = false;
  bool is_archived = false;
};

class Boards {
 public:
  virtual ~Boards() = default;
  // None: no such board. What is known may be a second old.
  virtual Result<std::optional<BoardFacts>> find(std::string_view id) const = 0;
};

// Seals a connection's secret so that only that kind's workers can open it, and only in that connection's row. The same secret in the
// same place is sealed alike, so that a repeated command has the same body.
using Seal = std::function<std::string(messages::ConnectionKind kind, std::string_view connection_id, std::string_view secret)>;

// Whether the blob store has bytes with this SHA-256, and so many. Asks the disk: not on the loop.
using HasBlob = std::function<bool(std::string_view sha256, std::int64_t size)>;

struct Context {
  const Settings& settings;
  const Boards& boards;
  const Seal& seal;
  store::Reading* reading = nullptr;             // of routes that read; null: there is no state to read yet (only /readyz sees that)
  std::vector<std::string> link_trouble = {};    // why the broker's links are not ready; empty: they are
  HasBlob has_blob = {};                         // of routes that read
};

}  // namespace postroom::api

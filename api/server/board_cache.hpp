#pragma once
// What is known of boards, for at most a second: a flood of tickets to one board is one read a second. Thread-safe.

#include <mutex>
#include <string>
#include <unordered_map>

#include "api/context.hpp"
#include "common/base/clock.hpp"

namespace postroom::api {

class BoardCache {
 public:
  explicit BoardCache(const Clock& clock) : clock_(clock) {}

  // None: not known, or known too long.
  std::optional<BoardFacts> find(std::string_view id) const;
  void keep(std::string_view id, BoardFacts facts);

 private:
  struct Known {
    BoardFacts facts;
    SteadyTime until;
  };
  const Clock& clock_;
  mutable std::mutex mutex_;
  std::unordered_map<std::string, Known> known_;
};

// The cache in front of a reader. Without a reader: `known`, what the cache told of the route's board when it was decided to do without; the
// cache is not asked again, since the entry may have run out in between. Without both: unavailable.
class CachedBoards final : public Boards {
 public:
  CachedBoards(BoardCache& cache, store::Reading* reading, std::optional<BoardFacts> known = {})
      : cache_(cache), reading_(reading), known_(known) {}
  Result<std::optional<BoardFacts>> find(std::string_view id) const override;

 private:
  BoardCache& cache_;
  store::Reading* reading_;
  std::optional<BoardFacts> known_;
};

}  // namespace postroom::api

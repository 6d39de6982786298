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

// The cache in front of a reader; without a reader, the cache alone (then what it does not know cannot be told: unavailable).
class CachedBoards final : public Boards {
 public:
  CachedBoards(BoardCache& cache, store::Reading* reading) : cache_(cache), reading_(reading) {}
  Result<std::optional<BoardFacts>> find(std::string_view id) const override;

 private:
  BoardCache& cache_;
  store::Reading* reading_;
};

}  // namespace postroom::api

#include "api/server/board_cache.hpp"

#include "common/store/reading.hpp"

namespace postroom::api {

namespace {
constexpr std::chrono::seconds kept_for{1};
constexpr std::size_t most_boards = 10'000;
}  // namespace

std::optional<BoardFacts> BoardCache::find(std::string_view id) const {
  const std::lock_guard guard{mutex_};
  const auto found = known_.find(std::string{id});
  if (found == known_.end() || found->second.until <= clock_.steady()) return std::nullopt;
  return found->second.facts;
}

void BoardCache::keep(std::string_view id, BoardFacts facts) {
  const std::lock_guard guard{mutex_};
  if (known_.size() >= most_boards) known_.clear();
  known_.insert_or_assign(std::string{id}, Known{facts, clock_.steady() + kept_for});
}

Result<std::optional<BoardFacts>> CachedBoards::find(std::string_view id) const {
  if (const auto known = cache_.find(id)) return std::optional{*known};
  if (reading_ == nullptr) return Error{Code::unavailable, "there is no state to read yet"};
  const auto board = reading_->board(id);
  if (!board) return board.error();
  if (!*board) return std::optional<BoardFacts>{};  // not kept: a new board shall be seen at once
  const BoardFacts facts{.is_public = (*board)->is_public, .is_archived = (*board)->state == messages::BoardState::archived};
  cache_.keep(id, facts);
  return std::optional{facts};
}

}  // namespace postroom::api

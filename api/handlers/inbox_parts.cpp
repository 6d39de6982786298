#include "api/handlers/inbox_parts.hpp"

#include "common/base/text.hpp"

namespace postroom::api {

std::optional<std::string> reference_of(Json id) {
  if (!id) return std::nullopt;
  return to_lower_ascii(id.string());
}

void judge_after(std::string_view folder, messages::AfterImport after, const std::optional<std::string>& after_folder, std::vector<Flaw>& flaws) {
  const bool is_moved = after == messages::AfterImport::move;
  const bool is_named = after_folder && !after_folder->empty();
  if (is_moved && !is_named) flaws.push_back(in_body("/after_folder", "is missing: with after \"move\" it names the folder to move mails to"));
  if (!is_moved && is_named) flaws.push_back(in_body("/after_folder", "must be left out unless after is \"move\""));
  if (is_moved && is_named && *after_folder == folder) flaws.push_back(in_body("/after_folder", "must be another folder than the inbox's own"));
}

}  // namespace postroom::api

#include "api/handlers/target_of.hpp"

#include "common/base/text.hpp"

namespace postroom::api {

messages::Target target_of(Json json, std::vector<Flaw>& flaws) {
  auto decoded = codec::decode<messages::Target>(json.dump());
  if (!decoded) {
    flaws.push_back(in_body("/target" + decoded.error().where(), decoded.error().what()));
    return {};
  }
  messages::Target target = std::move(*decoded);
  if (target.connection_id) target.connection_id = to_lower_ascii(*target.connection_id);
  const auto judge = [&](std::string_view member, bool is_given, bool is_wanted) {
    if (is_given == is_wanted) return;
    flaws.push_back(in_body(fmt::format("/target/{}", member),
                            fmt::format("{} for a target of kind {}", is_wanted ? "is missing" : "must be left out", messages::name_of(target.kind))));
  };
  judge("connection_id", target.connection_id.has_value(), target.kind != messages::TargetKind::desk);
  judge("jira", target.jira.has_value(), target.kind == messages::TargetKind::jira);
  judge("trello", target.trello.has_value(), target.kind == messages::TargetKind::trello);
  return target;
}

std::vector<std::string> keywords_of(Json keywords) {
  std::vector<std::string> all;
  for (std::size_t index = 0; index < keywords.size(); ++index) all.emplace_back(keywords.at(index).string());
  return all;
}

}  // namespace postroom::api

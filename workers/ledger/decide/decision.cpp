#include "workers/ledger/decide/decision.hpp"

#include "common/base/text.hpp"

namespace postroom::ledger {

std::string detail(std::initializer_list<std::pair<std::string_view, std::string>> members) {
  std::string out = "{";
  for (const auto& [name, value] : members) {
    if (value.empty()) continue;
    if (out.size() > 1) out += ",";
    out.append("\"").append(name).append("\":\"").append(json_escaped(value)).append("\"");
  }
  return out + "}";
}

void note(Decision& decision, Context& context, About about, std::string_view actor, std::string_view action, std::string detail_json) {
  store::HistoryRow row;
  row.id = context.ids.next();
  row.correlation_id = std::move(about.correlation_id);
  row.ticket_id = std::move(about.ticket_id);
  row.delivery_id = std::move(about.delivery_id);
  row.standby_id = std::move(about.standby_id);
  row.at = context.now;
  row.seq = context.seq++;
  row.actor = actor;
  row.action = action;
  row.detail = std::move(detail_json);
  decision.insert(std::move(row));
}

}  // namespace postroom::ledger

#include <fmt/format.h>

#include "api/cli/commands.hpp"
#include "api/cli/find.hpp"
#include "api/cli/json_members.hpp"
#include "api/cli/table.hpp"

namespace postroom::cli {

namespace {

constexpr std::string_view inboxes = "/v1/inboxes";

std::string text(api::Json value) { return std::string{value.string()}; }
// Null before anybody looked.
std::string count(api::Json value) { return value.integer() ? std::to_string(*value.integer()) : "unknown"; }
std::string time_of(api::Json value) { return value.string().empty() ? "-" : std::string{value.string().substr(0, 19)}; }

// "ok, watching": how it goes, and what the poller does right now.
std::string state_of(api::Json inbox) {
  std::string state = inbox["is_paused"].flag().value_or(false) ? "paused" : text(inbox["state"]);
  const auto lease = inbox["lease"];
  const auto stage = lease["stage"].string();
  if (lease["state"].string() == "held") state += fmt::format(", {}", stage.empty() ? "held" : stage);
  if (lease["state"].string() == "dispatched") state += ", waits for a poller";
  return state;
}

// Those that are named, by id or name; none named: all. Complains and gives none when one is not there.
std::optional<std::vector<std::string>> ids_of(const Client& client, const std::vector<std::string>& names) {
  const auto all = all_named(client, inboxes);
  std::vector<std::string> ids;
  std::optional<Error> wrong = all ? std::nullopt : std::optional{all.error()};
  for (std::size_t n = 0; !wrong && n < (names.empty() ? all->size() : names.size()); ++n) {
    auto id = names.empty() ? Result<std::string>{(*all)[n].id} : choose(*all, "inbox", names[n]);
    if (id) ids.push_back(std::move(*id));
    else wrong = id.error();
  }
  if (!wrong) return ids;
  complain(wrong->text());
  return std::nullopt;
}

void add_report(Table& table, api::Json report) {
  const auto server = report["server"], arrivals = report["arrivals"];
  std::vector<std::string> row{text(report["name"]), count(server["exists"]), count(server["older"]), count(server["removed"]), count(server["gone"])};
  for (const char* part : {"total", "ticket", "reply", "duplicate", "bounce", "own", "standby", "deleted", "pending"}) row.push_back(count(arrivals[part]));
  row.push_back(count(report["missing"]));
  row.push_back(time_of(report["caught_up_at"]));
  table.add(std::move(row));
}

}  // namespace

int run_inbox_list(const Frame& frame) {
  const auto client = Client::open(frame);
  if (!client) return complain(client.error().text());
  const auto answer = client->ask("GET", fmt::format("{}?limit=200", inboxes));
  return tell(frame, answer, [&] {
    Table table{{"ID", "NAME", "ADDRESS", "FOLDER", "STATE", "CAUGHT UP", "NEXT LOOK", "REASON"}};
    for (std::size_t n = 0; n < answer.data().size(); ++n) {
      const auto inbox = answer.data().at(n);
      table.add({text(inbox["id"]), text(inbox["name"]), text(inbox["address"]), text(inbox["folder"]), state_of(inbox), time_of(inbox["last_caught_up_at"]),
                 time_of(inbox["next_poll_at"]), text(inbox["reason"])});
    }
    if (table.is_empty()) {
      fmt::print("there are no inboxes; postroom inbox create makes one\n");
      return;
    }
    table.print();
    if (!answer.document.root()["page"]["next"].is_null()) fmt::print("… and more: --json and /v1/inboxes?cursor=\n");
  });
}

int run_inbox_report(const Frame& frame, const std::vector<std::string>& names) {
  const auto client = Client::open(frame);
  if (!client) return complain(client.error().text());
  const auto ids = ids_of(*client, names);
  if (!ids) return failed;
  Table table{{"INBOX", "SERVER", "OLDER", "REMOVED", "GONE", "ARRIVED", "TICKET", "REPLY", "DUPLICATE", "BOUNCE", "OWN", "STANDBY", "DELETED", "PENDING", "MISSING", "CAUGHT UP"}};
  for (const auto& id : *ids) {
    const auto answer = client->ask("GET", fmt::format("{}/{}/report", inboxes, percent_encoded(id)));
    const int told = tell(frame, answer, [&] { add_report(table, answer.data()); });
    if (told != succeeded) return told;
  }
  if (!frame.as_json && table.is_empty()) fmt::print("there are no inboxes\n");
  if (!frame.as_json && !table.is_empty()) table.print();
  return succeeded;
}

int run_inbox_poll(const Frame& frame, const std::vector<std::string>& names) {
  const auto client = Client::open(frame);
  if (!client) return complain(client.error().text());
  const auto ids = ids_of(*client, names);
  if (!ids) return failed;
  int status = succeeded;
  for (std::size_t n = 0; n < ids->size(); ++n) {
    const auto answer = client->ask("POST", fmt::format("{}/{}/poll", inboxes, percent_encoded((*ids)[n])));
    const int told = answer.ok() ? tell(frame, answer, [&] { fmt::print("{} is looked at as soon as a poller is free\n", names[n]); })
                                 : complain(fmt::format("{}: {}", names[n], answer.trouble));
    if (told != succeeded) status = told;
  }
  return status;
}

int run_inbox_create(const Frame& frame, InboxDraft draft) {
  const auto client = Client::open(frame);
  if (!client) return complain(client.error().text());
  if (auto found = find_ids(*client, {a_connection(draft.connection), a_board(draft.board), a_connection(draft.smtp)}); !found) return complain(found.error().text());
  JsonMembers body;
  body.text("name", draft.name).text("connection_id", draft.connection).text("address", draft.address).text("folder", draft.folder);
  body.text("board_id", draft.board).text("smtp_connection_id", draft.smtp);
  body.number("interval_seconds", draft.interval_seconds).text("after", draft.after).text("after_folder", draft.after_folder);
  body.number("duplicate_minutes", draft.duplicate_minutes).text("since", draft.since);
  if (draft.is_without_push) body.flag("is_push", false);
  const auto answer = client->ask("POST", std::string{inboxes}, body.object());
  return tell(frame, answer, [&] {
    const auto id = answer.data()["id"] ? answer.data()["id"] : answer.data()["command_id"];
    fmt::print("{}{}\n", answer.status == 202 ? "asked for, as command " : "", id.string());
  });
}

}  // namespace postroom::cli

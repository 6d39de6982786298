#include <fmt/format.h>

#include <chrono>
#include <map>
#include <thread>

#include "api/cli/commands.hpp"
#include "api/cli/find.hpp"
#include "api/cli/table.hpp"
#include "common/base/text.hpp"

namespace postroom::cli {

namespace {

using Members = std::vector<std::pair<std::string_view, std::string>>;

std::string object_of(const Members& members) {
  std::string body = "{";
  for (const auto& [name, value] : members) {
    if (!value.empty()) body += fmt::format("{}\"{}\":\"{}\"", body.size() == 1 ? "" : ",", name, json_escaped(value));
  }
  return body + "}";
}

std::string path_of(std::string_view id) { return "/v1/standby/" + percent_encoded(id); }

// Asks once for each id and says what became of each; 1 when one was refused.
template <class Ask>
int for_each_id(const Frame& frame, const std::vector<std::string>& ids, std::string_view done, Ask&& ask) {
  int status = succeeded;
  for (const auto& id : ids) {
    const Answer answer = ask(id);
    const int told = answer.ok() ? tell(frame, answer, [&] { fmt::print("{} {}{}\n", id, answer.status == 202 ? "asked to be " : "", done); })
                                 : complain(fmt::format("{}: {}", id, answer.trouble));
    if (told != succeeded) status = told;
  }
  return status;
}

// Follows a bulk command to its end: its progress is the command's status.
int follow(const Frame& frame, const Client& client, const Answer& started) {
  if (!started.ok()) return complain(started);
  std::string id{started.data()["command_id"].string()};
  if (id.empty()) id = started.data()["id"].string();
  if (id.empty()) return tell(frame, started, [] {});
  while (true) {
    const auto answer = client.ask("GET", "/v1/commands/" + id);
    const bool is_running = answer.status == 404 || (answer.ok() && answer.data()["state"].string() == "running");
    if (!answer.ok() && answer.status != 404) return complain(answer);
    if (is_running) {
      std::this_thread::sleep_for(std::chrono::milliseconds{250});
      continue;
    }
    const auto result = answer.data()["result"];
    const auto progress = result["data"] ? result["data"] : result;
    const int told = tell(frame, answer, [&] {
      fmt::print("{} of {} done, {} refused\n", progress["done"].integer().value_or(0), progress["total"].integer().value_or(0),
                 progress["refused"].integer().value_or(0));
    });
    const bool is_refused = answer.data()["state"].string() == "rejected" || progress["refused"].integer().value_or(0) > 0;
    return is_refused ? failed : told;
  }
}

int bulk(const Frame& frame, StandbyPick pick, std::string_view action, std::string to_board) {
  const auto client = Client::open(frame);
  if (!client) return complain(client.error().text());
  if (auto found = find_ids(*client, {a_board(pick.board), a_connection(pick.connection), a_board(to_board)}); !found) return complain(found.error().text());
  const std::string filter = object_of({{"kind", pick.kind},
                                        {"worker", pick.worker},
                                        {"reason_class", pick.reason_class},
                                        {"group_key", pick.group},
                                        {"board_id", pick.board},
                                        {"connection_id", pick.connection}});
  std::string body = fmt::format(R"({{"filter":{},"action":"{}")", filter, action);
  if (!to_board.empty()) body += fmt::format(R"(,"board_id":"{}")", json_escaped(to_board));
  return follow(frame, *client, client->ask("POST", "/v1/standby/retry", body + "}"));
}

// Ids, or a filter, or --all; not two of them.
bool is_clear(const StandbyPick& pick) { return (pick.ids.empty() ? 0 : 1) + (pick.has_filter() ? 1 : 0) + (pick.all ? 1 : 0) == 1; }

int unclear() {
  complain("give ids, or filters (--kind, --worker, --board, --connection, --reason, --group), or --all");
  return misused;
}

std::string text(api::Json value) { return std::string{value.string()}; }

// Of every board, so that people read names.
std::map<std::string, std::string> board_names(const Client& client) {
  std::map<std::string, std::string> names;
  if (auto boards = all_named(client, "/v1/boards")) {
    for (auto& [id, name] : *boards) names.emplace(std::move(id), std::move(name));
  }
  return names;
}

// Why, and how far a person has come with it.
std::string reason_of(api::Json item) {
  const auto state = item["state"].string();
  return fmt::format("{}{}{}", item["reason_class"].string(), state == "open" ? "" : ", ", state == "open" ? "" : state);
}

}  // namespace

int run_standby_list(const Frame& frame, StandbyPick pick) {
  const auto client = Client::open(frame);
  if (!client) return complain(client.error().text());
  if (auto found = find_ids(*client, {a_board(pick.board), a_connection(pick.connection)}); !found) return complain(found.error().text());
  std::string target = fmt::format("/v1/standby?limit={}", pick.limit);
  for (const auto& [name, value] : Members{{"state", pick.state}, {"kind", pick.kind}, {"worker", pick.worker}, {"board", pick.board},
                                           {"connection", pick.connection}, {"reason_class", pick.reason_class}, {"group", pick.group}}) {
    if (!value.empty()) target += fmt::format("&{}={}", name, percent_encoded(value));
  }
  const auto answer = client->ask("GET", target);
  return tell(frame, answer, [&] {
    if (answer.data().size() == 0) {
      fmt::print("nothing is on standby\n");
      return;
    }
    auto boards = board_names(*client);
    Table table{{"ID", "SINCE", "KIND", "REASON", "BOARD", "FROM", "TITLE"}};
    for (std::size_t n = 0; n < answer.data().size(); ++n) {
      const auto item = answer.data().at(n);
      table.add({text(item["id"]), text(item["first_at"]).substr(0, 16), text(item["kind"]), reason_of(item), boards[text(item["board_id"])], text(item["from"]),
                 text(item["title"])});
    }
    const std::string all = table.text(40, terminal_width().value_or(160));
    std::fwrite(all.data(), 1, all.size(), stdout);
    if (!answer.document.root()["page"]["next"].is_null()) fmt::print("… and more: --limit\n");
  });
}

int run_standby_show(const Frame& frame, const std::string& id) {
  const auto client = Client::open(frame);
  if (!client) return complain(client.error().text());
  const auto answer = client->ask("GET", path_of(id));
  return tell(frame, answer, [&] {
    Table table{{"MEMBER", "VALUE"}};
    for (const auto& [name, value] : answer.data().members()) {
      if (name == "history" || name == "original" || name == "mail" || value.is_null()) continue;
      table.add({std::string{name}, value.text().value_or(value.dump())});
    }
    // Of a mail, what a person wants to know first, and where it is as it came.
    for (const auto& [name, value] : answer.data()["mail"].members()) {
      if (value.is_null() || name == "arrival_id" || value.text() == "") continue;
      table.add({fmt::format("mail.{}", name), value.text().value_or(value.dump())});
    }
    fmt::print("{}\nORIGINAL{}\n{}\n", table.text(400), answer.data()["original_is_base64"].flag().value_or(false) ? " (base64)" : "",
               answer.data()["original"].string());
    const auto history = answer.data()["history"];
    if (history.size() == 0) return;
    fmt::print("\n");
    Table past{{"TIME", "ACTOR", "ACTION", "DETAIL"}};
    for (std::size_t n = 0; n < history.size(); ++n) {
      const auto entry = history.at(n);
      past.add({std::string{entry["at"].string()}, std::string{entry["actor"].string()}, std::string{entry["action"].string()}, entry["detail"].dump()});
    }
    past.print();
  });
}

int run_standby_assign(const Frame& frame, const std::vector<std::string>& ids, StandbyAssignment assignment) {
  if (assignment.board.empty() && assignment.assignee.empty() && assignment.note.empty()) {
    complain("give --board, --to or --note");
    return misused;
  }
  const auto client = Client::open(frame);
  if (!client) return complain(client.error().text());
  if (auto found = find_ids(*client, {a_board(assignment.board)}); !found) return complain(found.error().text());
  const std::string body = object_of({{"board_id", assignment.board}, {"assignee", assignment.assignee}, {"note", assignment.note}});
  return for_each_id(frame, ids, "assigned", [&](const std::string& id) { return client->ask("POST", path_of(id) + "/assign", body); });
}

int run_standby_retry(const Frame& frame, const StandbyPick& pick, std::string to_board) {
  if (!is_clear(pick)) return unclear();
  if (pick.ids.empty()) return bulk(frame, pick, "retry", to_board);
  const auto client = Client::open(frame);
  if (!client) return complain(client.error().text());
  if (auto found = find_ids(*client, {a_board(to_board)}); !found) return complain(found.error().text());
  return for_each_id(frame, pick.ids, "sent on again", [&](const std::string& id) {
    if (!to_board.empty()) {
      auto assigned = client->ask("POST", path_of(id) + "/assign", object_of({{"board_id", to_board}}));
      if (!assigned.ok()) return assigned;
    }
    return client->ask("POST", path_of(id) + "/retry");
  });
}

int run_standby_delete(const Frame& frame, const StandbyPick& pick, const std::string& reason) {
  if (!is_clear(pick)) return unclear();
  if (pick.ids.empty()) return bulk(frame, pick, "delete", {});
  const auto client = Client::open(frame);
  if (!client) return complain(client.error().text());
  const std::string body = reason.empty() ? std::string{} : object_of({{"reason", reason}});
  return for_each_id(frame, pick.ids, "deleted", [&](const std::string& id) { return client->ask("DELETE", path_of(id), body); });
}

}  // namespace postroom::cli

#include <fmt/format.h>

#include "api/cli/commands.hpp"
#include "common/base/ids.hpp"
#include "common/base/text.hpp"

namespace postroom::cli {

namespace {

// A board by its id, or by its name.
Result<std::string> board_id(const Client& client, const std::string& board) {
  if (is_uuid(board)) return board;
  std::string cursor;
  do {
    const auto answer = client.ask("GET", "/v1/boards?limit=200" + (cursor.empty() ? "" : "&cursor=" + percent_encoded(cursor)));
    if (!answer.ok()) return Error{Code::unavailable, answer.trouble};
    for (std::size_t n = 0; n < answer.data().size(); ++n) {
      if (answer.data().at(n)["name"].string() == board) return std::string{answer.data().at(n)["id"].string()};
    }
    cursor = answer.document.root()["page"]["next"].string();
  } while (!cursor.empty());
  return Error{Code::not_found, fmt::format("there is no board named {}", board)};
}

void member(std::string& body, std::string_view name, const std::string& value) {
  if (!value.empty()) body += fmt::format("{}\"{}\":\"{}\"", body.size() == 1 ? "" : ",", name, json_escaped(value));
}

}  // namespace

int run_ticket_create(const Frame& frame, const TicketDraft& draft) {
  const auto client = Client::open(frame);
  if (!client) return complain(client.error().text());
  const auto board = board_id(*client, draft.board);
  if (!board) return complain(board.error().text());
  std::string body = "{";
  member(body, "title", draft.title);
  member(body, "description", draft.description);
  member(body, "creator_email", draft.email);
  member(body, "creator_name", draft.name);
  member(body, "priority", draft.priority);
  const std::string key = draft.idempotency_key.empty() ? SystemIds{}.next() : draft.idempotency_key;
  const auto answer = client->ask("POST", fmt::format("/v1/boards/{}/tickets", *board), body + "}", {{"Idempotency-Key", key}});
  if (answer.status == 503) return complain(fmt::format("{}\n  repeat with --key {}", answer.trouble, key));
  return tell(frame, answer, [&] { fmt::print("{}\n", answer.data()["ticket_id"].string()); });
}

}  // namespace postroom::cli

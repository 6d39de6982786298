#include <fmt/format.h>

#include "api/cli/commands.hpp"
#include "api/cli/find.hpp"
#include "api/cli/json_members.hpp"
#include "common/base/ids.hpp"

namespace postroom::cli {

int run_ticket_create(const Frame& frame, const TicketDraft& draft) {
  const auto client = Client::open(frame);
  if (!client) return complain(client.error().text());
  const auto board = find_id(*client, "/v1/boards", "board", draft.board);
  if (!board) return complain(board.error().text());
  JsonMembers body;
  body.text("title", draft.title).text("description", draft.description);
  body.text("creator_email", draft.email).text("creator_name", draft.name).text("priority", draft.priority);
  const std::string key = draft.idempotency_key.empty() ? SystemIds{}.next() : draft.idempotency_key;
  const auto answer = client->ask("POST", fmt::format("/v1/boards/{}/tickets", *board), body.object(), {{"Idempotency-Key", key}});
  if (answer.status == 503) return complain(fmt::format("{}\n  repeat with --key {}", answer.trouble, key));
  return tell(frame, answer, [&] { fmt::print("{}\n", answer.data()["ticket_id"].string()); });
}

}  // namespace postroom::cli

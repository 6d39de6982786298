// A ticket is promised as soon as the broker holds its message on disk; whether it is opened or shelved, the ledger decides.

#include "api/handlers/command_plan.hpp"
#include "api/handlers/reading_answers.hpp"

namespace postroom::api {

namespace {

Reply promised_reply(const Request& request, const std::string& ticket_id) {
  std::string url = fmt::format("/v1/tickets/{}", ticket_id);
  std::string body =
      fmt::format(R"({{"data":{{"ticket_id":"{}","command_id":"{}","status_url":"{}"}}}})", ticket_id, request.command_id, url);
  return Reply{.status = 202, .body = std::move(body)}.with("Location", std::move(url));
}

Reply archived(const Request& request) {
  return to_reply(Problem{.status = 409,
                          .slug = "board-archived",
                          .title = "The board is archived",
                          .detail = "an archived board takes no tickets; use another board",
                          .instance = request.path});
}

}  // namespace

Plan create_ticket(const Request& request, const Context& context) {
  const auto board = context.boards.find(request.id);
  if (!board) return reading_failed(board.error(), request);
  if (!*board) return not_found(request.path, "there is no board with this id");
  if (request.principal == nullptr && !(*board)->is_public) return unauthorized(request.path, "this board is not public: send Authorization: Bearer <token>");
  if ((*board)->is_archived) return archived(request);

  messages::TicketOpen open{.ticket_id = made_by(request.command_id, "ticket"),
                            .board_id = std::string{request.id},
                            .arrival = request.principal == nullptr ? messages::ArrivalKind::public_form : messages::ArrivalKind::api,
                            .actor = actor_of(request),
                            .title = std::string{request.body["title"].string()},
                            .description = std::string{request.body["description"].string()},
                            .creator_email = request.body["creator_email"].text(),
                            .creator_name = request.body["creator_name"].text(),
                            .priority = request.body["priority"].text()};
  return Promise{.command = command_of(request, open),
                 .promised = promised_reply(request, open.ticket_id),
                 .idempotency_key = request.idempotency_key};
}

}  // namespace postroom::api

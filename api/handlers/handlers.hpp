#pragma once
// One function for each route: a pure Request → Plan. Each lives in the file of its name.

#include "api/context.hpp"
#include "api/http.hpp"

namespace postroom::api {

Plan create_ticket(const Request& request, const Context& context);
Plan list_tickets(const Request& request, const Context& context);
Plan get_ticket(const Request& request, const Context& context);
Plan change_ticket(const Request& request, const Context& context);
Plan get_ticket_timeline(const Request& request, const Context& context);

Plan create_board(const Request& request, const Context& context);
Plan list_boards(const Request& request, const Context& context);
Plan get_board(const Request& request, const Context& context);
Plan change_board(const Request& request, const Context& context);
Plan delete_board(const Request& request, const Context& context);
Plan list_external_tickets(const Request& request, const Context& context);
Plan get_external_ticket(const Request& request, const Context& context);

Plan create_connection(const Request& request, const Context& context);
Plan list_connections(const Request& request, const Context& context);
Plan get_connection(const Request& request, const Context& context);
Plan change_connection(const Request& request, const Context& context);
Plan delete_connection(const Request& request, const Context& context);
Plan test_connection(const Request& request, const Context& context);

Plan create_comment(const Request& request, const Context& context);
Plan list_comments(const Request& request, const Context& context);
Plan list_attachments(const Request& request, const Context& context);
Plan get_attachment(const Request& request, const Context& context);
Plan list_notices(const Request& request, const Context& context);

Plan create_inbox(const Request& request, const Context& context);
Plan list_inboxes(const Request& request, const Context& context);
Plan get_inbox(const Request& request, const Context& context);
Plan change_inbox(const Request& request, const Context& context);
Plan delete_inbox(const Request& request, const Context& context);
Plan poll_inbox(const Request& request, const Context& context);
Plan get_inbox_report(const Request& request, const Context& context);
Plan get_settings(const Request& request, const Context& context);
Plan change_settings(const Request& request, const Context& context);

Plan list_arrivals(const Request& request, const Context& context);
Plan get_arrival(const Request& request, const Context& context);
Plan get_raw_mail(const Request& request, const Context& context);

Plan list_standby(const Request& request, const Context& context);
Plan get_standby(const Request& request, const Context& context);
Plan assign_standby(const Request& request, const Context& context);
Plan retry_standby(const Request& request, const Context& context);
Plan edit_standby(const Request& request, const Context& context);
Plan delete_standby(const Request& request, const Context& context);
Plan retry_standby_many(const Request& request, const Context& context);

Plan get_command(const Request& request, const Context& context);
Plan get_balance(const Request& request, const Context& context);
Plan find_trace(const Request& request, const Context& context);
Plan get_trace(const Request& request, const Context& context);
Plan get_metrics(const Request& request, const Context& context);
Plan get_health(const Request& request, const Context& context);
Plan get_readiness(const Request& request, const Context& context);
Plan get_openapi(const Request& request, const Context& context);

}  // namespace postroom::api

#include "api/routes.hpp"

#include <array>

#include "api/handlers/handlers.hpp"
#include "common/base/ids.hpp"
#include "common/base/text.hpp"

namespace postroom::api {

namespace {

using enum Verb;
using enum Needs;
using enum BodyUse;

constexpr std::array route_table{
    // clang-format off
    Route{post,   "/boards/{id}/tickets",           "tickets.create",        create_ticket,         board,   "NewTicket",          required, "", Access::public_board},
    Route{get,    "/tickets",                       "tickets.read",          list_tickets,          state,   "", none, "board,state,limit,cursor"},
    Route{get,    "/tickets/{id}",                  "tickets.read",          get_ticket,            state},
    Route{patch,  "/tickets/{id}",                  "tickets.change",        change_ticket,         nothing, "TicketChange",       required},
    Route{get,    "/tickets/{id}/timeline",         "tickets.read",          get_ticket_timeline,   state},

    Route{post,   "/tickets/{id}/comments",         "tickets.comment",       create_comment,        nothing, "NewComment",         required},
    Route{get,    "/tickets/{id}/comments",         "tickets.read",          list_comments,         state,   "", none, "limit,cursor"},
    Route{get,    "/tickets/{id}/attachments",      "tickets.read",          list_attachments,      state,   "", none, "limit,cursor"},
    Route{get,    "/tickets/{id}/notices",          "tickets.read",          list_notices,          state,   "", none, "limit,cursor"},
    Route{get,    "/attachments/{id}",              "tickets.read",          get_attachment,        state},

    Route{post,   "/boards",                        "boards.manage",         create_board,          nothing, "NewBoard",           required},
    Route{get,    "/boards",                        "boards.read",           list_boards,           state,   "", none, "limit,cursor"},
    Route{get,    "/boards/{id}",                   "boards.read",           get_board,             state},
    Route{patch,  "/boards/{id}",                   "boards.manage",         change_board,          nothing, "BoardChange",        required},
    Route{remove, "/boards/{id}",                   "boards.manage",         delete_board,          nothing},
    Route{get,    "/boards/{id}/external-tickets",  "external_tickets.read", list_external_tickets, state,   "", none, "limit,cursor"},
    Route{get,    "/external-tickets/{id}",         "external_tickets.read", get_external_ticket,   state},

    Route{post,   "/connections",                   "connections.manage",    create_connection,     nothing, "NewConnection",      required},
    Route{get,    "/connections",                   "connections.read",      list_connections,      state,   "", none, "limit,cursor"},
    Route{get,    "/connections/{id}",              "connections.read",      get_connection,        state},
    Route{patch,  "/connections/{id}",              "connections.manage",    change_connection,     state,   "ConnectionChange",   required},
    Route{remove, "/connections/{id}",              "connections.manage",    delete_connection,     nothing},
    Route{post,   "/connections/{id}/test",         "connections.test",      test_connection,       nothing, "ConnectionTest",     optional},

    Route{post,   "/inboxes",                       "inboxes.manage",        create_inbox,          nothing, "NewInbox",           required},
    Route{get,    "/inboxes",                       "inboxes.read",          list_inboxes,          state,   "", none, "limit,cursor"},
    Route{get,    "/inboxes/{id}",                  "inboxes.read",          get_inbox,             state},
    Route{patch,  "/inboxes/{id}",                  "inboxes.manage",        change_inbox,          state,   "InboxChange",        required},
    Route{remove, "/inboxes/{id}",                  "inboxes.manage",        delete_inbox,          nothing},
    Route{post,   "/inboxes/{id}/poll",             "inboxes.poll",          poll_inbox,            nothing, "NoMembers",          optional},
    Route{get,    "/inboxes/{id}/report",           "inboxes.read",          get_inbox_report,      state},
    Route{get,    "/arrivals",                      "arrivals.read",         list_arrivals,         state,   "", none, "inbox,verdict,limit,cursor"},
    Route{get,    "/arrivals/{id}",                 "arrivals.read",         get_arrival,           state},
    Route{get,    "/arrivals/{id}/raw",             "arrivals.raw",          get_raw_mail,          state},
    Route{get,    "/settings",                      "settings.read",         get_settings,          state},
    Route{patch,  "/settings",                      "settings.manage",       change_settings,       nothing, "SettingsChange",     required},

    Route{get,    "/standby",                       "standby.read",          list_standby,          state,   "", none, "state,kind,worker,board,connection,reason_class,group,limit,cursor"},
    Route{post,   "/standby/retry",                 "standby.retry",         retry_standby_many,    nothing, "BulkRetry",          required},
    Route{get,    "/standby/{id}",                  "standby.read",          get_standby,           state},
    Route{put,    "/standby/{id}",                  "standby.edit",          edit_standby,          state,   "StandbyEdit",        required},
    Route{remove, "/standby/{id}",                  "standby.delete",        delete_standby,        nothing, "StandbyDeletion",    optional},
    Route{post,   "/standby/{id}/assign",           "standby.assign",        assign_standby,        nothing, "StandbyAssignment",  required},
    Route{post,   "/standby/{id}/retry",            "standby.retry",         retry_standby,         nothing, "NoMembers",          optional},

    Route{get,    "/commands/{id}",                 "commands.read",         get_command,           state},
    Route{get,    "/balance",                       "operations.read",       get_balance,           state},
    Route{get,    "/trace",                         "operations.read",       find_trace,            state,   "", none, "message_id"},
    Route{get,    "/trace/{id}",                    "operations.read",       get_trace,             state},
    Route{get,    "/metrics",                       "operations.read",       get_metrics},
    Route{get,    "/healthz",                       "",                      get_health,            nothing, "", none, "", Access::open},
    Route{get,    "/readyz",                        "",                      get_readiness,         readiness, "", none, "", Access::open},
    Route{get,    "/openapi.json",                  "",                      get_openapi,           nothing, "", none, "", Access::open},
    // clang-format on
};

constexpr std::string_view id_mark = "{id}";

// Whether `path` has the template's form, and what stands for {id}.
bool fits(std::string_view path, std::string_view form, std::string_view& id) {
  const auto mark = form.find(id_mark);
  if (mark == std::string_view::npos) return path == form;
  const auto tail = form.substr(mark + id_mark.size());
  constexpr std::size_t uuid_length = 36;
  if (path.size() != mark + uuid_length + tail.size() || !path.starts_with(form.substr(0, mark)) || !path.ends_with(tail)) return false;
  id = path.substr(mark, uuid_length);
  return is_uuid(id);
}

}  // namespace

std::span<const Route> routes() { return route_table; }

std::string name_of(const Route& route) { return std::string{name_of(route.verb)}.append(" ").append(route.path); }

Match find_route(std::string_view method, std::string_view path) {
  if (path.starts_with("/v1/")) path.remove_prefix(3);
  if (method == "HEAD") method = "GET";
  Match match;
  for (const auto& route : route_table) {
    std::string_view id;
    if (!fits(path, route.path, id)) continue;
    if (name_of(route.verb) == method) return Match{&route, to_lower_ascii(id), {}};
    if (!match.allowed.empty()) match.allowed += ", ";
    match.allowed += name_of(route.verb);
    if (route.verb == Verb::get) match.allowed += ", HEAD";
  }
  return match;
}

}  // namespace postroom::api

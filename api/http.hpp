#pragma once
// What the front door speaks inside: Request, Reply and Plan. No sockets and no Beast, so that handlers are plain functions that
// compile in a blink and are tested as tables.

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "api/json_view.hpp"
#include "api/query.hpp"
#include "common/base/clock.hpp"

namespace postroom::api {

enum class Verb { get, post, put, patch, remove };

std::string_view name_of(Verb verb);  // GET, POST, PUT, PATCH, DELETE

// Who asks. `administrator` in the permissions stands for all of them.
struct Principal {
  std::string name;
  std::vector<std::string> permissions;
  bool may(std::string_view permission) const;
};

// A request that was admitted: its route exists, its token was right, its body fits the route's schema.
struct Request {
  std::string_view path;               // as it was sent, without the query; for a problem's `instance`
  std::string_view id;                 // what stands for {id} in the route's path: a UUID in lower case; empty without one
  Query query;
  Json body;                           // null when there was none
  const Principal* principal = nullptr;  // none: nobody (a public board's form)
  std::string command_id;              // of everything but GET
  std::string_view idempotency_key;    // empty: none
  std::optional<std::int64_t> expected_version;        // If-Match
  std::optional<std::chrono::seconds> wait;            // Prefer: wait=N; respond-async = 0
  std::string_view traceparent;        // W3C trace context, valid or empty
  WallTime received_at{};
};

enum class BodyType { json, problem, open_metrics };

class FileBody;  // api/server/file_body.hpp

struct Reply {
  int status = 200;
  std::string body;
  BodyType type = BodyType::json;
  std::vector<std::pair<std::string_view, std::string>> headers;  // names are literals; values are checked when they are written
  std::shared_ptr<FileBody> file = {};  // instead of `body`: sent in parts, never whole in memory
  std::string media_type = {};          // of the file

  Reply& with(std::string_view name, std::string value) & {
    headers.emplace_back(name, std::move(value));
    return *this;
  }
  Reply&& with(std::string_view name, std::string value) && {
    headers.emplace_back(name, std::move(value));
    return std::move(*this);
  }
};

// A message for the ledger, by way of the exchange `cmd`. message_id = correlation_id = the command's id.
struct Command {
  std::string_view type;  // "ticket.open.v1"; the topology knows its routing key
  std::string id;
  std::string body;
  std::string traceparent;
};

// Publish; `promised` is the answer once the broker has confirmed.
struct Promise {
  Command command;
  Reply promised;
  std::string_view idempotency_key;  // to name in a 503
};

// Publish and wait for the ledger's word: its status and body are passed on. `accepted` when `wait` ends first.
struct Exchange {
  Command command;
  std::chrono::milliseconds wait{};
  std::string location;  // of what a 201 made
  Reply accepted;
  std::string_view idempotency_key;
};

// Ask the other processes of this host.
enum class Gather { health, metrics };

// Send a file of the blob store, to be saved, never to be shown by a browser.
struct Download {
  std::string sha256;
  std::int64_t size = 0;   // bytes
  std::string media_type;  // as its sender called it
  std::string file_name;   // likewise
};

// What a handler wants done.
using Plan = std::variant<Reply, Promise, Exchange, Gather, Download>;

}  // namespace postroom::api

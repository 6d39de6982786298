#pragma once
// A front door with fakes behind it, for the tests of this folder.

#include <fmt/format.h>

#include <map>
#include <string>

#include "api/front_door.hpp"
#include "api/openapi.hpp"
#include "tests/support/fakes.hpp"

namespace postroom::api {

inline const std::string installation = "7f3c2f0e-6f0b-4b5e-9a55-2f6f9d1c0a11";
inline const std::string some_id = "5d0f2e2c-0f0e-4a43-8f5c-0a4f6b1d2c3e";
inline const std::string admin_token = "prt_0123456789abcdefghijklmnopqrstuvwxyzABCDEFG";
inline const std::string reader_token = "prt_reader_0123456789";

class FewBoards final : public Boards {
 public:
  std::map<std::string, BoardFacts, std::less<>> known;
  bool is_readable = true;
  Result<std::optional<BoardFacts>> find(std::string_view id) const override {
    if (!is_readable) return Error{Code::unavailable, "locked"};
    const auto found = known.find(id);
    return found == known.end() ? std::optional<BoardFacts>{} : std::optional{found->second};
  }
};

inline const BodyCheck& bodies() {
  static const BodyCheck check{openapi_document()};
  return check;
}

// A whole request as text through the front door and its handler, without a socket.
struct ADoor {
  Settings settings{.installation = installation, .public_url = "http://localhost:8080", .body_limit = 4'096};
  Identities identities;
  fakes::ManualClock clock;
  fakes::CountingIds ids;
  FewBoards boards;
  store::Reading* reading = nullptr;
  Seal seal = [](messages::ConnectionKind kind, std::string_view id, std::string_view secret) {
    return fmt::format("sealed({},{},{})", messages::name_of(kind), id, secret.size());
  };
  FrontDoor door{settings, identities, bodies(), clock, ids};
  std::map<std::string, std::int64_t, std::less<>> blobs;  // digest → size
  std::string head_bytes;  // of the last request
  Visit visit;

  ADoor() {
    identities.add(admin_token, Principal{"admin", {"administrator"}});
    identities.add(reader_token, Principal{"reader", {"tickets.read", "standby.retry"}});
  }

  Plan ask(std::string_view line, std::string_view body = {}, std::string_view fields = {}, std::string_view token = admin_token) {
    head_bytes = fmt::format("{} HTTP/1.1\r\nHost: localhost\r\n", line);
    if (!token.empty()) head_bytes += fmt::format("Authorization: Bearer {}\r\n", token);
    if (!body.empty()) head_bytes += fmt::format("Content-Length: {}\r\n", body.size());
    if (!body.empty() && fields.find("Content-Type") == std::string_view::npos) head_bytes += "Content-Type: application/json\r\n";
    head_bytes.append(fields).append("\r\n");
    visit = Visit{};
    auto read = read_head(head_bytes);
    if (const auto* refusal = std::get_if<HeadRefusal>(&read)) return Reply{.status = refusal->status, .body = refusal->detail};
    visit.head = std::get<Head>(read);
    visit.body = body;
    if (auto refusal = door.admit(visit)) return std::move(*refusal);
    if (auto refusal = door.take_body(visit)) return std::move(*refusal);
    const auto has_blob = [this](std::string_view sha256, std::int64_t size) {
      const auto found = blobs.find(sha256);
      return found != blobs.end() && found->second == size;
    };
    return visit.route->handler(visit.request, Context{.settings = settings, .boards = boards, .seal = seal, .reading = reading, .link_trouble = {}, .has_blob = has_blob});
  }

  Reply refused(std::string_view line, std::string_view body = {}, std::string_view fields = {}, std::string_view token = admin_token) {
    auto plan = ask(line, body, fields, token);
    return std::holds_alternative<Reply>(plan) ? std::get<Reply>(std::move(plan)) : Reply{.status = 0, .body = "not refused"};
  }
};

inline std::string header(const Reply& reply, std::string_view name) {
  for (const auto& [known, value] : reply.headers) {
    if (known == name) return value;
  }
  return {};
}

}  // namespace postroom::api

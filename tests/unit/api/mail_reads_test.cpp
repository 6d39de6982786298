// What is read of mails, tickets' conversations and inboxes.

#include <doctest/doctest.h>

#include "tests/unit/api/a_front_door.hpp"
#include "tests/unit/api/a_reading.hpp"

using namespace postroom;
using namespace postroom::api;

namespace {

const std::string blob(64, 'a');

class AMail : public NoReading {
 public:
  store::ArrivalView view;
  store::ArrivalFilter asked;
  std::string asked_message_id;
  bool has_ticket = false;

  AMail() {
    view.arrival.id = some_id;
    view.arrival.kind = "mail";
    view.arrival.ticket_id = "promised";
    view.arrival.state = store::ArrivalState::opened;
    auto& mail = view.mail.emplace();
    mail.arrival_id = some_id;
    mail.blob_sha256 = blob;
    mail.blob_size = 123;
    mail.verdict = "ticket";
    mail.why = "the board's keyword \"printer\"";
    mail.subject = "Printer \"3\"";
    mail.sender_address = "ann@example.org";
  }
  Result<std::optional<store::ArrivalView>> arrival(std::string_view id) override {
    return id == some_id ? std::optional{view} : std::optional<store::ArrivalView>{};
  }
  Result<store::Page<store::ArrivalView>> mail_arrivals(const store::ArrivalFilter& filter, const store::PageRequest&) override {
    asked = filter;
    return store::Page<store::ArrivalView>{{view}, "9_61"};
  }
  Result<std::optional<store::MailInboxRow>> inbox(std::string_view id) override {
    if (id != some_id) return std::optional<store::MailInboxRow>{};
    store::MailInboxRow row;
    row.id = some_id;
    row.version = 3;
    return std::optional{row};
  }
  Result<std::optional<store::InboxReport>> inbox_report(std::string_view id) override {
    if (id != some_id) return std::optional<store::InboxReport>{};
    store::InboxReport report;
    report.inbox.server_exists = 10;
    report.inbox.server_older = 2;
    report.inbox.server_at = 1;
    report.ticket = 5;
    report.duplicate = 1;
    report.removed = 1;
    return std::optional{report};
  }
  Result<std::optional<store::TicketView>> ticket(std::string_view) override {
    return has_ticket ? std::optional{store::TicketView{}} : std::optional<store::TicketView>{};
  }
  Result<store::Page<store::CommentRow>> comments(std::string_view, const store::PageRequest&) override { return store::Page<store::CommentRow>{}; }
  Result<store::Page<store::AttachmentRow>> attachments(std::string_view, const store::PageRequest&) override { return store::Page<store::AttachmentRow>{}; }
  Result<store::Page<store::NoticeView>> notices(std::string_view, const store::PageRequest&) override { return store::Page<store::NoticeView>{}; }
  Result<std::optional<store::AttachmentRow>> attachment(std::string_view id) override {
    if (id != some_id) return std::optional<store::AttachmentRow>{};
    store::AttachmentRow row;
    row.sha256 = blob;
    row.size = 7;
    row.name = "a.html";
    row.content_type = "text/html";
    return std::optional{row};
  }
  Result<std::optional<store::Trace>> trace_message(std::string_view message_id) override {
    asked_message_id = message_id;
    return std::optional<store::Trace>{};
  }
  Result<store::SettingsRow> settings() override {
    store::SettingsRow row;
    row.version = 5;
    return row;
  }
};

struct AHouse {
  ADoor door;
  AMail state;
  AHouse() { door.reading = &state; }
  Reply get(std::string_view path) { return door.refused(fmt::format("GET /v1{}", path)); }
};

bool has(const Reply& reply, std::string_view text) { return reply.body.find(text) != std::string::npos; }

}  // namespace

TEST_CASE("an arrival tells what it was, what became of it and why") {
  AHouse house;
  const auto reply = house.get("/arrivals/" + some_id);
  CHECK(reply.status == 200);
  for (const char* part : {R"("verdict":"ticket")", R"("why":"the board's keyword \"printer\"")", R"("subject":"Printer \"3\"")", R"("state":"opened")"}) CHECK(has(reply, part));
  CHECK(has(reply, fmt::format(R"("raw_url":"/v1/arrivals/{}/raw")", some_id)));
  CHECK(house.get("/arrivals/00000000-0000-4000-8000-00000000ffff").status == 404);
  house.state.view.mail->verdict.clear();
  CHECK(has(house.get("/arrivals/" + some_id), R"("verdict":"pending")"));
  house.state.view.mail.reset();
  house.state.view.arrival.kind = "api";
  const auto plain = house.get("/arrivals/" + some_id);
  CHECK(has(plain, R"("ticket_id":"promised")"));
  CHECK_FALSE(has(plain, "raw_url"));
}

TEST_CASE("arrivals are listed by inbox and verdict") {
  AHouse house;
  const auto reply = house.get("/arrivals?inbox=" + some_id + "&verdict=pending&limit=5");
  CHECK(reply.status == 200);
  CHECK(has(reply, R"("next":"9_61")"));
  CHECK(house.state.asked.inbox_id == some_id);
  CHECK(house.state.asked.verdict == "");
  CHECK(house.get("/arrivals?verdict=bounce").status == 200);
  CHECK(house.state.asked.verdict == "bounce");
  CHECK_FALSE(house.state.asked.inbox_id.has_value());
  for (const char* wrong : {"verdict=lost", "inbox=Support", "inbox=00000000-0000-4000-8000-00000000ffff", "limit=0", "sort=subject"}) {
    CAPTURE(wrong);
    const auto refused = house.get(fmt::format("/arrivals?{}", wrong));
    CHECK(refused.status == 400);
    CHECK(has(refused, fmt::format(R"("parameter":"{}")", std::string_view{wrong}.substr(0, std::string_view{wrong}.find('=')))));
  }
}

TEST_CASE("a raw mail is a download with a name of ours") {
  AHouse house;
  const std::string path = "GET /v1/arrivals/" + some_id + "/raw";
  const auto plan = house.door.ask(path);
  REQUIRE(std::holds_alternative<Download>(plan));
  const auto& download = std::get<Download>(plan);
  CHECK(download.sha256 == blob);
  CHECK(download.size == 123);
  CHECK(download.media_type == "message/rfc822");
  CHECK(download.file_name == "mail-" + some_id + ".eml");
  house.state.view.mail->extent = messages::MailExtent::header_only;
  CHECK(std::get<Download>(house.door.ask(path)).file_name == "mail-" + some_id + "-header.eml");
  house.state.view.mail->blob_sha256.clear();
  house.state.view.mail->trouble = "the server refused to send it";
  const auto gone = house.door.refused(path);
  CHECK(gone.status == 404);
  CHECK(has(gone, "the server refused to send it"));
  house.state.view.mail.reset();
  CHECK(house.door.refused(path).status == 404);
  CHECK(house.door.refused(path, {}, {}, "").status == 401);
  CHECK(house.door.refused(path, {}, {}, reader_token).status == 403);
}

TEST_CASE("an attachment is a download with the name and type that it was given") {
  AHouse house;
  const auto plan = house.door.ask("GET /v1/attachments/" + some_id);
  REQUIRE(std::holds_alternative<Download>(plan));
  CHECK(std::get<Download>(plan).media_type == "text/html");
  CHECK(std::get<Download>(plan).file_name == "a.html");
  CHECK(house.get("/attachments/00000000-0000-4000-8000-00000000ffff").status == 404);
  CHECK(house.door.refused("GET /v1/attachments/" + some_id, {}, {}, "").status == 401);
}

TEST_CASE("what hangs on a ticket is an empty list, or not there yet") {
  for (const char* list : {"comments", "attachments", "notices"}) {
    CAPTURE(list);
    AHouse house;
    const std::string path = fmt::format("/tickets/{}/{}", some_id, list);
    const auto missing = house.get(path);
    CHECK(missing.status == 404);
    CHECK(has(missing, "not-yet-applied"));
    house.state.has_ticket = true;
    const auto empty = house.get(path);
    CHECK(empty.status == 200);
    CHECK(empty.body == R"({"data":[],"page":{"next":null}})");
    CHECK(house.get(path + "?limit=999").status == 400);
  }
}

TEST_CASE("an inbox and its report are shown, with the version to build on") {
  AHouse house;
  CHECK(header(house.get("/inboxes/" + some_id), "ETag") == "\"v3\"");
  CHECK(house.get("/inboxes/00000000-0000-4000-8000-00000000ffff").status == 404);
  const auto report = house.get("/inboxes/" + some_id + "/report");
  CHECK(report.status == 200);
  CHECK(has(report, R"("total":6)"));
  CHECK(has(report, R"("missing":3)"));
  CHECK(house.get("/inboxes/00000000-0000-4000-8000-00000000ffff/report").status == 404);
  CHECK(header(house.get("/settings"), "ETag") == "\"v5\"");
}

TEST_CASE("a mail is traced by its Message-ID, with or without brackets") {
  AHouse house;
  CHECK(house.get("/trace?message_id=%3Ca.b%40example.org%3E").status == 404);
  CHECK(house.state.asked_message_id == "a.b@example.org");
  CHECK(house.get("/trace?message_id=c@d").status == 404);
  CHECK(house.state.asked_message_id == "c@d");
  CHECK(house.get("/trace").status == 400);
}

TEST_CASE("a state that cannot be read is 503, whatever was asked") {
  ADoor door;
  NoReading state;
  door.reading = &state;
  const std::string id = "/" + some_id;
  for (const std::string& path : {"/inboxes" + id, std::string{"/inboxes"}, "/inboxes" + id + "/report", std::string{"/settings"}, std::string{"/arrivals"}, "/arrivals" + id,
                                  "/arrivals" + id + "/raw", "/attachments" + id, "/tickets" + id + "/comments", "/tickets" + id + "/attachments",
                                  "/tickets" + id + "/notices", std::string{"/trace?message_id=a"}}) {
    CAPTURE(path);
    CHECK(door.refused("GET /v1" + path).status == 503);
  }
  CHECK(door.refused("PATCH /v1/inboxes" + id, R"({"name":"a"})").status == 503);
}

// `postroom mail explain` as people call it: the real program, the real sandbox, with and without a home.

#include <doctest/doctest.h>
#include <fmt/format.h>
#include <sys/wait.h>

#include <cstdio>
#include <fstream>

#include "api/cli/init.hpp"
#include "api/json_view.hpp"
#include "common/base/config.hpp"
#include "common/crypto/crypto.hpp"
#include "common/mail/threading.hpp"
#include "common/store/mail_rows.hpp"
#include "common/store/rows.hpp"
#include "common/store/table.hpp"
#include "tests/support/scratch.hpp"

using namespace postroom;
namespace fs = std::filesystem;

namespace {

struct Said {
  int status = 0;
  std::vector<api::JsonDocument> lines;
  std::string text;
};

class Place {
 public:
  Place() {
    fs::create_directory(folder_.path() / "mails");
    fs::create_directory(folder_.path() / "nowhere");
  }

  std::string put(const std::string& name, std::string_view mail) const {
    const fs::path file = folder_.path() / "mails" / name;
    std::ofstream{file, std::ios::binary} << mail;
    return file.string();
  }
  fs::path home() const { return folder_.path() / "home"; }

  // In an empty folder, without POSTROOM_HOME unless `options` say so.
  Said explain(const std::vector<std::string>& files, const std::string& options = "--jsonl") const {
    std::string command = fmt::format("cd '{}' && env -u POSTROOM_HOME '{}/postroom' mail explain {}", (folder_.path() / "nowhere").string(), POSTROOM_BINARY_DIR, options);
    for (const auto& file : files) command += " '" + file + "'";
    Said said;
    FILE* pipe = popen((command + " 2>'" + errors().string() + "'").c_str(), "r");
    REQUIRE(pipe != nullptr);
    char part[4'096];
    for (std::size_t count; (count = fread(part, 1, sizeof part, pipe)) > 0;) said.text.append(part, count);
    said.status = WEXITSTATUS(pclose(pipe));
    if (options.find("--jsonl") == std::string::npos) return said;
    std::istringstream lines{said.text};
    for (std::string line; std::getline(lines, line);) {
      auto document = api::JsonDocument::parse(line);
      REQUIRE_MESSAGE(document.ok(), line);
      said.lines.push_back(std::move(*document));
    }
    return said;
  }
  fs::path errors() const { return folder_.path() / "errors"; }

 private:
  fakes::ScratchFolder folder_;
};

std::string mail_to(std::string_view to, std::string_view subject, std::string_view more = "") {
  return fmt::format("From: Ann <ann@example.org>\r\nTo: {}\r\nSubject: {}\r\n{}\r\ntext\r\n", to, subject, more);
}

std::string killer() {
  std::string name;
  for (int i = 0; i < 28; ++i) name += "\u045c";
  return "Content-Type: multipart/mixed;\n " + name + "=\"\u045c\"\n\n";
}

template <class Row>
void add(store::Database& database, const Row& row) {
  REQUIRE(store::insert(database, row).ok());
}

constexpr const char* known_ticket = "01920000-0000-7000-8000-000000000001";

// A home with boards and inboxes.
void furnish(const fs::path& home) {
  REQUIRE(cli::run_init({.home = home}) == 0);
  const auto database = fakes::new_database(home / "data" / "postroom.sqlite");
  store::BoardRow board;
  board.target = R"({"kind":"desk"})";
  const std::pair<std::string, std::string> boards[] = {{"Printers", R"(["printer"])"}, {"People", R"(["holiday"])"}, {"Sales", "[]"}};
  for (const auto& [name, keywords] : boards) {
    board.id = "board-" + name;
    board.name = name;
    board.keywords = keywords;
    add(*database, board);
  }
  store::ArrivalRow arrival;
  arrival.id = arrival.natural_key = arrival.correlation_id = "arrival";
  arrival.ticket_id = known_ticket;
  add(*database, arrival);
  store::TicketRow ticket;
  ticket.id = known_ticket;
  ticket.number = 17;
  ticket.board_id = "board-People";
  ticket.arrival_id = ticket.correlation_id = "arrival";
  add(*database, ticket);
  add(*database, store::MailThreadRow{"known@x", known_ticket, 1});
  store::ConnectionRow connection;
  connection.id = "imap";
  connection.name = "mailbox";
  add(*database, connection);
  store::MailInboxRow inbox;
  inbox.connection_id = "imap";
  inbox.id = "inbox-1";
  inbox.name = "Support";
  inbox.address = "support@example.org";
  inbox.folder = "INBOX";
  add(*database, inbox);
  inbox.id = "inbox-2";
  inbox.name = "Sales";
  inbox.address = "sales@example.org";
  inbox.folder = "Sales";
  inbox.board_id = "board-Sales";
  add(*database, inbox);
}

}  // namespace

TEST_CASE("without a home: a line for each file in the order given, with exactly the members that are promised") {
  const Place place;
  std::vector<std::string> files;
  for (int i = 0; i < 50; ++i) {
    const std::string name = fmt::format("{:02}.eml", i);
    files.push_back(place.put(name, i == 20 ? killer() : mail_to("desk@example.org", fmt::format("mail {}", i))));
  }
  const Said said = place.explain(files);
  CHECK(said.status == 0);
  REQUIRE(said.lines.size() == 50);
  const std::vector<std::string_view> members{"file", "subject", "from", "to", "date", "message_id", "in_reply_to", "references", "body_text",
                                              "reply_text", "attachments", "auto", "auto_reason", "bounce", "list", "verdict", "board", "why"};
  for (std::size_t i = 0; i < 50; ++i) {
    const auto line = said.lines[i].root();
    CAPTURE(i);
    std::vector<std::string_view> there;
    for (const auto& [name, value] : line.members()) there.push_back(name);
    CHECK(there == members);
    CHECK(line["file"].string() == files[i]);
    if (i == 20) {
      CHECK(line["verdict"].string() == "unparsable");
      CHECK_FALSE(line["why"].string().empty());
    } else {
      CHECK(line["subject"].string() == fmt::format("mail {}", i));
      CHECK(line["from"].string() == "ann@example.org");
      CHECK(line["verdict"].string() == "standby");  // there is no board
      CHECK(line["board"].is_null());
    }
  }
}

TEST_CASE("a bounce, an attachment and an answer are told as promised") {
  const Place place;
  const std::string bounce =
      "From: mailer-daemon@far.example\r\nSubject: Undelivered\r\nContent-Type: multipart/report; report-type=delivery-status; boundary=b\r\n\r\n"
      "--b\r\n\r\nno\r\n--b\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; far.example\r\n\r\n"
      "Final-Recipient: rfc822; bob@far.example\r\nAction: failed\r\nStatus: 5.1.1\r\nDiagnostic-Code: smtp; 550 no\r\n--b--\r\n";
  const std::string file = "From: ann@example.org\r\nSubject: file\r\nContent-Type: application/pdf; name=\"a b.pdf\"\r\nContent-Transfer-Encoding: base64\r\n\r\nYWJj\r\n";
  const Said said = place.explain({place.put("bounce.eml", bounce), place.put("file.eml", file),
                                   place.put("answer.eml", mail_to("desk@example.org", "Re: x", "In-Reply-To: <first@x>\r\nReferences: <first@x> <second@x>\r\nMessage-ID: <third@x>\r\nDate: Fri, 20 Nov 2026 10:00:00 +0100\r\n"))});
  REQUIRE(said.lines.size() == 3);
  CHECK(said.lines[0].root()["bounce"].dump() == R"({"recipient":"bob@far.example","status":"5.1.1","action":"failed","reason":"550 no"})");
  CHECK(said.lines[0].root()["verdict"].string() == "bounce");
  CHECK(said.lines[1].root()["attachments"].dump() == R"([{"name":"a b.pdf","size":3,"content_type":"application/pdf"}])");
  const auto answer = said.lines[2].root();
  CHECK(answer["in_reply_to"].string() == "first@x");
  CHECK(answer["references"].dump() == R"(["first@x","second@x"])");
  CHECK(answer["message_id"].string() == "third@x");
  CHECK(answer["date"].string() == "2026-11-20T09:00:00Z");
}

TEST_CASE("with a home its boards, inboxes, addresses and key count") {
  const Place place;
  furnish(place.home());
  Config config;
  config.home = place.home();
  const auto key = crypto::from_base64(*read_secret(config, "key-message-id"));
  REQUIRE(key.ok());
  const auto installation = load_config(place.home())->installation.id;
  const auto signed_of = [&](std::string ticket) {
    return mail::signed_message_id({std::move(ticket), "01920000-0000-7000-8000-000000000002"}, mail::message_id_host(installation),
                                   [&](std::string_view data) { return crypto::hmac_sha256(*key, data); });
  };
  const auto report_about = [](const std::string& id) {
    return "From: mailer-daemon@far.example\r\nSubject: Undelivered\r\nContent-Type: multipart/report; report-type=delivery-status; boundary=b\r\n\r\n"
           "--b\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; far.example\r\n\r\nFinal-Recipient: rfc822; bob@far.example\r\nAction: failed\r\n"
           "--b\r\nContent-Type: text/rfc822-headers\r\n\r\nMessage-ID: <" + id + ">\r\n--b--\r\n";
  };
  const auto answer_to = [](const std::string& id) { return mail_to("support@example.org", "Re: x", "In-Reply-To: <" + id + ">\r\n"); };
  const std::vector<std::string> files{place.put("1", mail_to("support@example.org", "the printer")), place.put("2", mail_to("sales@example.org", "the printer")),
                                       place.put("3", mail_to("elsewhere@example.org", "lunch")), place.put("4", "From: support@example.org\r\nSubject: x\r\nMessage-ID: <" + signed_of(known_ticket) + ">\r\n\r\ntext\r\n"),

                                       place.put("5", answer_to(signed_of(known_ticket))), place.put("6", answer_to(signed_of("01920000-0000-7000-8000-000000000009"))),
                                       place.put("7", answer_to("known@x")), place.put("8", answer_to("unknown@x")),
                                       place.put("9", "From: support@example.org\r\nSubject: x\r\n\r\ntext\r\n"),
                                       place.put("10", report_about(signed_of(known_ticket))), place.put("11", report_about("theirs@far.example"))};
  const std::string options = "--jsonl --home '" + place.home().string() + "'";
  const Said said = place.explain(files, options);
  CHECK(said.status == 0);
  REQUIRE(said.lines.size() == 11);
  CHECK(said.lines[0].root()["board"].string() == "Printers");
  CHECK(said.lines[0].root()["verdict"].string() == "ticket");
  CHECK(said.lines[1].root()["board"].string() == "Sales");
  CHECK(said.lines[2].root()["verdict"].string() == "standby");
  CHECK(said.lines[3].root()["verdict"].string() == "own");
  CHECK(said.lines[4].root()["verdict"].string() == "reply");
  CHECK(said.lines[4].root()["why"].string().find("#17") != std::string::npos);
  CHECK(said.lines[5].root()["verdict"].string() == "standby");  // signed by us, but of no ticket that there is
  CHECK(said.lines[6].root()["verdict"].string() == "reply");
  CHECK(said.lines[7].root()["verdict"].string() == "standby");
  CHECK(said.lines[8].root()["verdict"].string() == "standby");  // one of our addresses, which anybody can write
  CHECK(said.lines[8].root()["auto_reason"].string() == "sent from our own address support@example.org");
  CHECK(said.lines[9].root()["verdict"].string() == "bounce");
  CHECK(said.lines[10].root()["verdict"].string() == "standby");  // about somebody else's mail
  CHECK(said.lines[10].root()["why"].string().find("not ours") != std::string::npos);
  CHECK(said.lines[10].root()["bounce"]["recipient"].string() == "bob@far.example");
  const Said to_sales = place.explain({files[0]}, options + " --inbox Sales");
  CHECK(to_sales.lines.at(0).root()["board"].string() == "Sales");
  CHECK(place.explain({files[0]}, options + " --inbox Nobody").status == 1);
}

TEST_CASE("files that are not there and homes that are not: told, with status 1") {
  const Place place;
  const Said said = place.explain({"/nonexistent.eml", place.put("a", mail_to("x@y.example", "a"))});
  CHECK(said.status == 1);
  REQUIRE(said.lines.size() == 2);
  CHECK(said.lines[0].root()["verdict"].string() == "unparsable");
  CHECK(said.lines[0].root()["why"].string().find("No such file") != std::string::npos);
  CHECK(said.lines[1].root()["subject"].string() == "a");
  const std::string folder = fs::path{place.put("b", "")}.parent_path().string();
  const Said of_folder = place.explain({folder});  // it can be opened, but it is no mail
  CHECK(of_folder.status == 1);
  REQUIRE(of_folder.lines.size() == 1);
  CHECK(of_folder.lines[0].root()["why"].string().find("is a folder") != std::string::npos);
  const Said of_device = place.explain({"/dev/zero"});  // nothing that may never end
  CHECK(of_device.status == 1);
  REQUIRE(of_device.lines.size() == 1);
  CHECK(of_device.lines[0].root()["why"].string().find("is not a regular file") != std::string::npos);
  const Said no_home = place.explain({place.put("a", mail_to("x@y.example", "a"))}, "--jsonl --home /nonexistent");
  CHECK(no_home.status == 1);
  CHECK(no_home.lines.empty());
}

TEST_CASE("what the exit status means stands in the help: 0 although a mail breaks the parser, 1 for a file that is not there, 2 for wrong words") {
  const Place place;
  CHECK(place.explain({place.put("killer", killer())}).status == 0);
  CHECK(place.explain({"/nonexistent.eml"}, "").status == 1);
  std::ifstream errors{place.errors()};
  CHECK(std::string{std::istreambuf_iterator<char>{errors}, {}} == "postroom: 1 of 1 files could not be read\n");
  CHECK(place.explain({}).status == 2);
  CHECK(place.explain({place.put("a", mail_to("x@y.example", "a"))}, "--jsnol").status == 2);
  const Said help = place.explain({}, "--help");
  CHECK(help.status == 0);
  for (const char* part : {"Exit status: 0", "unparsable", "1 a file", "2 wrong usage"}) CHECK(help.text.find(part) != std::string::npos);
}

TEST_CASE("for people it is text, without bytes that move a terminal") {
  const Place place;
  const Said said = place.explain({place.put("a", mail_to("x@y.example", "=?utf-8?q?=1B[31mred?="))}, "");
  CHECK(said.status == 0);
  CHECK(said.text.find("verdict") != std::string::npos);
  CHECK(said.text.find('\x1b') == std::string::npos);
}

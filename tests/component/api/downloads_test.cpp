// Mails and attachments as they are sent by the running process: whole, bounded in memory, never a danger to who looks.

#include <doctest/doctest.h>
#include <fmt/format.h>
#include <signal.h>

#include <fstream>
#include <thread>

#include "common/crypto/crypto.hpp"
#include "common/store/rows.hpp"
#include "common/store/table.hpp"
#include "tests/component/api/running_api.hpp"

using namespace postroom;
using namespace postroom::support;
using std::chrono::seconds;

namespace {

std::string id_of(int number) { return fmt::format("00000000-0000-4000-8000-{:012x}", number); }

template <class Row>
void keep(store::Database& database, const Row& row) {
  const auto done = store::insert(database, row);
  if (!done) FAIL(done.error().text());
}

std::string noise(std::size_t size) {
  std::string bytes(size, '\0');
  std::uint32_t state = 1;
  for (auto& byte : bytes) {
    state = state * 1'664'525 + 1'013'904'223;
    byte = static_cast<char>(state >> 24);
  }
  return bytes;
}

// A process with files in its blob store.
struct Store {
  RunningApi api;
  std::unique_ptr<store::Database> database = fakes::new_database(api.home() / "data" / "postroom.sqlite");
  int last = 0;

  Store() {
    store::TicketRow ticket;
    ticket.id = id_of(0xaaaa);
    ticket.board_id = public_board;
    keep(*database, ticket);
  }
  static Store& shared() {
    static Store store;
    return store;
  }

  std::filesystem::path file_of(const std::string& sha256) const { return api.home() / "blobs" / sha256.substr(0, 2) / sha256; }
  std::string blob(const std::string& content) {
    const std::string sha256 = crypto::to_hex(crypto::sha256(content));
    std::filesystem::create_directories(file_of(sha256).parent_path());
    std::ofstream{file_of(sha256), std::ios::binary} << content;
    return sha256;
  }
  std::string attachment(const std::string& sha256, std::size_t size, std::string name = "file.bin", std::string type = "application/pdf") {
    store::AttachmentRow row;
    row.id = id_of(0xf000 + ++last);
    row.ticket_id = id_of(0xaaaa);
    row.name = std::move(name);
    row.content_type = std::move(type);
    row.size = static_cast<std::int64_t>(size);
    row.sha256 = sha256;
    row.created_at = last;
    keep(*database, row);
    return "/v1/attachments/" + row.id;
  }
  std::string mail(const std::string& content) {
    store::ArrivalRow arrival;
    arrival.id = arrival.natural_key = arrival.correlation_id = id_of(0xe000 + ++last);
    arrival.kind = "mail";
    arrival.state = store::ArrivalState::standby;
    keep(*database, arrival);
    store::MailRow row;
    row.arrival_id = arrival.id;
    row.blob_sha256 = blob(content);
    row.blob_size = static_cast<std::int64_t>(content.size());
    keep(*database, row);
    return "/v1/arrivals/" + arrival.id;
  }
};

// Most memory that the process ever had, in KiB.
long peak_kib(pid_t pid) {
  std::ifstream status{fmt::format("/proc/{}/status", pid)};
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with("VmHWM:")) return std::stol(line.substr(6));
  }
  return 0;
}

std::string request_for(const Store& store, const std::string& path, std::string_view method = "GET") {
  return fmt::format("{} {} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {}\r\n\r\n", method, path, store.api.token());
}

}  // namespace

TEST_CASE("a raw mail comes byte for byte, to be saved and to run nowhere") {
  auto& store = Store::shared();
  const std::string content = "From: ann@example.org\r\nSubject: <script>alert(1)</script>\r\n\r\n\0\xff binary\r\n" + noise(1'000);
  const std::string path = store.mail(content);
  const auto reply = store.api.ask_as_admin({.path = path + "/raw"});
  CHECK(reply.status == 200);
  CHECK(reply.body == content);
  CHECK(reply.headers.at("content-type") == "message/rfc822");
  CHECK(reply.headers.at("content-disposition") == "attachment; filename=\"mail-" + path.substr(13) + ".eml\"");
  CHECK(reply.headers.at("x-content-type-options") == "nosniff");
  CHECK(reply.headers.at("content-security-policy").find("sandbox") != std::string::npos);
  CHECK(reply.headers.at("cache-control") == "no-store");
  CHECK(store.api.ask_as_admin({.path = path}).body.find(path + "/raw") != std::string::npos);
  CHECK(store.api.ask({.path = path + "/raw"}).status == 401);
  CHECK(store.api.ask({.path = path + "/raw", .token = "prt_wrong_wrong_wrong"}).status == 401);
}

TEST_CASE("an attachment keeps its name and type where they are harmless") {
  auto& store = Store::shared();
  const auto html = store.attachment(store.blob("<script>alert(1)</script>"), 25, "Größe.html", "text/html");
  const auto reply = store.api.ask_as_admin({.path = html});
  CHECK(reply.body == "<script>alert(1)</script>");
  CHECK(reply.headers.at("content-type") == "text/html");
  CHECK(reply.headers.at("content-disposition") == "attachment; filename=\"Gr__e.html\"; filename*=UTF-8''Gr%C3%B6%C3%9Fe.html");
  CHECK(reply.headers.at("content-security-policy").find("sandbox") != std::string::npos);
  const auto evil = store.api.ask_as_admin({.path = store.attachment(store.blob("x"), 1, "a\"\r\nSet-Cookie: b=c", "text/html\r\nX-Evil: 1")});
  CHECK(evil.status == 200);
  CHECK(evil.headers.at("content-type") == "application/octet-stream");
  CHECK_FALSE(evil.headers.contains("set-cookie"));
  CHECK_FALSE(evil.headers.contains("x-evil"));
  const auto empty = store.api.ask_as_admin({.path = store.attachment(store.blob(""), 0)});
  CHECK(empty.status == 200);
  CHECK(empty.headers.at("content-length") == "0");
}

TEST_CASE("sixty-four MiB go through a few hundred KiB of memory, and others are served meanwhile") {
  auto& store = Store::shared();
  const std::string content = noise(64 << 20);
  const auto path = store.attachment(store.blob(content), content.size());
  store.api.ask_as_admin({.path = "/v1/boards"});
  const long before = peak_kib(store.api.pid());
  RawConnection slow{store.api.port()};
  slow.send(request_for(store, path));
  RawConnection quick{store.api.port()};
  quick.send(request_for(store, path) + request_for(store, "/v1/boards?limit=1"));
  for (int n = 0; n < 5; ++n) CHECK(store.api.ask_as_admin({.path = "/v1/boards"}).status == 200);
  const auto first = quick.read_reply(seconds{30});
  REQUIRE(first.status == 200);
  CHECK((first.body == content));
  CHECK(quick.read_reply().status == 200);  // the connection goes on behind the file
  const auto second = slow.read_reply(seconds{30});
  REQUIRE(second.status == 200);
  CHECK((second.body == content));
  const long grown = peak_kib(store.api.pid()) - before;
  CAPTURE(grown);
  CHECK(grown < 8 * 1'024);
}

TEST_CASE("HEAD tells of a file without sending it") {
  auto& store = Store::shared();
  const auto path = store.attachment(store.blob("0123456789"), 10);
  RawConnection connection{store.api.port()};
  connection.send(request_for(store, path, "HEAD") + request_for(store, "/v1/boards?limit=1"));
  const auto head = connection.read_reply(seconds{5}, false);
  CHECK(head.status == 200);
  CHECK(head.headers.at("content-length") == "10");
  CHECK(connection.read_reply().body.starts_with("{\"data\":"));
}

TEST_CASE("a caller who leaves in the middle harms nobody") {
  auto& store = Store::shared();
  const std::string content = noise(8 << 20);
  const auto path = store.attachment(store.blob(content), content.size());
  for (int n = 0; n < 20; ++n) {
    RawConnection leaver{store.api.port()};
    leaver.send(request_for(store, path));
    if (n % 2 == 0) leaver.is_closed(std::chrono::milliseconds{5});  // reads a little
  }
  CHECK(store.api.ask_as_admin({.path = path}).body.size() == content.size());
}

TEST_CASE("so many files are sent at a time, the next is asked to come again, and places become free") {
  auto& store = Store::shared();
  const std::string content = noise(24 << 20);  // more than the sockets hold
  const auto path = store.attachment(store.blob(content), content.size());
  {
    std::vector<std::unique_ptr<RawConnection>> slow;
    const auto ask_for_one_more = [&] {
      slow.push_back(std::make_unique<RawConnection>(store.api.port()));
      slow.back()->send(request_for(store, path));
    };
    for (int n = 0; n < 64; ++n) ask_for_one_more();
    // Places of callers who left a moment ago may not be free yet: then one of these was refused, and the next takes its place.
    auto refused = store.api.ask_as_admin({.path = path});
    for (int tries = 0; tries < 100 && refused.status == 200; ++tries) {
      ask_for_one_more();
      refused = store.api.ask_as_admin({.path = path});
    }
    CHECK(refused.status == 503);
    CHECK(refused.headers.at("retry-after") == "1");
    CHECK(store.api.ask_as_admin({.path = "/v1/boards"}).status == 200);
  }
  auto again = store.api.ask_as_admin({.path = path});
  for (int tries = 0; tries < 100 && again.status == 503; ++tries) {
    std::this_thread::sleep_for(std::chrono::milliseconds{50});
    again = store.api.ask_as_admin({.path = path});
  }
  CHECK(again.status == 200);
  CHECK((again.body == content));
}

TEST_CASE("files that are missing, damaged or too large are problems, and tell nothing of the disk") {
  auto& store = Store::shared();
  const auto missing = store.api.ask_as_admin({.path = store.attachment(std::string(64, 'b'), 5)});
  CHECK(missing.status == 410);
  CHECK(missing.body.find("urn:postroom:problem:blob-missing") != std::string::npos);
  CHECK(missing.body.find("/blobs") == std::string::npos);
  CHECK(store.api.ask_as_admin({.path = store.attachment(store.blob("abc"), 4)}).status == 410);
  CHECK(store.api.ask_as_admin({.path = store.attachment("../../secrets/master-key", 45)}).status == 410);
  const auto large = store.api.ask_as_admin({.path = store.attachment(std::string(64, 'c'), (64 << 20) + 1)});
  CHECK(large.status == 422);
  CHECK(large.headers.at("content-type") == "application/problem+json");
}

TEST_CASE("a file that ends early ends the connection, so that nobody takes it for whole") {
  auto& store = Store::shared();
  const std::string content = noise(48 << 20);
  const std::string sha256 = store.blob(content);
  const auto path = store.attachment(sha256, content.size());
  RawConnection reader{store.api.port()};
  reader.send(request_for(store, path));
  std::this_thread::sleep_for(std::chrono::milliseconds{300});  // it is opened, and waits for us: the sockets hold a few MiB
  std::filesystem::resize_file(store.file_of(sha256), 16 << 20);
  const auto cut = reader.read_reply(seconds{20});
  CHECK(cut.status == 0);  // fewer bytes came than were announced
  CHECK(store.api.ask_as_admin({.path = "/v1/boards"}).status == 200);
}

TEST_CASE("a file with other bytes than were kept is not delivered") {
  auto& store = Store::shared();
  const std::string sha256 = store.blob("what was kept");
  std::ofstream{store.file_of(sha256), std::ios::binary} << "what was KEPT";
  CHECK(store.api.ask_as_admin({.path = store.attachment(sha256, 13)}).status == 0);
}

TEST_CASE("SIGTERM lets a download finish") {
  Store store;
  const std::string content = noise(32 << 20);
  const auto path = store.attachment(store.blob(content), content.size());
  RawConnection reader{store.api.port()};
  reader.send(request_for(store, path));
  std::this_thread::sleep_for(std::chrono::milliseconds{200});
  store.api.signal(SIGTERM);
  const auto reply = reader.read_reply(seconds{8});
  CHECK(reply.status == 200);
  CHECK((reply.body == content));
  CHECK(store.api.wait() == 0);
}

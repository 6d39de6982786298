// The front door and the real ledger behind it; the test plays the mail workers between them.

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <fstream>
#include <thread>

#include "common/crypto/crypto.hpp"
#include "common/messages/mail.hpp"
#include "tests/component/api/played_ledger.hpp"
#include "tests/support/child.hpp"

using namespace postroom;
using namespace postroom::support;
using std::chrono::milliseconds;
using std::chrono::seconds;

namespace {

// Plays a worker: publishes as it, and takes its jobs.
class PlayedWorker {
 public:
  PlayedWorker(const std::string& user, const std::string& queue) {
    auto& rabbit = Rabbit::shared();
    publisher_ = broker::make_publisher(rabbit.endpoint(user, "played publish"), owner_.executor());
    consumer_ = broker::make_consumer(rabbit.endpoint(user, "played consume"), owner_.executor());
    consumer_->subscribe({.queue = queue, .prefetch = 10});
    consumer_->on_deliveries([this](std::vector<broker::Delivery> all) {
      const std::lock_guard guard{mutex_};
      for (auto& one : all) jobs_.push_back(one);
      consumer_->ack_all(all);
      changed_.notify_all();
    });
    publisher_->start();
    consumer_->start();
  }
  ~PlayedWorker() {
    consumer_->stop();
    publisher_->stop(seconds{1});
  }

  // The next job with those words, or none in a minute.
  std::optional<broker::Delivery> next(std::string_view words) {
    std::unique_lock lock{mutex_};
    const auto deadline = std::chrono::steady_clock::now() + seconds{60};
    while (true) {
      while (!jobs_.empty()) {
        auto job = std::move(jobs_.front());
        jobs_.pop_front();
        if (job.body.find(words) != std::string::npos) return job;
      }
      if (changed_.wait_until(lock, deadline) == std::cv_status::timeout) return std::nullopt;
    }
  }

  template <class Message>
  bool publish(const Message& message, const std::string& id, const std::string& correlation_id) {
    for (int tries = 0; tries < 600 && publisher_->state() != broker::LinkState::open; ++tries) std::this_thread::sleep_for(milliseconds{50});
    const auto* route = broker::find_route(Message::type);
    broker::Outgoing out;
    out.exchange = route->exchange;
    out.routing_key = route->key;
    out.envelope.message_id = id;
    out.envelope.type = Message::type;
    out.envelope.correlation_id = correlation_id;
    out.envelope.timestamp = SystemClock{}.wall();
    out.body = codec::encode(message);
    std::unique_lock lock{mutex_};
    std::optional<broker::Published> outcome;
    publisher_->submit(std::move(out), [this, &outcome](broker::Published published) {
      const std::lock_guard guard{mutex_};
      outcome = published;
      changed_.notify_all();
    });
    changed_.wait_for(lock, seconds{60}, [&] { return outcome.has_value(); });
    return outcome == broker::Published::confirmed;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<broker::Delivery> jobs_;
  Owner owner_;
  std::unique_ptr<broker::Publisher> publisher_;
  std::unique_ptr<broker::Consumer> consumer_;
};

struct Town {
  RunningApi api;
  Child ledger{{POSTROOM_BINARY_DIR "/postroom-ledger", "--config", api.home().string()}, Child::Ending::terminate, [this] {
                 auto environment = api.environment();
                 environment.push_back("POSTROOM_ALLOW_ROOT=1");
                 return environment;
               }(), (api.home() / "log" / "ledger.log").string()};

  RawReply ask(Ask what) const { return api.ask_as_admin(std::move(what)); }
  RawReply get(const std::string& path) const { return ask({.path = path}); }

  // Repeats the question until the answer is as expected; gives the last one.
  template <class Expected>
  RawReply await(const std::string& path, Expected&& is_expected) const {
    RawReply reply;
    for (int tries = 0; tries < 600; ++tries) {
      reply = get(path);
      if (is_expected(reply)) return reply;
      std::this_thread::sleep_for(milliseconds{50});
    }
    return reply;
  }

  std::string connect(std::string_view kind, std::string_view url) const {
    const auto made = ask({"POST", "/v1/connections", fmt::format(R"({{"name":"{0}","kind":"{0}","base_url":"{1}","account":"a","secret":"s"}})", kind, url)});
    CAPTURE(made.body);
    REQUIRE(made.status == 201);
    return data_of(made, "id");
  }
  std::string blob(const std::string& content) const {
    const std::string sha256 = crypto::to_hex(crypto::sha256(content));
    const auto file = api.home() / "blobs" / sha256.substr(0, 2) / sha256;
    std::filesystem::create_directories(file.parent_path());
    std::ofstream{file, std::ios::binary} << content;
    return sha256;
  }
};

bool has(const RawReply& reply, std::string_view part) { return reply.body.find(part) != std::string::npos; }

// Refused by the ledger, with the place.
void check_refused(const RawReply& reply, int status, std::string_view place) {
  CAPTURE(reply.body);
  CHECK(reply.status == status);
  CHECK(reply.headers.at("content-type") == "application/problem+json");
  CHECK(has(reply, place));
}

messages::ParsedMail a_mail(std::string subject, std::string message_id) {
  messages::ParsedMail mail;
  mail.title = mail.subject = std::move(subject);
  mail.sender_address = "ann@example.org";
  mail.sender_name = "Ann";
  mail.message_id = std::move(message_id);
  mail.text = mail.reply_text = "It burns.";
  mail.may_be_confirmed = true;
  mail.sender_subject_key = crypto::to_hex(crypto::sha256(mail.subject));
  mail.content_key = crypto::to_hex(crypto::sha256(mail.message_id));
  return mail;
}

}  // namespace

TEST_CASE("inboxes, connections, settings and comments go through the real ledger, refusals with their place") {
  const Town town;
  const std::string imap = town.connect("imap", "imaps://mail.example.org"), smtp = town.connect("smtp", "smtp://mail.example.org");
  const std::string unknown = "00000000-0000-4000-8000-00000000ffff";
  check_refused(town.ask({"POST", "/v1/connections/" + smtp + "/test", R"({"folder":"INBOX"})"}), 422, "\"/folder\"");
  const auto draft = [&](std::string_view connection, std::string_view more = "") {
    return Ask{"POST", "/v1/inboxes", fmt::format(R"({{"name":"Support","connection_id":"{}","address":"Support@example.org"{}}})", connection, more)};
  };
  check_refused(town.ask(draft(unknown)), 422, "\"/connection_id\"");
  check_refused(town.ask(draft(smtp)), 422, "\"/connection_id\"");
  check_refused(town.ask(draft(imap, fmt::format(R"(,"board_id":"{}")", unknown))), 422, "\"/board_id\"");
  check_refused(town.ask(draft(imap, fmt::format(R"(,"board_id":"{}")", archived_board))), 422, "\"/board_id\"");
  check_refused(town.ask(draft(imap, fmt::format(R"(,"smtp_connection_id":"{}")", imap))), 422, "\"/smtp_connection_id\"");

  const auto made = town.ask(draft(imap, R"(,"interval_seconds":300,"since":"all")"));
  CAPTURE(made.body);
  REQUIRE(made.status == 201);
  const std::string id = data_of(made, "id"), path = "/v1/inboxes/" + id;
  CHECK(made.headers.at("location") == path);
  CHECK(made.headers.at("etag") == "\"v1\"");
  CHECK(data_of(made, "address") == "support@example.org");
  CHECK(has(made, R"("interval_seconds":300)"));
  CHECK(has(made, R"("since":null)"));
  check_refused(town.ask(draft(imap)), 409, "\"/name\"");
  check_refused(town.ask({"PATCH", path, R"({"name":"b"})", "", "If-Match: \"v999\"\r\n"}), 412, "");
  const auto changed = town.ask({"PATCH", path, fmt::format(R"({{"after":"move","after_folder":"Done","smtp_connection_id":"{}"}})", smtp)});
  CHECK(changed.status == 200);
  CHECK(data_of(changed, "after_folder") == "Done");
  const auto kept = town.ask({"PATCH", path, R"({"after":"keep","smtp_connection_id":null,"is_paused":true})"});
  CHECK(kept.status == 200);
  CHECK(has(kept, R"("after_folder":null)"));
  CHECK(has(kept, R"("smtp_connection_id":null)"));
  CHECK(town.ask({"POST", path + "/poll"}).status < 500);
  CHECK(data_of(town.get(path), "name") == "Support");
  CHECK(has(town.get("/v1/inboxes"), id));
  CHECK(has(town.get(path + "/report"), R"("total":0)"));

  check_refused(town.ask({"PATCH", "/v1/settings", fmt::format(R"({{"default_board_id":"{}"}})", unknown)}), 422, "\"/default_board_id\"");
  check_refused(town.ask({"PATCH", "/v1/settings", fmt::format(R"({{"smtp_connection_id":"{}"}})", imap)}), 422, "\"/smtp_connection_id\"");
  const auto settings = town.ask({"PATCH", "/v1/settings", fmt::format(R"({{"smtp_connection_id":"{}","sender_address":"desk@example.org"}})", smtp)});
  CHECK(settings.status == 200);
  CHECK(settings.headers.at("etag") == town.get("/v1/settings").headers.at("etag"));
  check_refused(town.ask({"PATCH", "/v1/settings", R"({"is_confirming":false})", "", "If-Match: \"v1\"\r\n"}), 412, "");

  // A board of its own: commands of earlier cases may still lie in the broker, and one of them deletes a board.
  const auto board = town.ask({"POST", "/v1/boards", R"({"name":"Fires","is_public":true,"target":{"kind":"desk"}})"});
  const auto posted = town.ask({"POST", "/v1/boards/" + data_of(board, "id") + "/tickets", R"({"title":"Printer on fire","creator_email":"ann@example.org"})"});
  CAPTURE(posted.body);
  const std::string ticket = "/v1/tickets/" + data_of(posted, "ticket_id");
  CHECK(town.await(ticket, [](const RawReply& reply) { return reply.status == 200; }).status == 200);
  const auto comment = town.ask({"POST", ticket + "/comments", R"({"text":"We are on our way.","is_public":true})"});
  CHECK(comment.status == 201);
  CHECK(comment.headers.at("location") == ticket + "/comments");
  CHECK(has(town.get(ticket + "/comments"), "We are on our way."));
  check_refused(town.ask({"POST", "/v1/tickets/" + unknown + "/comments", R"({"text":"a"})"}), 404, "not-found");
  const auto notices = town.get(ticket + "/notices");
  CAPTURE(notices.body);
  CHECK(has(notices, R"("kind":"confirmation")"));
  CHECK(has(notices, R"("kind":"comment")"));
  CHECK(has(notices, R"("recipient":"ann@example.org")"));
  CHECK(has(town.get(ticket), R"("delivery":null)"));
  CHECK(has(town.get("/v1/balance"), R"("mail":{)"));

  check_refused(town.ask({"DELETE", "/v1/connections/" + imap}), 409, "");
  CHECK(town.ask({"DELETE", path}).status == 200);
  CHECK(town.get(path).status == 404);
  CHECK(town.ask({"DELETE", path}).status == 404);
}

TEST_CASE("a mail is not there yet, then on the shelf, then sent on, then a ticket; each step is told over HTTP") {
  const Town town;
  const std::string imap = town.connect("imap", "imaps://mail.example.org");
  const auto made = town.ask({"POST", "/v1/inboxes", fmt::format(R"({{"name":"Support","connection_id":"{}","address":"support@example.org","since":"all"}})", imap)});
  REQUIRE(made.status == 201);
  const std::string inbox = data_of(made, "id");
  const auto accepted = [&] { return api::JsonDocument::parse(town.get("/v1/balance").body)->root()["data"]["accepted"].integer().value_or(-1); };
  const auto before = accepted();
  PlayedWorker poller{"imap_poller", "imap_poller"}, router{"mail_router", "mail_router"};

  const std::string content = "From: Ann <ann@example.org>\r\nMessage-ID: <one@example.org>\r\nSubject: Keys lost\r\n\r\nIt burns.\r\n";
  const std::string arrival = crypto::uuid_v5(inbox, {"7", "1"}), ticket = crypto::uuid_v5(arrival, {"ticket"});
  messages::MailArrived arrived;
  arrived.inbox_id = inbox;
  arrived.ticket_id = ticket;
  arrived.uid_validity = 7;
  arrived.uid = 1;
  arrived.blob = messages::BlobRef{town.blob(content), static_cast<std::int64_t>(content.size())};
  REQUIRE(poller.publish(arrived, arrival, arrival));

  const auto parse = router.next(arrival);
  REQUIRE(parse.has_value());
  const auto waiting = town.get("/v1/tickets/" + ticket);
  CHECK(waiting.status == 404);
  CHECK(has(waiting, "not-yet-applied"));
  CHECK(has(town.get("/v1/arrivals/" + arrival), R"("verdict":"pending")"));
  CHECK(has(town.get("/v1/arrivals?verdict=pending"), arrival));
  CHECK(has(town.get("/v1/balance"), R"("received":1)"));

  const auto answer = [&](const broker::Delivery& job) {
    messages::MailParsed parsed;
    parsed.arrival_id = arrival;
    parsed.parse_no = codec::decode<messages::MailParse>(job.body)->parse_no;
    parsed.mail = a_mail("Keys lost", "one@example.org");
    return router.publish(parsed, SystemIds{}.next(), arrival);
  };
  REQUIRE(answer(*parse));
  const auto shelved = town.await("/v1/tickets/" + ticket, [](const RawReply& reply) { return reply.status == 200; });
  CAPTURE(shelved.body);
  CHECK(data_of(shelved, "state") == "standby");
  const auto told = town.get("/v1/arrivals/" + arrival);
  CHECK(data_of(told, "verdict") == "standby");
  CHECK_FALSE(data_of(told, "why").empty());
  CHECK(data_of(told, "sender_address") == "ann@example.org");
  const std::string item = "/v1/standby/" + data_of(told, "standby_id");
  CHECK(has(town.get(item), "/v1/arrivals/" + arrival + "/raw"));
  const auto raw = town.get("/v1/arrivals/" + arrival + "/raw");
  CHECK(raw.status == 200);
  CHECK(raw.body == content);
  CHECK(has(town.get("/v1/tickets/" + ticket + "/timeline"), "\"action\""));

  auto elsewhere = arrived;
  elsewhere.blob->sha256 = std::string(64, 'd');
  check_refused(town.ask({"PUT", item, fmt::format(R"({{"body":{}}})", codec::encode(elsewhere))}), 422, "/body/blob");
  CHECK(town.get("/v1/arrivals/" + arrival + "/raw").body == content);

  CHECK(town.ask({"POST", item + "/assign", fmt::format(R"({{"board_id":"{}"}})", private_board)}).status == 200);
  CHECK(town.ask({"POST", item + "/retry"}).status < 300);
  const auto again = router.next(arrival);
  REQUIRE(again.has_value());
  REQUIRE(answer(*again));
  const auto opened = town.await("/v1/tickets/" + ticket, [](const RawReply& reply) { return data_of(reply, "state") == "new"; });
  CAPTURE(opened.body);
  CHECK(data_of(opened, "board_id") == private_board);
  CHECK(data_of(opened, "title") == "Keys lost");

  const auto report = town.get("/v1/inboxes/" + inbox + "/report");
  CHECK(has(report, R"("total":1,"ticket":1,)"));
  CHECK(has(town.get("/v1/arrivals?inbox=" + inbox + "&verdict=ticket"), arrival));
  CHECK(data_of(town.get("/v1/arrivals/" + arrival), "ticket_id") == ticket);
  const auto trace = town.get("/v1/trace?message_id=%3Cone%40example.org%3E");
  CHECK(data_of(trace, "correlation_id") == arrival);
  CHECK(has(trace, "Keys lost"));
  CHECK(accepted() == before + 1);
  CHECK(has(town.get("/v1/balance"), R"("received":0,"reply":0,)"));
}

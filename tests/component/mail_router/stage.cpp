#include "tests/component/mail_router/stage.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <fstream>
#include <sstream>

#include "common/blob/batch.hpp"
#include "common/codec/codec.hpp"
#include "common/crypto/crypto.hpp"

namespace postroom::mail_router {

namespace fs = std::filesystem;

namespace {

void write_private(const fs::path& path, std::string_view text) {
  std::ofstream{path} << text;
  fs::permissions(path, fs::perms::owner_read | fs::perms::owner_write);
}

}  // namespace

Stage::Stage() {
  for (const char* queue : {"mail_router", "ledger.results", "standby"}) rabbit_.ctl({"purge_queue", "-q", "-p", "postroom", queue});
  char pattern[] = "/tmp/postroom-stage-XXXXXX";
  home_ = mkdtemp(pattern);
  for (const char* folder : {"etc", "secrets", "run", "log"}) fs::create_directory(home_ / folder);
  fs::permissions(home_ / "secrets", fs::perms::owner_all);
  write_private(home_ / "secrets" / "broker-mail_router", rabbit_.endpoint("mail_router").password);
  write_private(home_ / "secrets" / "key-message-id", crypto::to_base64(message_id_key()));
  write_private(home_ / "etc" / "postroom.toml", fmt::format("[installation]\nid = \"{}\"\n[broker]\nport = {}\n", installation, rabbit_.port()));
  auto opened = blob::Store::open(home_ / "blobs");
  REQUIRE(opened.ok());
  store_ = std::move(*opened);
  const auto on_loop = [this](std::function<void()> work) { loop_.post(std::move(work)); };
  publisher_ = broker::make_publisher(rabbit_.endpoint("ledger", "stage publish"), on_loop);
  consumer_ = broker::make_consumer(rabbit_.endpoint("ledger", "stage consume"), on_loop);
  for (const char* queue : {"ledger.results", "standby"}) consumer_->subscribe({queue, 200});
  consumer_->on_deliveries([this](std::vector<broker::Delivery> burst) { take(std::move(burst)); });
  publisher_->start();
  consumer_->start();
  run_until([this] { return consumer_->consuming() == 2 && publisher_->state() == broker::LinkState::open; });
}

Stage::~Stage() {
  publisher_->stop(std::chrono::milliseconds{0});
  consumer_->stop();
  if (getenv("POSTROOM_KEEP_STAGE") == nullptr) fs::remove_all(home_);
}

std::unique_ptr<support::Child> Stage::start_router(std::vector<std::string> environment, fs::path programs) {
  if (programs.empty()) programs = POSTROOM_BINARY_DIR;
  environment.push_back("POSTROOM_ALLOW_ROOT=1");
  return std::make_unique<support::Child>(std::vector<std::string>{(programs / "postroom-mail_router").string(), "--config", home_.string()},
                                          support::Child::Ending::terminate, std::move(environment), (home_ / "log" / "mail_router").string());
}

fs::path Stage::programs_with(std::string_view sandbox) {
  const fs::path folder = home_ / "programs";
  fs::create_directories(folder);
  const fs::path build = POSTROOM_BINARY_DIR;
  fs::copy_file(build / "postroom-mail_router", folder / "postroom-mail_router", fs::copy_options::skip_existing);
  if (!sandbox.empty()) fs::copy_file(build / sandbox, folder / "postroom-mail-sandbox");
  return folder;
}

blob::Ref Stage::store(std::string_view mail) {
  blob::Batch batch{*store_};
  auto ref = batch.add(mail);
  REQUIRE(ref.ok());
  REQUIRE(batch.commit().ok());
  return *ref;
}

std::string Stage::publish(const blob::Ref& mail, std::int64_t parse_no) {
  const std::string arrival = ids_.next();
  send(messages::MailParse::type, codec::encode(messages::MailParse{arrival, parse_no, {mail.sha256, mail.size}, {"desk@example.org"}}), arrival);
  return arrival;
}

void Stage::publish_raw(std::string_view type, std::string body) { send(type, std::move(body), ids_.next()); }

void Stage::send(std::string_view type, std::string body, std::string correlation_id) {
  broker::Outgoing message{"work", "mail_router", {}, std::move(body)};
  message.envelope.message_id = ids_.next();
  message.envelope.type = type;
  message.envelope.correlation_id = std::move(correlation_id);
  message.envelope.timestamp = clock_.wall();
  publisher_->submit(std::move(message), [](broker::Published) {});
}

void Stage::run_until(const std::function<bool()>& is_there, std::chrono::milliseconds limit) {
  const auto until = clock_.steady() + limit;
  loop::Timer look{loop_, [&] { loop_.stop(); }};
  while (!is_there()) {
    REQUIRE_MESSAGE(clock_.steady() < until, "not there in time; the router said:\n" << router_log());
    look.after(std::chrono::milliseconds{20});
    loop_.run();
  }
}

void Stage::run_for(std::chrono::milliseconds time) {
  const auto until = clock_.steady() + time;
  run_until([&] { return clock_.steady() >= until; }, time + std::chrono::seconds{5});
}

void Stage::take(std::vector<broker::Delivery> burst) {
  for (const auto& one : burst) {
    if (one.queue == "standby") {
      ++shelved;
      continue;
    }
    CHECK(one.envelope.type == messages::MailParsed::type);
    CHECK(one.envelope.user_id == "mail_router");
    auto parsed = codec::decode<messages::MailParsed>(one.body);
    REQUIRE(parsed.ok());
    told.push_back({std::move(*parsed), one.envelope, one.body.size()});
  }
  consumer_->ack_all(burst);
}

const messages::MailParsed* Stage::of(const std::string& arrival_id) const {
  for (const Told& one : told) {
    if (one.parsed.arrival_id == arrival_id) return &one.parsed;
  }
  return nullptr;
}

std::string Stage::content(const messages::BlobRef& ref) const {
  auto bytes = store_->read({ref.sha256, ref.size}, 100 << 20);
  REQUIRE(bytes.ok());
  return *bytes;
}

std::string Stage::health(const support::Child& router) const {
  const std::string path = (home_ / "run" / "health" / fmt::format("mail_router-{}.sock", router.pid())).string();
  const int line = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  path.copy(address.sun_path, sizeof address.sun_path - 1);
  std::string answer;
  const std::string_view request = "GET /healthz HTTP/1.0\r\n\r\n";
  if (::connect(line, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0 &&
      ::write(line, request.data(), request.size()) == static_cast<ssize_t>(request.size())) {
    char part[4'096];
    for (ssize_t count; (count = ::read(line, part, sizeof part)) > 0;) answer.append(part, static_cast<std::size_t>(count));
  }
  ::close(line);
  return answer;
}

std::string Stage::queue_depths() {
  std::istringstream lines{rabbit_.ctl({"list_queues", "-q", "--no-table-headers", "-p", "postroom", "name", "messages_ready", "messages_unacknowledged"})};
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words{line};
    std::string name, ready, held;
    words >> name >> ready >> held;
    if (name == "mail_router") return ready + " " + held;
  }
  return "no such queue";
}

std::string Stage::router_log() const {
  std::ostringstream text;
  text << std::ifstream{home_ / "log" / "mail_router"}.rdbuf();
  return text.str();
}

}  // namespace postroom::mail_router

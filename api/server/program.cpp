#include "api/server/program.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/signal_set.hpp>
#include <csignal>
#include <map>
#include <stdexcept>

#include "api/openapi.hpp"
#include "api/server/neighbours.hpp"
#include "api/server/server.hpp"
#include "common/base/log.hpp"
#include "common/broker/topology.hpp"
#include "common/crypto/crypto.hpp"
#include "common/metrics/metrics.hpp"
#include "common/store/reading.hpp"

namespace postroom::api {

namespace asio = boost::asio;
using boost::system::error_code;

namespace {

constexpr std::chrono::seconds drain_limit{8};
constexpr std::chrono::milliseconds flush_limit{500};

std::string secret(const Config& config, std::string_view name) {
  auto value = read_secret(config, name);
  if (!value) throw std::runtime_error{value.error().text()};
  return std::move(*value);
}

Settings settings_of(const Config& config) {
  std::string url = config.api.public_url;
  if (url.empty()) url = fmt::format("http://{}:{}", config.api.listen_host, config.api.listen_port);
  while (url.ends_with('/')) url.pop_back();
  if (!is_uuid(config.installation.id)) throw std::runtime_error{"installation.id is not a UUID: run `postroom init`"};
  return Settings{.installation = config.installation.id,
                  .public_url = std::move(url),
                  .body_limit = static_cast<std::uint64_t>(config.api.body_limit),
                  .publish_timeout = config.api.publish_timeout,
                  .reply_wait = config.api.reply_wait,
                  .may_call_plain_http = !config.outbound.allow.empty()};
}

// Seals for every kind of connection, with the key of the worker that calls it; the keys never leave this function's captures.
Seal make_seal(const Config& config) {
  const std::string master = secret(config, "master-key");
  std::map<messages::ConnectionKind, crypto::Sealer> sealers;
  for (const auto& [kind, name] : messages::enum_names<messages::ConnectionKind>) {
    auto sealer = crypto::Sealer::from_master_key(master, messages::worker_of(kind));
    if (!sealer) throw std::runtime_error{sealer.error().text()};
    sealers.emplace(kind, std::move(*sealer));
  }
  return [sealers = std::move(sealers)](messages::ConnectionKind kind, std::string_view id, std::string_view plain) {
    return sealers.at(kind).seal_repeatably(plain, crypto::connection_place(id));
  };
}

broker::Endpoint endpoint_of(const Config& config, std::string_view what) {
  return broker::Endpoint{.host = config.broker.host,
                          .port = config.broker.port,
                          .vhost = config.broker.vhost,
                          .user = "api",
                          .password = secret(config, "broker-api"),
                          .connection_name = fmt::format("api-{} {}", getpid(), what),
                          .heartbeat = config.broker.heartbeat};
}

std::string_view name_of(broker::LinkState state) {
  switch (state) {
    case broker::LinkState::connecting: return "not connected";
    case broker::LinkState::open: return "open";
    case broker::LinkState::blocked: return "blocked by the broker (memory or disk alarm)";
  }
  return "";
}

class Program {
 public:
  explicit Program(const Config& config)
      : config_(config),
        settings_(settings_of(config)),
        seal_(make_seal(config)),
        bodies_(openapi_document()),
        door_(settings_, identities_, bodies_, clock_, ids_),
        reply_queue_(broker::reply_queue("api", fmt::format("{}-{}", getpid(), crypto::to_hex(crypto::random_bytes(4))))),
        publisher_(broker::make_publisher(endpoint_of(config, "publish"), on_loop())),
        consumer_(broker::make_consumer(endpoint_of(config, "consume"), on_loop())),
        performer_(settings_, clock_, *publisher_, reply_queue_, recorded(), [this] { wake_for_deadlines(); }),
        readers_(config.database()),
        neighbours_(loop_.get_executor(), config.health_dir()),
        service_(ports(), performer_, readers_),
        server_(loop_, Session::House{settings_, door_, service_, clock_, SessionLimits{}}, static_cast<std::size_t>(config.api.connection_limit)) {
    identities_.add(secret(config, "admin-token"), Principal{"admin", {"administrator"}});
    metrics::gauge("api_unconfirmed", [this] { return static_cast<double>(publisher_->unconfirmed()); });
  }

  void run() {
    listen_to_the_broker();
    const auto port = server_.listen(config_.api.listen_host, config_.api.listen_port);
    log::info("listening", {{"host", config_.api.listen_host}, {"port", std::to_string(port)}});
    signals_.async_wait([this](error_code failed, int) {
      if (!failed) leave();
    });
    loop_.run();
    readers_.stop();  // what it still reads for belongs to sessions that go next
    publisher_->stop(flush_limit);
    consumer_->stop();
    log::info("stopped");
  }

 private:
  broker::Executor on_loop() {
    return [this](std::function<void()> work) { asio::post(loop_, std::move(work)); };
  }

  Service::Ports ports() {
    return Service::Ports{.settings = settings_,
                          .clock = clock_,
                          .seal = seal_,
                          .loop = on_loop(),
                          .link_trouble = [this] { return link_trouble(); },
                          .gather = [this](Gather what, Done done) { gather(what, std::move(done)); },
                          .blobs = config_.blob_dir()};
  }

  // What the ledger recorded of a command, read on a reader's thread.
  LookUp recorded() {
    return [this](std::string id, std::string fingerprint, Found found) {
      auto shared_found = std::make_shared<Found>(std::move(found));
      const bool taken = readers_.read([this, id = std::move(id), fingerprint = std::move(fingerprint), shared_found](store::Reading* reading) {
        std::optional<messages::CommandReplied> answer;
        if (reading != nullptr) {
          const auto row = reading->command(id);
          const bool is_final = row && *row && (*row)->status != 202 && (*row)->fingerprint == fingerprint;
          if (is_final) answer = messages::CommandReplied{id, (*row)->status, {(*row)->result}};
        }
        asio::post(loop_, [shared_found, answer = std::move(answer)]() mutable { (*shared_found)(std::move(answer)); });
      });
      if (!taken) asio::post(loop_, [shared_found] { (*shared_found)(std::nullopt); });
    };
  }

  void listen_to_the_broker() {
    consumer_->own(broker::OwnQueue{.name = reply_queue_, .exchange = std::string{broker::names::reply}, .keys = {reply_queue_}});
    consumer_->on_deliveries([this](std::vector<broker::Delivery> replies) { performer_.take_replies(replies); });
    publisher_->start();
    consumer_->start();
  }

  std::vector<std::string> link_trouble() const {
    std::vector<std::string> reasons;
    if (publisher_->state() != broker::LinkState::open) reasons.push_back(fmt::format("the publishing link is {}", name_of(publisher_->state())));
    if (consumer_->state() != broker::LinkState::open) reasons.push_back(fmt::format("the reply link is {}", name_of(consumer_->state())));
    return reasons;
  }

  void gather(Gather what, Done done) {
    if (what == Gather::metrics) {
      return neighbours_.ask("/metrics", [done = std::move(done)](std::vector<Neighbour> all) { done(metrics_report(all)); });
    }
    neighbours_.ask("/healthz", [this, done = std::move(done)](std::vector<Neighbour> all) { done(health_report(link_trouble(), all)); });
  }

  void wake_for_deadlines() {
    const auto next = performer_.next_deadline();
    if (!next) return;
    deadlines_.expires_at(*next);
    deadlines_.async_wait([this](error_code moved) {
      if (moved) return;
      performer_.expire();
      wake_for_deadlines();
    });
  }

  void leave() {
    log::info("stopping: no new connections, requests under way are finished");
    server_.drain(drain_limit, [this] { loop_.stop(); });
  }

  const Config& config_;
  SystemClock clock_;
  SystemIds ids_;
  Settings settings_;
  Identities identities_;
  Seal seal_;
  BodyCheck bodies_;
  FrontDoor door_;
  asio::io_context loop_{1};
  asio::signal_set signals_{loop_, SIGTERM, SIGINT};
  asio::steady_timer deadlines_{loop_};
  std::string reply_queue_;
  std::unique_ptr<broker::Publisher> publisher_;
  std::unique_ptr<broker::Consumer> consumer_;
  Performer performer_;
  Readers readers_;
  Neighbours neighbours_;
  Service service_;
  Server server_;
};

}  // namespace

Config load(const std::filesystem::path& home) {
  if (const auto fine = check_user(); !fine) throw std::runtime_error{fine.error().text()};
  auto config = load_config(home);
  if (!config) throw std::runtime_error{config.error().text()};
  log::configure("api", config->log.level, config->log.format);
  return std::move(*config);
}

void run(const Config& config) {
  std::signal(SIGPIPE, SIG_IGN);
  Program{config}.run();
}

}  // namespace postroom::api

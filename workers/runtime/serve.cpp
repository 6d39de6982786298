#include "workers/runtime/serve.hpp"

#include <fmt/format.h>
#include <signal.h>
#include <unistd.h>

#include <exception>
#include <optional>

#include "common/base/log.hpp"
#include "common/base/text.hpp"
#include "common/broker/topology.hpp"
#include "common/http/client.hpp"
#include "common/loop/health_server.hpp"
#include "common/metrics/metrics.hpp"
#include "common/smtp/client.hpp"
#include "workers/runtime/worker.hpp"

namespace postroom::worker {

namespace {

using std::chrono::milliseconds;
constexpr milliseconds longest_talk_at_end{7'000};  // requests under way
constexpr milliseconds longest_end{8'000};          // and their reports
constexpr milliseconds longest_flush{1'000};        // and the broker's confirms

std::optional<std::filesystem::path> home_of(int argc, char** argv) {
  if (argc == 1) return std::filesystem::path{};
  if (argc == 3 && std::string_view{argv[1]} == "--config") return std::filesystem::path{argv[2]};
  return std::nullopt;
}

Rules rules_of(const Config& config, std::string_view user) {
  Rules rules;
  rules.instance = fmt::format("{}-{}", getpid(), crypto::to_hex(crypto::random_bytes(4)));
  rules.reply_key = broker::reply_queue(user, rules.instance);
  rules.http_timeout = config.delivery.http_timeout;
  rules.smtp_timeout = config.notify.smtp_timeout;
  rules.claim_answer = config.delivery.claim_answer;
  rules.first_byte = config.delivery.first_byte;
  rules.retry_after_cap = config.delivery.retry_after_cap;
  return rules;
}

broker::Endpoint endpoint_of(const Config& config, const std::string& user, const std::string& password, std::string_view purpose) {
  return {config.broker.host, config.broker.port, config.broker.vhost, user, password,
          fmt::format("{}-{} {}", user, getpid(), purpose), config.broker.heartbeat};
}

std::string health_of(const std::string& name, const broker::Publisher& publisher, const broker::Consumer& consumer, std::size_t queues) {
  std::string reasons;
  const auto add = [&](bool is_wrong, std::string_view reason) {
    if (is_wrong) reasons += fmt::format("{}\"{}\"", reasons.empty() ? "" : ",", reason);
  };
  add(publisher.state() == broker::LinkState::connecting, "the broker is away (publishing)");
  add(publisher.state() == broker::LinkState::blocked, "the broker refuses messages");
  add(consumer.state() != broker::LinkState::open, "the broker is away (consuming)");
  add(consumer.state() == broker::LinkState::open && consumer.consuming() < queues, "not all queues are consumed");
  return fmt::format(R"({{"status":"{}","reasons":[{}],"name":"{}","pid":{}}})", reasons.empty() ? "ok" : "degraded", reasons, name, getpid());
}

class Process {
 public:
  Process(const Config& config, Trade trade, const std::string& password, crypto::Sealer sealer, std::unique_ptr<http::Http> http,
          std::unique_ptr<smtp::Smtp> smtp, loop::Loop& loop, SystemClock& clock)
      : name_(trade.name),
        loop_(loop),
        http_(std::move(http)),
        smtp_(std::move(smtp)),
        clock_(clock),
        publisher_(broker::make_publisher(endpoint_of(config, name_, password, "publish"), on_loop())),
        consumer_(broker::make_consumer(endpoint_of(config, name_, password, "consume"), on_loop())),
        desk_{rules_of(config, name_), std::move(sealer), *publisher_, *consumer_, *http_, *smtp_, clock_, ids_,
              [this](SteadyTime then) { wake_.after(std::chrono::ceil<milliseconds>(then - clock_.steady())); }, [this] { loop_.stop(); }},
        worker_(std::move(trade), desk_),
        wake_(loop_, [this] { worker_.on_time(); }),
        last_call_(loop_, [this] { loop_.stop(); }),
        health_(loop_, (config.health_dir() / fmt::format("{}-{}.sock", name_, getpid())).string(),
                [this] { return health_of(name_, *publisher_, *consumer_, 2); }) {
    for (const std::string& queue : {name_, name_ + ".test"}) consumer_->subscribe({queue, broker::find_queue(queue)->prefetch});
    consumer_->own({desk_.rules.reply_key, std::string{broker::names::reply}, {desk_.rules.reply_key}});
    consumer_->on_deliveries([this](std::vector<broker::Delivery> burst) { worker_.on_deliveries(std::move(burst)); });
    consumer_->on_state([this](broker::LinkState state) { tell("consuming", state); });
    publisher_->on_state([this](broker::LinkState state) { tell("publishing", state); });
    metrics::gauge("jobs_in_flight", [this] { return static_cast<double>(worker_.in_flight()); });
    for (const int number : {SIGTERM, SIGINT}) loop_.on_signal(number, [this] { end(); });
  }

  void run() {
    publisher_->start();
    consumer_->start();
    log::info("started", {{"instance", desk_.rules.instance}});
    loop_.run();
    publisher_->stop(longest_flush);
    consumer_->stop();  // what was not acknowledged goes to another worker
    log::info("stopped", {{"unfinished", std::to_string(worker_.in_flight())}});
  }

 private:
  broker::Executor on_loop() {
    return [this](std::function<void()> work) { loop_.post(std::move(work)); };
  }
  void tell(std::string_view link, broker::LinkState state) {
    log::info("link", {{"link", std::string{link}},
                       {"state", state == broker::LinkState::open ? "open" : state == broker::LinkState::blocked ? "blocked" : "connecting"}});
  }
  void end() {
    if (is_ending_) return;
    is_ending_ = true;
    log::info("stopping", {{"in_flight", std::to_string(worker_.in_flight())}});
    consumer_->quiet();
    last_call_.after(longest_end);
    worker_.drain(clock_.steady() + longest_talk_at_end);
  }

  std::string name_;
  loop::Loop& loop_;
  std::unique_ptr<http::Http> http_;
  std::unique_ptr<smtp::Smtp> smtp_;
  SystemClock& clock_;
  SystemIds ids_;
  std::unique_ptr<broker::Publisher> publisher_;
  std::unique_ptr<broker::Consumer> consumer_;
  Desk desk_;
  Worker worker_;
  loop::Timer wake_;
  loop::Timer last_call_;
  loop::HealthServer health_;
  bool is_ending_ = false;
};

// Everything that can be wrong before the first connection, as one error.
Result<void> run(const std::filesystem::path& home, const std::string& name, const std::function<Result<Trade>(const Config&)>& make_trade) {
  if (const auto user = check_user(); !user) return user.error();
  auto config = load_config(home);
  if (!config) return config.error();
  log::configure(name, config->log.level, config->log.format);
  auto password = read_secret(*config, "broker-" + name);
  if (!password) return password.error();
  auto key = read_secret(*config, "key-" + name);
  if (!key) return key.error();
  auto sealer = crypto::Sealer::from_kind_key(*key, name);
  if (!sealer) return sealer.error();
  auto trade = make_trade(*config);
  if (!trade) return trade.error();
  loop::Loop loop;
  SystemClock clock;
  auto http = http::make_client(loop, clock, {config->outbound.allow, config->outbound.ca_file});
  if (!http) return http.error();
  auto smtp = smtp::make_client(loop, clock, {config->outbound.allow, config->outbound.ca_file});
  if (!smtp) return smtp.error();
  std::filesystem::create_directories(config->health_dir());
  Process{*config, std::move(*trade), *password, std::move(*sealer), std::move(*http), std::move(*smtp), loop, clock}.run();
  return {};
}

}  // namespace

int serve(int argc, char** argv, Trade trade) {
  const std::string name = trade.name;
  return serve(argc, argv, name, [&](const Config&) -> Result<Trade> { return std::move(trade); });
}

int serve(int argc, char** argv, std::string name, const std::function<Result<Trade>(const Config&)>& make_trade) {
  const auto home = home_of(argc, argv);
  if (!home) {
    fmt::print(stderr, "usage: postroom-{} [--config HOME]\n", name);
    return 2;
  }
  signal(SIGPIPE, SIG_IGN);
  log::configure(name, log::Level::info, log::Format::json);
  try {
    if (const auto ran = run(*home, name, make_trade); !ran) {
      log::error("cannot start", {{"reason", ran.error().text()}});
      return 2;
    }
  } catch (const std::exception& unexpected) {
    log::error("cannot go on", {{"reason", unexpected.what()}});
    return 1;
  }
  return 0;
}

}  // namespace postroom::worker

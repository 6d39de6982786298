#include "workers/mail_router/process.hpp"

#include <fmt/format.h>
#include <signal.h>
#include <unistd.h>

#include <exception>
#include <optional>

#include "common/base/config.hpp"
#include "common/base/log.hpp"
#include "common/base/text.hpp"
#include "common/broker/topology.hpp"
#include "common/crypto/crypto.hpp"
#include "common/loop/health_server.hpp"
#include "common/metrics/metrics.hpp"
#include "workers/mail_router/keeper.hpp"
#include "workers/mail_router/router.hpp"

namespace postroom::mail_router {

namespace {

using std::chrono::milliseconds;
constexpr const char* name = "mail_router";
constexpr milliseconds longest_end{8'000};    // mails that are being read, and their answers
constexpr milliseconds longest_flush{1'000};  // and the broker's confirms

struct Setting {
  Config config;
  std::string password;
  mail::Home home;
  blob::Store store;
};

std::optional<std::filesystem::path> home_of(int argc, char** argv) {
  if (argc == 1) return std::filesystem::path{};
  if (argc == 3 && std::string_view{argv[1]} == "--config") return std::filesystem::path{argv[2]};
  return std::nullopt;
}

// Everything that can be wrong before the first connection, as one error.
Result<Setting> prepare(const std::filesystem::path& folder) {
  if (const auto user = check_user(); !user) return user.error();
  auto config = load_config(folder);
  if (!config) return config.error();
  log::configure(name, config->log.level, config->log.format);
  auto password = read_secret(*config, std::string{"broker-"} + name);
  if (!password) return password.error();
  const auto text = read_secret(*config, "key-message-id");
  if (!text) return text.error();
  auto key = crypto::from_base64(*text);
  if (!key || key->size() != 32)
    return Error{Code::bad_message, "is not 32 bytes of base64; `postroom init` writes it when it is missing", config->secret_file("key-message-id").string()};
  auto store = blob::Store::open(config->blob_dir());
  if (!store) return store.error();
  mail::Home home;
  home.own.installation_id = config->installation.id;
  home.message_id_host = mail::message_id_host(config->installation.id);
  home.hmac = [key = std::move(*key)](std::string_view data) { return crypto::hmac_sha256(key, data); };
  return Setting{std::move(*config), std::move(*password), std::move(home), std::move(*store)};
}

class Process {
 public:
  Process(const Setting& setting, loop::Loop& loop)
      : loop_(loop),
        publisher_(broker::make_publisher(endpoint(setting, "publish"), on_loop())),
        consumer_(broker::make_consumer(endpoint(setting, "consume"), on_loop())),
        sandbox_(loop, {}),
        keeper_(on_loop()),
        desk_{*publisher_, *consumer_, [this](mail_sandbox::Job job) { sandbox_.submit(std::move(job)); }, setting.store,
              [this](blob::Batch batch, std::function<void(Result<void>)> done) { keeper_.keep(std::move(batch), std::move(done)); },
              clock_, ids_, setting.home,
              [this](SteadyTime then) { wake_.after(std::max(milliseconds{0}, std::chrono::ceil<milliseconds>(then - clock_.steady()))); },
              [this] { loop_.stop(); }},
        router_(desk_),
        wake_(loop, [this] { router_.on_time(); }),
        last_call_(loop, [this] { loop_.stop(); }),
        health_(loop, (setting.config.health_dir() / fmt::format("{}-{}.sock", name, getpid())).string(), [this] { return health(); }) {
    consumer_->subscribe({name, broker::find_queue(name)->prefetch});
    consumer_->on_deliveries([this](std::vector<broker::Delivery> burst) { router_.on_deliveries(std::move(burst)); });
    consumer_->on_state([](broker::LinkState state) { tell("consuming", state); });
    publisher_->on_state([](broker::LinkState state) { tell("publishing", state); });
    metrics::gauge("jobs_in_flight", [this] { return static_cast<double>(router_.in_flight()); });
    metrics::gauge("sandbox_children_started", [this] { return static_cast<double>(sandbox_.counts().children); });
    metrics::gauge("sandbox_breaches", [this] { return static_cast<double>(sandbox_.counts().breaches); });
    for (const int number : {SIGTERM, SIGINT}) loop_.on_signal(number, [this] { end(); });
  }

  void run() {
    publisher_->start();
    consumer_->start();
    log::info("started", {{"pid", std::to_string(getpid())}});
    loop_.run();
    publisher_->stop(longest_flush);
    consumer_->stop();  // what was not acknowledged goes to another router
    log::info("stopped", {{"unfinished", std::to_string(router_.in_flight())}});
  }

 private:
  static broker::Endpoint endpoint(const Setting& setting, std::string_view purpose) {
    const auto& broker = setting.config.broker;
    return {broker.host, broker.port, broker.vhost, name, setting.password, fmt::format("{}-{} {}", name, getpid(), purpose), broker.heartbeat};
  }
  broker::Executor on_loop() {
    return [this](std::function<void()> work) { loop_.post(std::move(work)); };
  }
  static void tell(std::string_view link, broker::LinkState state) {
    log::info("link", {{"link", std::string{link}},
                       {"state", state == broker::LinkState::open ? "open" : state == broker::LinkState::blocked ? "blocked" : "connecting"}});
  }
  std::string health() const {
    std::string reasons;
    const auto add = [&](bool is_wrong, std::string_view reason) {
      if (is_wrong) reasons += fmt::format("{}\"{}\"", reasons.empty() ? "" : ",", json_escaped(reason));
    };
    add(publisher_->state() == broker::LinkState::connecting, "the broker is away (publishing)");
    add(publisher_->state() == broker::LinkState::blocked, "the broker refuses messages");
    add(consumer_->state() != broker::LinkState::open, "the broker is away (consuming)");
    add(consumer_->state() == broker::LinkState::open && consumer_->consuming() == 0, "not all queues are consumed");
    add(!router_.trouble().empty(), "mails wait: " + router_.trouble());
    return fmt::format(R"({{"status":"{}","reasons":[{}],"name":"{}","pid":{}}})", reasons.empty() ? "ok" : "degraded", reasons, name, getpid());
  }
  void end() {
    if (is_ending_) return;
    is_ending_ = true;
    log::info("stopping", {{"in_flight", std::to_string(router_.in_flight())}});
    consumer_->quiet();
    last_call_.after(longest_end);
    router_.drain();
  }

  loop::Loop& loop_;
  SystemClock clock_;
  SystemIds ids_;
  std::unique_ptr<broker::Publisher> publisher_;
  std::unique_ptr<broker::Consumer> consumer_;
  mail_sandbox::Sandbox sandbox_;
  Keeper keeper_;
  Desk desk_;
  Router router_;
  loop::Timer wake_;
  loop::Timer last_call_;
  loop::HealthServer health_;
  bool is_ending_ = false;
};

Result<void> run(const std::filesystem::path& folder) {
  const auto setting = prepare(folder);
  if (!setting) return setting.error();
  loop::Loop loop;
  std::filesystem::create_directories(setting->config.health_dir());
  Process{*setting, loop}.run();
  return {};
}

}  // namespace

int serve(int argc, char** argv) {
  const auto home = home_of(argc, argv);
  if (!home) {
    fmt::print(stderr, "usage: postroom-{} [--config HOME]\n", name);
    return 2;
  }
  signal(SIGPIPE, SIG_IGN);
  log::configure(name, log::Level::info, log::Format::json);
  try {
    if (const auto ran = run(*home); !ran) {
      log::error("cannot start", {{"reason", ran.error().text()}});
      return 2;
    }
  } catch (const std::exception& unexpected) {
    log::error("cannot go on", {{"reason", unexpected.what()}});
    return 1;
  }
  return 0;
}

}  // namespace postroom::mail_router

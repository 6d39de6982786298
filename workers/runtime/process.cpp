#include "workers/runtime/process.hpp"

#include <fmt/format.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <exception>
#include <optional>

#include "common/base/log.hpp"
#include "common/base/text.hpp"
#include "common/broker/topology.hpp"
#include "common/crypto/crypto.hpp"
#include "common/loop/health_server.hpp"
#include "common/metrics/metrics.hpp"

namespace postroom::worker {

namespace {

using std::chrono::milliseconds;
constexpr milliseconds longest_talk_at_end{7'000};  // what is under way
constexpr milliseconds longest_end{8'000};          // and its reports
constexpr milliseconds longest_flush{1'000};        // and the broker's confirms

std::optional<std::filesystem::path> home_of(int argc, char** argv) {
  if (argc == 1) return std::filesystem::path{};
  if (argc == 3 && std::string_view{argv[1]} == "--config") return std::filesystem::path{argv[2]};
  return std::nullopt;
}

class Process {
 public:
  Process(const Config& config, const Calling& calling, const std::string& password, loop::Loop& loop)
      : calling_(calling),
        config_(config),
        loop_(loop),
        instance_(fmt::format("{}-{}", getpid(), crypto::to_hex(crypto::random_bytes(4)))),
        publisher_(broker::make_publisher(endpoint(password, "publish"), on_loop())),
        consumer_(broker::make_consumer(endpoint(password, "consume"), on_loop())),
        house_{config, loop, clock_, ids_, *publisher_, *consumer_, instance_, broker::reply_queue(calling.name, instance_),
               [this](SteadyTime then) { wake_.after(std::max(milliseconds{0}, std::chrono::ceil<milliseconds>(then - clock_.steady()))); },
               [this] { loop_.stop(); }},
        wake_(loop_, [this] { work_->on_time(); }),
        last_call_(loop_, [this] { loop_.stop(); }) {}

  Result<void> run() {
    auto work = calling_.begin(house_);
    if (!work) return work.error();
    work_ = std::move(*work);
    for (const std::string& queue : calling_.queues) subscribe(queue);
    consumer_->own({house_.reply_key, std::string{broker::names::reply}, {house_.reply_key}});
    consumer_->on_deliveries([this](std::vector<broker::Delivery> burst) { take(std::move(burst)); });
    consumer_->on_state([](broker::LinkState state) { tell("consuming", state); });
    publisher_->on_state([](broker::LinkState state) { tell("publishing", state); });
    metrics::gauge("jobs_in_flight", [this] { return static_cast<double>(work_->in_flight()); });
    for (const int number : {SIGTERM, SIGINT}) loop_.on_signal(number, [this] { end(); });
    std::filesystem::create_directories(config_.health_dir());
    const loop::HealthServer health{loop_, (config_.health_dir() / fmt::format("{}-{}.sock", calling_.name, getpid())).string(),
                                    [this] { return health_json(); }};
    publisher_->start();
    consumer_->start();
    log::info("started", {{"instance", instance_}});
    loop_.run();
    publisher_->stop(longest_flush);
    consumer_->stop();  // what was not acknowledged goes to another worker
    log::info("stopped", {{"unfinished", std::to_string(work_->in_flight())}});
    return {};
  }

 private:
  void subscribe(const std::string& queue) {
    const auto prefetch = broker::find_queue(queue)->prefetch;
    const bool is_wary = calling_.is_wary && prefetch > 1;
    consumer_->subscribe({queue, is_wary ? std::uint16_t{1} : prefetch});
    if (is_wary) consumer_->subscribe({queue, static_cast<std::uint16_t>(prefetch - 1), true});
  }
  void take(std::vector<broker::Delivery> burst) {
    // What came back goes first; a message that nobody had before says that nothing of it is left.
    const bool is_new = std::ranges::any_of(burst, [](const broker::Delivery& delivery) { return !delivery.redelivered; });
    if (calling_.is_wary && is_new) consumer_->widen();
    work_->on_deliveries(std::move(burst));
  }
  broker::Endpoint endpoint(const std::string& password, std::string_view purpose) const {
    const auto& broker = config_.broker;
    return {broker.host, broker.port, broker.vhost, calling_.name, password, fmt::format("{}-{} {}", calling_.name, getpid(), purpose), broker.heartbeat};
  }
  broker::Executor on_loop() {
    return [this](std::function<void()> work) { loop_.post(std::move(work)); };
  }
  static void tell(std::string_view link, broker::LinkState state) {
    log::info("link", {{"link", std::string{link}},
                       {"state", state == broker::LinkState::open ? "open" : state == broker::LinkState::blocked ? "blocked" : "connecting"}});
  }
  std::string health_json() const {
    std::string reasons;
    const auto add = [&](bool is_wrong, std::string_view reason) {
      if (is_wrong) reasons += fmt::format("{}\"{}\"", reasons.empty() ? "" : ",", json_escaped(reason));
    };
    const std::string trouble = work_->trouble();
    add(publisher_->state() == broker::LinkState::connecting, "the broker is away (publishing)");
    add(publisher_->state() == broker::LinkState::blocked, "the broker refuses messages");
    add(consumer_->state() != broker::LinkState::open, "the broker is away (consuming)");
    add(consumer_->state() == broker::LinkState::open && consumer_->consuming() < calling_.queues.size(), "not all queues are consumed");
    add(!trouble.empty(), trouble);
    return fmt::format(R"({{"status":"{}","reasons":[{}],"name":"{}","pid":{}}})", reasons.empty() ? "ok" : "degraded", reasons, calling_.name, getpid());
  }
  void end() {
    if (is_ending_) return;
    is_ending_ = true;
    log::info("stopping", {{"in_flight", std::to_string(work_->in_flight())}});
    consumer_->quiet();
    last_call_.after(longest_end);
    work_->drain(clock_.steady() + longest_talk_at_end);
  }

  const Calling& calling_;
  const Config& config_;
  loop::Loop& loop_;
  SystemClock clock_;
  SystemIds ids_;
  std::string instance_;
  std::unique_ptr<broker::Publisher> publisher_;
  std::unique_ptr<broker::Consumer> consumer_;
  House house_;
  std::unique_ptr<Work> work_;
  loop::Timer wake_;
  loop::Timer last_call_;
  bool is_ending_ = false;
};

// Everything that can be wrong before the first connection, as one error.
Result<void> run(const std::filesystem::path& home, const Calling& calling) {
  if (const auto user = check_user(); !user) return user.error();
  const auto config = load_config(home);
  if (!config) return config.error();
  log::configure(calling.name, config->log.level, config->log.format);
  const auto password = read_secret(*config, "broker-" + calling.name);
  if (!password) return password.error();
  loop::Loop loop;
  return Process{*config, calling, *password, loop}.run();
}

}  // namespace

int run_process(int argc, char** argv, const Calling& calling) {
  const auto home = home_of(argc, argv);
  if (!home) {
    fmt::print(stderr, "usage: postroom-{} [--config HOME]\n", calling.name);
    return 2;
  }
  signal(SIGPIPE, SIG_IGN);
  log::configure(calling.name, log::Level::info, log::Format::json);
  try {
    if (const auto ran = run(*home, calling); !ran) {
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

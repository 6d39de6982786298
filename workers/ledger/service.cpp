#include "workers/ledger/service.hpp"

#include <fmt/format.h>
#include <signal.h>
#include <unistd.h>

#include <random>

#include "common/base/crash_point.hpp"
#include "common/base/log.hpp"
#include "common/base/text.hpp"
#include "common/broker/topology.hpp"
#include "common/loop/health_server.hpp"
#include "common/loop/loop.hpp"
#include "common/metrics/metrics.hpp"
#include "common/store/table.hpp"
#include "workers/ledger/rounds.hpp"

namespace postroom::ledger {

namespace {

constexpr std::chrono::seconds beat_interval{1};
constexpr std::chrono::seconds longest_without_consumers{10};
constexpr std::chrono::milliseconds longest_flush{3'000};
constexpr int exit_without_consumers = 3;
constexpr int exit_disk = 4;

class Service {
 public:
  Service(const Config& config, HolderLock lock, std::unique_ptr<store::Database> database, std::string password)
      : config_(config),
        lock_(std::move(lock)),
        database_(std::move(database)),
        password_(std::move(password)),
        publisher_(broker::make_publisher(endpoint("publish"), executor())),
        consumer_(broker::make_consumer(endpoint("consume"), executor())),
        rounds_({*database_, *publisher_, *consumer_, clock_, ids_, [this] { return chance_(random_); }}, config_, [this] { wake(); },
                [](const Error& error) {
                  log::error("the disk failed; ending, so that a new process recovers", {{"reason", error.text()}});
                  _exit(exit_disk);
                }),
        health_(loop_, (config_.health_dir() / fmt::format("ledger-{}.sock", getpid())).string(), [this] { return health_json(); }),
        turn_(loop_, [this] { turn(); }),
        beat_(loop_, [this] { on_beat(); }) {}

  int run() {
    if (auto opened = rounds_.open(); !opened) {
      log::error("cannot start", {{"reason", opened.error().text()}});
      return 1;
    }
    crash_point("ledger_after_open");
    register_gauges();
    for (const auto& queue : broker::queues()) {
      if (queue.consumer == "ledger") consumer_->subscribe({std::string{queue.name}, queue.prefetch}), ++subscriptions_;
    }
    consumer_->on_deliveries([this](std::vector<broker::Delivery> deliveries) { rounds_.arrived(std::move(deliveries)); });
    consumer_->on_state([this](broker::LinkState state) { rounds_.link_changed(state); });
    publisher_->on_state([this](broker::LinkState) { wake(); });
    loop_.on_signal(SIGTERM, [this] { stop(); });
    loop_.on_signal(SIGINT, [this] { stop(); });
    publisher_->start();
    consumer_->start();
    on_beat();
    wake();
    log::info("serving", {{"database", config_.database().string()}});
    loop_.run();
    return status_;
  }

 private:
  broker::Endpoint endpoint(std::string_view purpose) const {
    broker::Endpoint to;
    to.host = config_.broker.host;
    to.port = config_.broker.port;
    to.vhost = config_.broker.vhost;
    to.user = "ledger";
    to.password = password_;
    to.connection_name = fmt::format("ledger-{} {}", getpid(), purpose);
    to.heartbeat = config_.broker.heartbeat;
    return to;
  }
  broker::Executor executor() {
    return [this](std::function<void()> work) { loop_.post(std::move(work)); };
  }

  void wake() {
    if (!is_stopping_) turn_.after(std::chrono::milliseconds{0});
  }
  void turn() {
    if (const auto next = rounds_.turn(); next && !is_stopping_) turn_.after(*next);
  }

  void on_beat() {
    lock_.beat();
    watch_consumers();
    if (!is_stopping_) beat_.after(beat_interval);
  }

  // A holder that the broker does not serve keeps others from serving.
  void watch_consumers() {
    const bool is_idle = publisher_->state() == broker::LinkState::open && consumer_->consuming() < subscriptions_;
    const auto now = clock_.steady();
    if (!is_idle) {
      idle_since_.reset();
    } else if (!idle_since_) {
      idle_since_ = now;
    } else if (now - *idle_since_ > longest_without_consumers) {
      log::error("the broker answers, but does not let us consume; ending, so that another ledger may try");
      status_ = exit_without_consumers;
      stop();
    }
  }

  // Nothing new comes; what is held goes back to the queues; what is on its way out is given a moment.
  void stop() {
    if (is_stopping_) return;
    is_stopping_ = true;
    log::info("stopping");
    turn_.cancel();
    beat_.cancel();
    consumer_->quiet();
    consumer_->stop();
    publisher_->stop(longest_flush);
    // Confirms that came meanwhile are waiting in the loop; after them, the last word.
    loop_.post([this] {
      if (auto closed = rounds_.close(); !closed) log::warning("could not note the clean end", {{"reason", closed.error().text()}});
      loop_.stop();
    });
  }

  std::int64_t number(std::string_view sql) {
    std::int64_t value = -1;
    (void)database_->query(sql, {}, [&](const store::Row& row) { value = row.integer(0); });
    return value;
  }

  void register_gauges() {
    const auto from_database = [this](std::string_view name, std::string_view sql) {
      metrics::gauge(name, [this, sql] { return static_cast<double>(number(sql)); });
    };
    from_database("ledger_standby_depth", "SELECT COUNT(*) FROM standby WHERE state IN ('open', 'assigned', 'retry_pending')");
    from_database("ledger_outgoing_depth", "SELECT COUNT(*) FROM outgoing");
    from_database("ledger_deliveries_in_flight", "SELECT COALESCE(SUM(in_flight), 0) FROM destinations");
    from_database("ledger_destinations_open_circuit", "SELECT COUNT(*) FROM destinations WHERE circuit <> 'closed'");
    from_database("ledger_inboxes_failing", "SELECT COUNT(*) FROM inboxes WHERE state = 'failing'");
    from_database("ledger_leases_held", "SELECT COUNT(*) FROM inboxes WHERE lease = 'held'");
    metrics::gauge("ledger_messages_held", [this] { return static_cast<double>(rounds_.held()); });
    metrics::gauge("ledger_wal_bytes", [this] {
      std::error_code missing;
      const auto size = std::filesystem::file_size(config_.database().string() + "-wal", missing);
      return missing ? 0.0 : static_cast<double>(size);
    });
  }

  std::string health_json() {
    std::vector<std::string> reasons;
    if (!rounds_.trouble().empty()) reasons.push_back("database: " + rounds_.trouble());
    if (publisher_->state() == broker::LinkState::blocked) reasons.emplace_back("the broker takes no messages (its memory or disk alarm)");
    if (publisher_->state() == broker::LinkState::connecting) reasons.emplace_back("no link to publish");
    if (consumer_->consuming() < subscriptions_) reasons.emplace_back("not consuming");
    std::string list;
    for (const auto& reason : reasons) list += fmt::format("{}\"{}\"", list.empty() ? "" : ",", json_escaped(reason));
    return fmt::format(R"({{"status":"{}","reasons":[{}],"name":"ledger","pid":{}}})", reasons.empty() ? "ok" : "degraded", list, getpid());
  }

  const Config& config_;
  HolderLock lock_;
  loop::Loop loop_;
  SystemClock clock_;
  SystemIds ids_;
  std::minstd_rand random_{std::random_device{}()};
  std::uniform_real_distribution<double> chance_{0.0, 1.0};
  std::unique_ptr<store::Database> database_;
  std::string password_;
  std::unique_ptr<broker::Publisher> publisher_;
  std::unique_ptr<broker::Consumer> consumer_;
  Rounds rounds_;
  loop::HealthServer health_;
  loop::Timer turn_;
  loop::Timer beat_;
  std::size_t subscriptions_ = 0;
  std::optional<SteadyTime> idle_since_;
  bool is_stopping_ = false;
  int status_ = 0;
};

}  // namespace

int serve(const Config& config, HolderLock lock) {
  auto database = store::open_sqlite_writer(config.database().string());
  if (!database) {
    log::error("cannot open the database", {{"reason", database.error().text()}});
    return 1;
  }
  if (auto migrated = store::migrate(**database); !migrated) {
    log::error("cannot migrate the database", {{"reason", migrated.error().text()}});
    return 1;
  }
  auto named = (*database)->execute("INSERT INTO installation (name, value) VALUES ('name', ?1) ON CONFLICT (name) DO UPDATE SET value = excluded.value",
                                    {config.installation.name});
  auto password = read_secret(config, "broker-ledger");
  if (!named || !password) {
    log::error("cannot start", {{"reason", named ? password.error().text() : named.error().text()}});
    return 1;
  }
  Service service{config, std::move(lock), std::move(*database), std::move(*password)};
  return service.run();
}

}  // namespace postroom::ledger

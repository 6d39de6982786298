#pragma once
// The configuration of one installation: defaults, overridden by POSTROOM_HOME/etc/postroom.toml, overridden by POSTROOM_* variables.
// Every key has one row in the table in config_keys.cpp (section, key, type, range, what it means), from which `postroom init` writes the file,
// `config check` judges it, and the environment's names come: [api] listen_port → POSTROOM_API_LISTEN_PORT. Durations end in _ms there.

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/log.hpp"
#include "common/base/result.hpp"

namespace postroom {

struct Config {
  using Millis = std::chrono::milliseconds;

  std::filesystem::path home;  // POSTROOM_HOME, default ./.postroom, absolute

  struct {
    std::string id;    // UUID, made by `postroom init`; part of every marker
    std::string name;  // shown to people
  } installation;

  struct {
    std::string host = "127.0.0.1";
    std::uint16_t port = 5672;
    std::string vhost = "postroom";
    std::uint16_t management_port = 15672;  // HTTP API, for `postroom queues` only; 0 = none
    std::uint16_t epmd_port = 4369;         // of the private node that scripts/run starts
    std::uint16_t dist_port = 25672;
    std::string node_name = "postroom";
    Millis heartbeat{10'000};
  } broker;

  struct {
    std::string listen_host = "127.0.0.1";
    std::uint16_t listen_port = 8080;
    std::string public_url;              // base of links; default http://host:port
    std::int64_t body_limit = 1 << 20;   // bytes of a request body
    Millis publish_timeout{900};         // until 503, which must come within a second
    Millis reply_wait{10'000};           // default of Prefer: wait=N
    std::int64_t connection_limit = 10'000;
  } api;

  struct {
    std::int64_t round_results = 200;  // messages of ledger.results and of ledger.intake in one transaction
    std::int64_t round_intake = 200;
    Millis beat_stale{5'000};           // a waiting ledger kills a holder whose beat is older
    Millis relay_retry{1'000};          // after a nack or return of an outgoing row
    std::int64_t standby_retry_rate = 50;  // items a second of a bulk retry
  } ledger;

  // How deliveries behave; milliseconds.
  struct {
    Millis http_timeout{30'000};      // T_http: one request, from first byte to last
    Millis jira_settle{120'000};      // T_settle: a request that the far side received commits within this or never
    Millis trello_settle{60'000};
    Millis claim_answer{2'000};       // a worker asks again when no answer came
    Millis first_byte{5'000};         // from asking to the first byte, else not_sent
    Millis dispatch_timeout{60'000};  // a dispatched job that nobody claimed is dispatched again
    std::int64_t max_attempts = 8;    // then standby
    Millis backoff_base{2'000};       // exponential with jitter
    Millis backoff_cap{3'600'000};
    Millis retry_after_cap{3'600'000};
    std::int64_t window_start = 8;    // unfinished jobs in the queues for one destination
    std::int64_t window_limit = 16;  // far below a worker's prefetch: some dead sites must not fill it
    std::int64_t circuit_failures = 5;  // consecutive failures that open a destination's circuit
    Millis circuit_probe{15'000};       // until one probe is let through
  } delivery;

  // Mail in and out.
  struct {
    Millis lease{1'200'000};           // of one mailbox; must stay below the broker's consumer timeout of 30 min
    Millis lease_word{60'000};         // the holder says that it lives
    Millis lease_silence{150'000};     // and is given up after this long without a word
    Millis poll_failure_base{60'000};  // after a failed poll, doubling
    Millis poll_failure_cap{1'800'000};
    std::int64_t size_limit = 50 << 20;  // bytes of one mail; of a larger one only the header is fetched
    Millis parse_timeout{60'000};      // a parse job of which nothing was heard is given out again
    std::int64_t parse_window = 64;    // parse jobs in the queue
  } mail;
  struct {
    Millis smtp_timeout{120'000};      // T_http of a mail: from the first byte to the answer to the final dot
    Millis smtp_settle{30'000};
    std::int64_t max_attempts = 30;    // with the cap of the back-off: some three days, then standby
    Millis backoff_cap{14'400'000};
    std::int64_t hourly_limit = 20;    // mails to one recipient within an hour; more wait
  } notify;

  struct {
    std::vector<std::string> allow;  // CIDR blocks of private addresses that may be called (file only, never the environment)
    std::string ca_file;             // extra trusted certificates, PEM; empty = the system's
  } outbound;

  struct {
    log::Level level = log::Level::info;
    log::Format format = log::Format::json;
  } log;

  std::filesystem::path database() const { return home / "data" / "postroom.sqlite"; }
  std::filesystem::path lock_file() const { return home / "run" / "ledger.lock"; }
  std::filesystem::path beat_file() const { return home / "run" / "ledger.beat"; }
  std::filesystem::path health_dir() const { return home / "run" / "health"; }  // <process>-<pid>.sock each
  std::filesystem::path blob_dir() const { return home / "blobs"; }
  std::filesystem::path secret_file(std::string_view name) const { return home / "secrets" / name; }
};

// Reads and checks everything; the error names file, line and key. `home` empty: POSTROOM_HOME, else ./.postroom.
Result<Config> load_config(const std::filesystem::path& home = {});

// The trimmed content of secrets/<name>; refuses files that others may read. Names: broker-<user>, master-key, admin-token.
Result<std::string> read_secret(const Config& config, std::string_view name);

// Refuses to run as root unless POSTROOM_ALLOW_ROOT=1.
Result<void> check_user();

}  // namespace postroom

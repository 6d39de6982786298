#pragma once
// A stage for the real postroom-jira: a real RabbitMQ, the Jira simulator, a home folder, and the test itself in the part of the ledger.

#include <deque>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "common/broker/broker.hpp"
#include "common/codec/codec.hpp"
#include "common/crypto/crypto.hpp"
#include "common/loop/loop.hpp"
#include "tests/support/child.hpp"
#include "tests/support/rabbit.hpp"
#include "tests/support/simulator.hpp"

namespace postroom::worker {

class Stage {
 public:
  // `first_byte` bounds the way from a worker's claim to its request: long, so that a slow disk under the broker does not make it give up.
  explicit Stage(std::chrono::milliseconds first_byte = std::chrono::seconds{30});
  ~Stage();

  std::unique_ptr<support::Child> start_worker(std::vector<std::string> environment = {});

  std::string publish_job(std::string_view type = messages::JiraCreate::type, std::string body = {});  // → the delivery's id
  // Runs the ledger's part until `is_there` holds; the test fails after `limit`.
  void run_until(const std::function<bool()>& is_there, std::chrono::milliseconds limit = std::chrono::seconds{60});

  // How claims are answered. Default: send with today's grant; a second token for the same dispatch: drop.
  std::function<void(const messages::WorkClaim&)> on_claim = [](const messages::WorkClaim&) {};
  bool answers_claims = true;
  std::optional<std::int64_t> probe_base = 0;

  std::vector<messages::WorkClaim> claims;
  std::vector<messages::WorkCommit> commits;
  std::vector<messages::WorkOutcome> outcomes;
  std::vector<messages::TestOutcome> tests;
  std::size_t shelved = 0;  // arrived at `standby`

  messages::Site site() const;
  std::string queue_depths();  // "{0,0}" = nothing ready, nothing unacknowledged in `jira`
  std::string worker_log() const;

  support::Simulator jira{"jira"};

 private:
  void take(std::vector<broker::Delivery> burst);
  void answer(const messages::WorkClaim& claim, const messages::Envelope& asked);
  void publish(std::string_view exchange, std::string key, messages::Envelope envelope, std::string body);
  messages::Grant grant(const messages::WorkClaim& claim) const;

  support::Rabbit& rabbit_ = support::Rabbit::shared();
  std::filesystem::path home_;
  crypto::Sealer sealer_ = *crypto::Sealer::from_master_key(crypto::to_base64(std::string(32, 'm')), "jira");
  loop::Loop loop_;
  SystemIds ids_;
  SystemClock clock_;
  std::map<std::string, std::string> holders_;  // delivery and dispatch → token
  std::unique_ptr<broker::Publisher> publisher_;
  std::unique_ptr<broker::Consumer> consumer_;
};

}  // namespace postroom::worker

#pragma once
// A stage for the real postroom-notifier: a real RabbitMQ, an SMTP server, a home folder, and the test itself in the part of the ledger.

#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "common/broker/broker.hpp"
#include "common/codec/codec.hpp"
#include "common/crypto/crypto.hpp"
#include "common/loop/loop.hpp"
#include "common/mail/threading.hpp"
#include "tests/support/child.hpp"
#include "tests/support/rabbit.hpp"
#include "tests/support/scratch_folder.hpp"
#include "tests/support/smtp_server.hpp"

namespace postroom::notifier {

constexpr const char* installation = "0190aaaa-0000-7000-8000-00000000000a";
constexpr const char* ticket = "0190cccc-0000-7000-8000-00000000000c";

class Stage {
 public:
  explicit Stage(std::vector<std::string> smtp_options = {});
  ~Stage();

  std::unique_ptr<support::Child> start_worker(std::vector<std::string> environment = {});

  // A delivery to that recipient, given out for the first time. → its id
  std::string tell(std::string recipient);
  void dispatch(const std::string& delivery, std::int64_t dispatch_no);
  std::string test_connection(const messages::Site& site);
  // Plays the ledger until `is_there` holds; the test fails after `limit`.
  void run_until(const std::function<bool()>& is_there, std::chrono::milliseconds limit = std::chrono::seconds{15});
  void run_for(std::chrono::milliseconds time);
  void run_until_empty();  // nothing ready, nothing unacknowledged in `notifier`

  // Called before the answer; what it returns is answered: send, drop, or nothing.
  std::function<std::optional<messages::ClaimVerdict>(const messages::WorkCommit&)> on_commit = [](const auto&) { return messages::ClaimVerdict::send; };
  bool answers_claims = true;
  std::function<messages::Site()> site = [this] { return site_of(smtp.url()); };
  messages::Site site_of(std::string url, std::string account = "desk@desk.example", std::string secret = "smtp-secret") const;

  std::vector<messages::WorkClaim> claims;
  std::vector<messages::WorkCommit> commits;  // also those asked again
  std::vector<messages::WorkOutcome> outcomes;
  std::vector<messages::TestOutcome> tests;

  std::set<std::string> committed() const;       // deliveries
  const messages::WorkOutcome* outcome_of(const std::string& delivery) const;
  std::size_t mails_to(const std::string& recipient) const;
  std::string worker_log() const;
  mail::Hmac hmac() const;
  void trust(const std::string& ca_file);  // before a worker is started
  const std::filesystem::path& home() const { return home_.path(); }

  support::SmtpServer smtp;

 private:
  void write_settings(const std::string& ca_file);
  void take(std::vector<broker::Delivery> burst);
  void answer(const messages::WorkClaim& claim, const messages::Envelope& asked);
  void answer(const messages::WorkCommit& commit, const messages::Envelope& asked);
  void publish(std::string_view exchange, std::string key, messages::Envelope envelope, std::string body);
  messages::Grant grant(const messages::WorkClaim& claim) const;

  support::Rabbit& rabbit_ = support::Rabbit::shared();
  support::ScratchFolder home_;
  crypto::Sealer sealer_ = *crypto::Sealer::from_master_key(crypto::to_base64(std::string(32, 'm')), "notifier");
  loop::Loop loop_;
  SystemIds ids_;
  SystemClock clock_;
  std::map<std::string, std::string> recipients_;  // by delivery
  std::map<std::string, std::string> holders_;     // delivery and dispatch → token
  std::map<std::string, std::int64_t> dispatched_;  // the newest of each delivery
  std::unique_ptr<broker::Publisher> publisher_;
  std::unique_ptr<broker::Consumer> consumer_;
};

}  // namespace postroom::notifier

#pragma once
// A stage for the real postroom-mail_router: a real RabbitMQ, a home folder with a blob store, and the test itself in the part of the ledger.

#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "common/base/clock.hpp"
#include "common/base/ids.hpp"
#include "common/blob/store.hpp"
#include "common/broker/broker.hpp"
#include "common/loop/loop.hpp"
#include "common/messages/mail.hpp"
#include "tests/support/child.hpp"
#include "tests/support/rabbit.hpp"

namespace postroom::mail_router {

class Stage {
 public:
  Stage();
  ~Stage();

  // `programs`: where postroom-mail_router and its child stand; the build's own when empty.
  std::unique_ptr<support::Child> start_router(std::vector<std::string> environment = {}, std::filesystem::path programs = {});
  // A folder with the router and, as its sandbox, that program of the build; without a sandbox when empty.
  std::filesystem::path programs_with(std::string_view sandbox);

  blob::Ref store(std::string_view mail);
  std::string publish(const blob::Ref& mail, std::int64_t parse_no = 1);  // → the arrival's id
  std::string publish_mail(std::string_view mail) { return publish(store(mail)); }
  void publish_raw(std::string_view type, std::string body);
  // Runs the ledger's part until `is_there` holds; the test fails after `limit`.
  void run_until(const std::function<bool()>& is_there, std::chrono::milliseconds limit = std::chrono::seconds{20});
  void run_for(std::chrono::milliseconds time);

  struct Told {
    messages::MailParsed parsed;
    messages::Envelope envelope;
    std::size_t byte_count = 0;
  };
  std::vector<Told> told;
  std::size_t shelved = 0;  // arrived at `standby`
  const messages::MailParsed* of(const std::string& arrival_id) const;

  std::string content(const messages::BlobRef& ref) const;
  std::string health(const support::Child& router) const;  // what it answers, "" when it does not
  std::string queue_depths();  // "0 0" = nothing ready, nothing unacknowledged in `mail_router`
  std::string router_log() const;
  const std::filesystem::path& home() const { return home_; }

  static constexpr const char* installation = "0190aaaa-0000-7000-8000-00000000000a";
  static std::string message_id_key() { return std::string(32, 'k'); }

 private:
  void take(std::vector<broker::Delivery> burst);
  void send(std::string_view type, std::string body, std::string correlation_id);

  support::Rabbit& rabbit_ = support::Rabbit::shared();
  std::filesystem::path home_;
  loop::Loop loop_;
  SystemIds ids_;
  SystemClock clock_;
  std::optional<blob::Store> store_;
  std::unique_ptr<broker::Publisher> publisher_;
  std::unique_ptr<broker::Consumer> consumer_;
};

}  // namespace postroom::mail_router

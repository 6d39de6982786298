#pragma once
// A stage for the real postroom-imap_poller: a real RabbitMQ, a home folder, and the test itself in the part of the ledger, which keeps the
// cursor as the ledger does. What an earlier case left in the queues is of inboxes that this one does not know: dropped, or passed over.

#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "common/blob/store.hpp"
#include "common/broker/broker.hpp"
#include "common/codec/codec.hpp"
#include "common/crypto/crypto.hpp"
#include "common/loop/loop.hpp"
#include "common/messages/mail.hpp"
#include "common/messages/poll.hpp"
#include "tests/support/child.hpp"
#include "tests/support/dovecot.hpp"
#include "tests/support/rabbit.hpp"

namespace postroom::imap_poller {

// One mailbox as the ledger knows it.
struct Inbox {
  std::string id;
  std::string user = "desk";
  std::string password{fixtures::Dovecot::password};
  std::string base_url;
  std::string folder = "INBOX";
  std::optional<messages::MailboxCursor> cursor;
  std::optional<std::int64_t> since_us;
  std::vector<std::int64_t> skip;
  std::vector<messages::PollChore> chores;       // not done yet
  std::int64_t interval_ms = 60'000;
  std::int64_t lease_ms = 60'000;
  bool is_push = true;
  bool is_careful = false;
  bool is_stopping = false;  // the next word is answered drop

  std::int64_t dispatch_no = 0;
  std::string token;                             // of the holder
  std::string worker;
  std::vector<messages::MailArrived> arrivals;   // each once, as they came first
  std::set<std::string> arrival_ids;
  std::size_t duplicates = 0;
  std::size_t gaps = 0;                          // arrivals that did not move the cursor
  std::vector<messages::PollProgress> words;
  std::vector<messages::PollEnded> ends;
  std::vector<messages::ChoreReport> reports;
  std::size_t claims = 0;
  std::size_t caught_up = 0;
};

class Stage {
 public:
  // `ca_file`: trusted besides the system's authorities.
  explicit Stage(const std::string& ca_file = {}, std::string_view more_config = {});
  ~Stage();

  std::unique_ptr<support::Child> start_worker(std::vector<std::string> environment = {});
  Inbox& inbox(std::string base_url);  // a new one, not dispatched yet
  void dispatch(Inbox& inbox);         // the next imap.poll
  std::string test_connection(const Inbox& inbox, std::optional<std::string> folder = {});  // → the test's id

  // Runs the ledger's part until `is_there` holds; the test fails after `limit`.
  void run_until(const std::function<bool()>& is_there, std::chrono::milliseconds limit = std::chrono::seconds{20});
  void run_for(std::chrono::milliseconds time);

  // Called before an arrival is taken.
  std::function<void(const messages::MailArrived&)> on_arrival = [](const messages::MailArrived&) {};
  bool answers = true;
  std::vector<messages::TestOutcome> tests;
  std::size_t shelved = 0;

  std::string content(const messages::MailArrived& mail) const;  // from the blob store
  std::string queue_depths();  // "0 0" = nothing ready, nothing unacknowledged in `imap_poller`
  std::string worker_log() const;
  const std::filesystem::path& home() const { return home_; }
  support::Rabbit& rabbit() { return rabbit_; }

 private:
  void take(std::vector<broker::Delivery> burst);
  void take_arrival(const messages::MailArrived& mail, const messages::Envelope& envelope);
  void answer(const messages::PollClaim& claim, const messages::Envelope& asked);
  void answer(const messages::PollProgress& word, const messages::Envelope& asked);
  void publish(std::string_view exchange, std::string key, std::string_view type, std::string body);
  messages::Site site(const Inbox& inbox) const;
  Inbox* find(const std::string& id);

  support::Rabbit& rabbit_ = support::Rabbit::shared();
  std::filesystem::path home_;
  crypto::Sealer sealer_ = *crypto::Sealer::from_master_key(crypto::to_base64(std::string(32, 'm')), "imap_poller");
  loop::Loop loop_;
  SystemIds ids_;
  SystemClock clock_;
  std::vector<std::unique_ptr<Inbox>> inboxes_;
  std::unique_ptr<broker::Publisher> publisher_;
  std::unique_ptr<broker::Consumer> consumer_;
};

}  // namespace postroom::imap_poller

#pragma once
// All leases of one process, on one loop: takes jobs, gives each lease its connection, its drafts and its place with the
// broker, and acknowledges a job when its lease is over. The only place here that claims, publishes and acks.

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "common/base/clock.hpp"
#include "common/base/ids.hpp"
#include "common/blob/batch.hpp"
#include "common/broker/broker.hpp"
#include "common/crypto/crypto.hpp"
#include "common/imap_link/link.hpp"
#include "workers/imap_poller/lease.hpp"
#include "workers/imap_poller/trial.hpp"

namespace postroom::imap_poller {

struct Desk {
  Rules rules;
  std::string reply_key;
  std::chrono::milliseconds trial_limit;  // of a connection test, from the job to its outcome
  crypto::Sealer sealer;
  broker::Publisher& publisher;
  broker::Consumer& consumer;
  imap_link::Links& links;
  imap_link::Links& trial_links;  // less patient: a person waits
  blob::Store store;
  std::function<void(blob::Batch, std::function<void(Result<void>)>)> keep;  // blob::Keeper
  const Clock& clock;
  IdSource& ids;
  std::function<void(SteadyTime)> wake_at;  // call on_time() then; the latest call counts
  std::function<void()> rested;             // draining is done
};

class Poller {
 public:
  explicit Poller(Desk& desk) : desk_(desk) {}
  ~Poller();
  Poller(const Poller&) = delete;
  Poller& operator=(const Poller&) = delete;

  void on_deliveries(std::vector<broker::Delivery> burst);
  void on_time();
  void drain();  // SIGTERM: every lease is released; desk.rested follows

  std::size_t in_flight() const { return holdings_.size() + trials_.size(); }
  std::string trouble() const { return trouble_; }  // why mails cannot be kept; empty when they can

 private:
  // A lease and what it has in hand.
  struct Holding {
    Holding(messages::ImapPoll job, std::string token, Rules rules) : lease(std::move(job), std::move(token), std::move(rules)) {}
    Lease lease;
    std::vector<broker::Delivery> held;  // every delivery of the same job; all are acked
    std::unique_ptr<imap_link::Link> link;
    std::optional<blob::Writer> writer;             // of the mail that comes in
    std::map<imap::Uid, blob::Draft> drafts;        // whole, and not yet to be kept
    std::map<std::uint64_t, std::size_t> unconfirmed;  // arrivals of a batch
    std::optional<Error> no_space;
  };
  using Holdings = std::map<std::string, Holding>;  // by token
  struct TrialInHand {
    explicit TrialInHand(messages::ImapPollerTest test) : trial(std::move(test)) {}
    Trial trial;
    broker::Delivery delivery;
    std::unique_ptr<imap_link::Link> link;
    SteadyTime due{};
    bool is_reported = false;
  };
  struct Again {  // what the broker did not take
    SteadyTime at;
    std::function<void()> say;
  };

  // poller.cpp
  void take(broker::Delivery delivery);
  void take_job(broker::Delivery delivery);
  void take_answer(const broker::Delivery& delivery);
  void reject(const broker::Delivery& delivery, const Error& why);
  void follow(const std::string& token, const std::function<Actions(Lease&)>& step);
  void perform(const std::string& token, Holding& holding, Actions actions);
  void connect(const std::string& token, Holding& holding, const messages::Site& site);
  void say(const std::string& token, Holding& holding, const Word& word);
  void finish(const std::string& token);
  void submit(broker::Outgoing message, std::function<void()> confirmed);
  void arm();
  broker::Outgoing outgoing(std::string_view exchange, std::string_view key, std::string_view type, const messages::Envelope& cause, std::string body);

  // poller_mail.cpp
  void begin_mail(Holding& holding);
  void add_bytes(Holding& holding, std::string_view bytes);
  void end_mail(Holding& holding, imap::Uid uid);
  void keep(const std::string& token, Holding& holding, const Keep& order);
  void publish(const std::string& token, Holding& holding, const Publish& order);

  // poller_trial.cpp
  void take_test(broker::Delivery delivery);
  void follow_trial(std::uint64_t number, const std::function<void(TrialInHand&)>& step);
  void report_trial(std::uint64_t number);

  Desk& desk_;
  Holdings holdings_;
  std::map<std::uint64_t, TrialInHand> trials_;
  std::uint64_t last_trial_ = 0;
  std::vector<Again> again_;
  std::string trouble_;
  bool is_draining_ = false;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);  // the broker's and the disk's answers may come later
};

}  // namespace postroom::imap_poller

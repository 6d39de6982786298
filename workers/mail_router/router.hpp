#pragma once
// The mail router: takes parse jobs, has the sandbox read the mails one ahead, keeps their attachments, tells the ledger what each mail says.
// The only place that parses, tells and acknowledges. One thread; time comes in through on_time().
//
//   job ── bytes of the blob ──▶ sandbox ──▶ analyse ──▶ attachments durable ──▶ mail.parsed confirmed ──▶ ack
//                                   └── cannot be parsed: told just so ──────────────────┘
//
// What is nobody's mail's fault (no child can be started, the store does not answer) is tried again and shows in the health report; nothing is
// said about the mail. A blob that cannot be read is told after some tries, because another disk does not come by itself.

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "common/base/clock.hpp"
#include "common/base/ids.hpp"
#include "common/blob/batch.hpp"
#include "common/broker/broker.hpp"
#include "common/mail/decide.hpp"
#include "common/mail_sandbox/sandbox.hpp"
#include "common/messages/mail.hpp"
#include "workers/mail_router/attachments.hpp"

namespace postroom::mail_router {

// What a router works with: the real things are put together in work.cpp, fakes in tests.
struct Desk {
  broker::Publisher& publisher;
  broker::Consumer& consumer;
  std::function<void(mail_sandbox::Job)> parse;
  blob::Store store;
  std::function<void(blob::Batch, std::function<void(Result<void>)>)> keep;  // makes durable, answers on the owner's thread
  const Clock& clock;
  IdSource& ids;
  mail::Home home;  // without own addresses: those come with each job
  std::function<void(SteadyTime)> wake_at;  // call on_time() then; the latest call counts
  std::function<void()> rested;             // draining is done
};

class Router {
 public:
  explicit Router(Desk& desk) : desk_(desk) {}

  void on_deliveries(std::vector<broker::Delivery> burst);
  void on_time();

  // SIGTERM, after the consumer was told to be quiet: mails that are being read are told, the others go to another router.
  void drain();

  std::size_t in_flight() const { return errands_.size(); }
  const std::string& trouble() const { return trouble_; }  // why mails wait; empty: they do not

 private:
  enum class Stage { waiting, parsing, keeping, telling };
  struct Errand {
    std::vector<broker::Delivery> held;  // every delivery of the same job; all are acked
    messages::MailParse job;
    Stage stage = Stage::waiting;
    SteadyTime due{};  // waiting: not before; telling: again
    SteadyTime begun{};
    int failed_reads = 0;
    std::unique_ptr<Attachments> attachments;
    messages::MailParsed result;
    std::string body;
  };
  using Errands = std::map<std::uint64_t, Errand>;  // in the order of arrival

  void take(broker::Delivery delivery);
  void reject(const broker::Delivery& delivery, const Error& why);
  void give_way(const messages::MailParse& newer);
  void advance();
  void begin(std::uint64_t id, Errand& errand);
  void parsed(std::uint64_t id, Result<mail::Message> message);
  void understood(std::uint64_t id, Errand& errand, const mail::Message& message);
  void unparsable(std::uint64_t id, Errand& errand, std::string why);
  std::optional<messages::CrudeHeader> first_words(const Errand& errand) const;
  void later(Errand& errand, const Error& why);
  void tell(std::uint64_t id, Errand& errand);
  void submit(std::uint64_t id, const Errand& errand);
  void settled(std::uint64_t id, broker::Published published);
  void finish(Errands::iterator errand);
  void arm();
  std::size_t count(Stage stage) const;
  Errand* find(std::uint64_t id);

  Desk& desk_;
  Errands errands_;
  std::uint64_t last_id_ = 0;
  std::string trouble_;
  bool is_advancing_ = false;
  bool is_draining_ = false;
};

}  // namespace postroom::mail_router

#pragma once
// Carries plans out: publishes commands and gives each caller exactly one answer, whatever the broker and the ledger do.
// Belongs to the loop's thread; knows no sockets and no timers of its own: the owner calls expire() when next_deadline() is due.

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "api/http.hpp"
#include "api/settings.hpp"
#include "common/broker/broker.hpp"
#include "common/messages/reply.hpp"

namespace postroom::api {

using Done = std::function<void(Reply)>;

// Looks up what the ledger recorded of a command, with the fingerprint of its body; `found` is called later, on the loop, with the answer's
// status and body, or none (not recorded, still running, another body).
using Found = std::function<void(std::optional<messages::CommandReplied>)>;
using LookUp = std::function<void(std::string command_id, std::string fingerprint, Found found)>;

class Performer {
 public:
  // `reply_to`: the key of this instance's own reply queue. `deadline_moved` is called when next_deadline() became earlier.
  Performer(const Settings& settings, const Clock& clock, broker::Publisher& publisher, std::string reply_to, LookUp look_up,
            std::function<void()> deadline_moved);

  // 202 after the broker's confirm, 503 otherwise: at once while the link is away or blocked, else after publish_timeout.
  void perform(Promise promise, std::string_view instance, Done done);

  // The ledger's answer; `accepted` when its time ends first; 503 when the broker does not confirm. Replies are sent once and may be lost
  // (a broker restart), so the record is looked at too: after 0.5 s, 1 s, 2 s … and at the end.
  void perform(Exchange exchange, std::string_view instance, Done done);

  void take_replies(const std::vector<broker::Delivery>& deliveries);

  std::optional<SteadyTime> next_deadline() const;
  void expire();
  std::size_t waiting() const { return waiting_.size(); }

 private:
  struct Waiting;
  using Waiters = std::unordered_multimap<std::string, std::shared_ptr<Waiting>>;

  bool is_link_open() const;
  void publish(Command command, bool wants_reply, std::function<void(broker::Published)> done);
  void published(const std::shared_ptr<Waiting>& waiting, broker::Published outcome);
  void look(const std::shared_ptr<Waiting>& waiting, bool is_last);
  void schedule(const std::shared_ptr<Waiting>& waiting);
  void answer(const std::shared_ptr<Waiting>& waiting, Reply reply);

  const Settings& settings_;
  const Clock& clock_;
  broker::Publisher& publisher_;
  std::string reply_to_;
  LookUp look_up_;
  std::function<void()> deadline_moved_;
  Waiters waiting_;  // by command id: two callers may repeat the same command at the same time
  std::multimap<SteadyTime, std::shared_ptr<Waiting>> deadlines_;  // of the next look, or of the end
};

}  // namespace postroom::api

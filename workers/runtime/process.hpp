#pragma once
// A whole worker process around its work: configuration, links to the broker, health, signals, and a quiet end.

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "common/base/clock.hpp"
#include "common/base/config.hpp"
#include "common/base/ids.hpp"
#include "common/broker/broker.hpp"
#include "common/loop/loop.hpp"

namespace postroom::worker {

// What the process gives its work.
struct House {
  const Config& config;
  loop::Loop& loop;
  const Clock& clock;
  IdSource& ids;
  broker::Publisher& publisher;
  broker::Consumer& consumer;
  std::string instance;                     // "4711-0a1b2c3d"
  std::string reply_key;                    // routing key and name of our reply queue
  std::function<void(SteadyTime)> wake_at;  // call on_time() then; the latest call counts
  std::function<void()> rested;             // draining is done
};

class Work {
 public:
  virtual ~Work() = default;
  virtual void on_deliveries(std::vector<broker::Delivery> burst) = 0;
  virtual void on_time() = 0;
  // SIGTERM, after the consumer was told to be quiet: ends what is in hand, as far as it can until `by`, then calls rested.
  virtual void drain(SteadyTime by) = 0;
  virtual std::size_t in_flight() const = 0;
  virtual std::string trouble() const { return {}; }  // for health, besides the broker's; empty: none
};

struct Calling {
  std::string name;                 // of the process: its AMQP user, its secrets, its log's service
  std::vector<std::string> queues;  // it consumes, with the prefetch of the topology
  // Everything that can be wrong before the first connection is its error.
  std::function<Result<std::unique_ptr<Work>>(House&)> begin;
  // The broker counts a death against every message that the process held, and gives up on them at the delivery limit. So what came back from a death is
  // taken one at a time: only the message that kills is counted again and again. Dear where a job waits for a far side.
  bool is_wary = false;
};

// Runs until SIGTERM or SIGINT, then stops taking jobs, ends what is in hand within 8 s, and returns 0 within 10 s.
// Returns 2 for wrong arguments or configuration. Arguments: --config HOME.
int run_process(int argc, char** argv, const Calling& calling);

}  // namespace postroom::worker

#pragma once
// Answers admitted requests: runs the handler where it belongs (loop or reader's thread), then carries its plan out.
// Lives on the loop's thread; answers there too, each exactly once.

#include <atomic>
#include <functional>
#include <string>
#include <vector>

#include "api/front_door.hpp"
#include "api/server/board_cache.hpp"
#include "api/server/performer.hpp"
#include "api/server/readers.hpp"

namespace postroom::api {

class Service {
 public:
  struct Ports {
    const Settings& settings;
    const Clock& clock;
    const Seal& seal;
    broker::Executor loop;
    std::function<std::vector<std::string>()> link_trouble;    // why the broker's links are not ready
    std::function<void(Gather, Done)> gather;                  // asks the other processes
  };
  Service(Ports ports, Performer& performer, Readers& readers);

  // `visit` must live until `done` was called.
  void answer(Visit& visit, Done done);

 private:
  void run_on_loop(Visit& visit, Done done);
  void run_on_reader(Visit& visit, Done done);
  Plan handle(const Visit& visit, store::Reading* reading, std::vector<std::string> link_trouble) const;
  void carry_out(Plan plan, const Visit& visit, Done done);

  Ports ports_;
  Performer& performer_;
  Readers& readers_;
  mutable BoardCache cache_;
};

}  // namespace postroom::api

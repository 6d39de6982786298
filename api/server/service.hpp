#pragma once
// Answers admitted requests: runs the handler where it belongs (loop or reader's thread), then carries its plan out.
// Lives on the loop's thread; answers there too, each exactly once.

#include <atomic>
#include <functional>
#include <string>
#include <vector>

#include "api/front_door.hpp"
#include "api/server/board_cache.hpp"
#include "api/server/file_body.hpp"
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
    std::filesystem::path blobs;                               // the store's folder
  };
  Service(Ports ports, Performer& performer, Readers& readers);

  // `visit` must live until `done` was called.
  void answer(Visit& visit, Done done);

  // The next part of a file, read on a reader's thread; `took` is called later, on the loop. Empty: it cannot be read (the log says why).
  using Took = std::function<void(std::string)>;
  void read_part(std::shared_ptr<FileBody> file, Took took);

 private:
  void run_on_loop(Visit& visit, Done done, std::optional<BoardFacts> board = {});
  void run_on_reader(Visit& visit, Done done);
  Plan handle(const Visit& visit, store::Reading* reading, std::vector<std::string> link_trouble, std::optional<BoardFacts> board = {}) const;
  Reply opened(Download download, const Visit& visit) const;
  void carry_out(Plan plan, const Visit& visit, Done done);

  Ports ports_;
  Performer& performer_;
  Readers& readers_;
  std::shared_ptr<std::atomic<int>> downloads_ = std::make_shared<std::atomic<int>>(0);  // under way; sessions may outlive us
  mutable BoardCache cache_;
};

}  // namespace postroom::api

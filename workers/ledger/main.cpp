// postroom-ledger: the only writer of state.
//
// consumes   ledger.now, ledger.intake, ledger.results, standby
// publishes  work for the workers (kept until the broker has it), replies and events (once)
// talks to   the broker and its database; nobody outside
// owns       the database, the lock file and the beat
// if it dies what was not committed was not acknowledged and comes again; what was committed is published from `outgoing`; a waiting ledger
//            takes the lock, or kills a holder whose beat stands still
// trusts nobody because every message is checked against the topology (who may say what), its schema, and the inbox (said before?)

#include <filesystem>

#include "common/base/config.hpp"
#include "common/base/crash_point.hpp"
#include "common/base/log.hpp"
#include "workers/ledger/lock.hpp"
#include "workers/ledger/service.hpp"

using namespace postroom;

namespace {

int refuse(const Error& error) {
  log::error("cannot start", {{"reason", error.text()}});
  return 2;
}

}  // namespace

int main(int count, char** arguments) {
  log::configure("ledger", log::Level::info, log::Format::json);
  if (count != 1 && !(count == 3 && std::string_view{arguments[1]} == "--config")) {
    return refuse(Error{Code::bad_message, "usage: postroom-ledger [--config HOME]"});
  }
  if (auto user = check_user(); !user) return refuse(user.error());
  auto config = load_config(count == 3 ? arguments[2] : "");
  if (!config) return refuse(config.error());
  log::configure("ledger", config->log.level, config->log.format);
  for (const auto& folder : {config->database().parent_path(), config->lock_file().parent_path(), config->health_dir()}) {
    std::error_code failed;
    if (std::filesystem::create_directories(folder, failed); failed) return refuse(Error{Code::io, failed.message(), folder.string()});
  }
  // The lock before the broker: only the holder consumes.
  auto lock = ledger::HolderLock::wait(config->lock_file(), config->beat_file(), config->ledger.beat_stale);
  if (!lock) return refuse(lock.error());
  crash_point("ledger_after_lock");
  return *lock ? ledger::serve(*config, std::move(**lock)) : 0;
}

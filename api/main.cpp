// postroom-api: the front door. HTTP in, commands out; nothing is decided here.
//
// consumes   replies of the ledger (its own queue on the exchange `reply`)
// publishes  ticket.open to `cmd`/intake; all other commands to `cmd`/now
// talks to   callers over HTTP; the database, read-only; the health sockets of its host
// owns       nothing
// if it dies callers get a reset and repeat with their Idempotency-Key; the same key is the same command
// trusts     nobody: heads are read strictly, bodies are judged by schemas/openapi.json, tokens are compared in constant time

#include <CLI/CLI.hpp>
#include <cstdio>
#include <exception>

#include "api/server/program.hpp"
#include "common/base/log.hpp"

int main(int argc, char** argv) {
  CLI::App app{"Postroom's front door"};
  std::string home;
  app.add_option("--config", home, "the installation's home (default: $POSTROOM_HOME, else ./.postroom)");
  CLI11_PARSE(app, argc, argv);
  try {
    if (const auto fine = postroom::check_user(); !fine) throw std::runtime_error{fine.error().text()};
    const auto config = postroom::load_config(home);
    if (!config) throw std::runtime_error{config.error().text()};
    postroom::log::configure("api", config->log.level, config->log.format);
    postroom::api::run(*config);
    return 0;
  } catch (const std::exception& failed) {
    std::fprintf(stderr, "postroom-api: %s\n", failed.what());
    return 1;
  }
}

// postroom-api: the front door. HTTP in, commands out; nothing is decided here.
//
// consumes   replies of the ledger (its own queue on the exchange `reply`)
// publishes  ticket.open to `cmd`/intake; all other commands to `cmd`/now
// talks to   callers over HTTP; the database, read-only; the health sockets of its host
// owns       nothing
// if it dies callers get a reset and repeat with their Idempotency-Key; the same key is the same command
// trusts     nobody: heads are read strictly, bodies are judged by schemas/openapi.json, tokens are compared in constant time

#include <cstdio>
#include <exception>
#include <string_view>

#include "api/server/program.hpp"

int main(int argc, char** argv) {
  const bool names_home = argc == 3 && std::string_view{argv[1]} == "--config";
  if (argc != 1 && !names_home) {
    std::fputs("usage: postroom-api [--config HOME]\n", stderr);
    return 2;
  }
  try {
    postroom::api::run(postroom::api::load(names_home ? argv[2] : ""));
    return 0;
  } catch (const std::exception& failed) {
    std::fprintf(stderr, "postroom-api: %s\n", failed.what());
    return 1;
  }
}

#pragma once
// The mail router as a process: configuration, links, sandbox, store, health, signals, and a quiet end.

namespace postroom::mail_router {

// Runs until SIGTERM or SIGINT, then takes no more mails, tells of those that are being read, and returns 0 within 10 s.
// Returns 2 for wrong arguments or configuration. Arguments: --config HOME.
int serve(int argc, char** argv);

}  // namespace postroom::mail_router

#pragma once
// The process around the poller: its settings, keys, store and connections.

namespace postroom::imap_poller {

int serve(int argc, char** argv);  // as worker::run_process

}  // namespace postroom::imap_poller

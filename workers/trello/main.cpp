// postroom-trello: carries tickets to Trello boards.
//
// consumes      trello (trello.create, trello.resolve), trello.test (trello.test), and its own reply queue (claim.answered)
// publishes     result: work.claim, work.outcome, test.outcome
// talks to      api.trello.com (or what a connection names), by HTTPS only
// owns          nothing; what it knows is in the messages, what it did is in the ledger
// if it dies    the broker gives its jobs to another; what was claimed runs into the ledger's deadline and is looked for on the board
//               before anything is sent again
// trusts nobody because Trello's answers may be late, wrong, endless or plain text, a host name may lead into the private network,
//               and a job may come twice: so every send asks the ledger first and carries a marker

#include "workers/runtime/serve.hpp"
#include "workers/trello/trade.hpp"

int main(int argc, char** argv) { return postroom::worker::serve(argc, argv, postroom::trello::trade()); }

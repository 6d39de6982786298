// postroom-jira: carries tickets to Jira Cloud.
//
// consumes      jira (jira.create, jira.resolve), jira.test (jira.test), and its own reply queue (claim.answered)
// publishes     result: work.claim, work.commit, work.outcome, test.outcome
// talks to      the Jira sites of the connections, by HTTPS only
// owns          nothing; what it knows is in the messages, what it did is in the ledger
// if it dies    the broker gives its jobs to another; what was claimed runs into the ledger's deadline and is looked for at Jira
//               before anything is sent again
// trusts nobody because a site's answers may be late, wrong, endless or HTML, a host name may lead into the private network,
//               and a job may come twice: so every send asks the ledger first and carries a marker

#include "workers/jira/trade.hpp"
#include "workers/runtime/serve.hpp"

int main(int argc, char** argv) { return postroom::worker::serve(argc, argv, postroom::jira::trade()); }

// postroom-imap_poller: fetches new mail from mailboxes and watches them.
//
// consumes      imap_poller (imap.poll: the lease of one mailbox), imap_poller.test (connection tests), and its own reply queue
//               (poll.answered)
// publishes     result: poll.claim, poll.progress, poll.ended, test.outcome; cmd: mail.arrived
// talks to      the IMAP servers of the connections, over TLS
// owns          nothing; the cursor is the ledger's, and comes with each claim; mails lie in the blob store before it tells of them
// if it dies    its mailboxes go to another when the ledger hears nothing for mail.lease_silence; what was fetched and not told of is
//               fetched again, what was told of twice is one arrival, because its id is made from inbox, UIDVALIDITY and UID
// trusts nobody because a server's words may be late, endless, wrong or hostile, a mail may break the conversation, a host name may
//               lead into the private network, and a job may come twice: so every size and time is bounded, a bad mail is found and passed
//               over, and the lease is asked for before a connection is made

#include "workers/imap_poller/service.hpp"

int main(int argc, char** argv) { return postroom::imap_poller::serve(argc, argv); }

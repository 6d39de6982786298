// postroom-mail_router: finds out what mails say.
//
// consumes      mail_router (mail.parse)
// publishes     result: mail.parsed
// talks to      nobody; reads raw mails from the blob store and adds their attachments to it
// owns          nothing; what a mail says can be found out again at any time
// if it dies    the broker gives its jobs to another router, which reads the mails anew; the ledger counts one answer for each
// trusts nobody because a mail is a stranger's bytes: it is parsed by a child that can compute and nothing else; what breaks the child is
//               told as unparsable, and its neighbours never notice

#include "workers/mail_router/work.hpp"

int main(int argc, char** argv) { return postroom::worker::run_process(argc, argv, postroom::mail_router::calling()); }

// postroom-notifier: tells people about their tickets, by mail.
//
// consumes      notifier (notify.mail), notifier.test (notifier.test), and its own reply queue (claim.answered)
// publishes     result: work.claim, work.commit, work.outcome, test.outcome
// talks to      the SMTP servers of the connections, by TLS or STARTTLS
// owns          nothing; the mail is made anew from each grant, byte for byte the same
// if it dies    before the ledger has noted the commit nothing was sent, and the delivery is given out again; between that word and the server's
//               250 it is in doubt, and the ledger shows it so. Mail cannot be looked up afterwards
// trusts nobody because names, titles and Message-IDs are strangers' words on their way into a header, a server may hang at any byte, and its
//               name may lead into the private network

#include "common/crypto/crypto.hpp"
#include "workers/notifier/trade.hpp"
#include "workers/runtime/serve.hpp"

namespace {

postroom::Result<postroom::worker::Trade> make_trade(const postroom::Config& config) {
  const auto text = postroom::read_secret(config, "key-message-id");
  if (!text) return text.error();
  const auto key = postroom::crypto::from_base64(*text);
  if (!key || key->size() != 32) {
    return postroom::Error{postroom::Code::bad_message, "is not 32 bytes of base64; `postroom init` writes it when it is missing",
                           config.secret_file("key-message-id").string()};
  }
  return postroom::notifier::trade([key = *key](std::string_view data) { return postroom::crypto::hmac_sha256(key, data); });
}

}  // namespace

int main(int argc, char** argv) { return postroom::worker::serve(argc, argv, std::string{postroom::notifier::name}, make_trade); }

#pragma once
// Private to common/imap_link: the certificates that are trusted, parsed once for all connections.

#include <memory>
#include <string>

#include "common/base/result.hpp"

namespace postroom::imap_link {

// Every connection has a curl multi of its own, and libcurl keeps parsed certificates for each multi: a megabyte for each
// mailbox. So the parsed ones are ours, and lent to its TLS contexts.
class Certificates {
 public:
  // bad_message: the further file cannot be read.
  static Result<Certificates> load(const std::string& ca_file);

  void lend(void* tls_context) const;  // SSL_CTX*

 private:
  explicit Certificates(std::shared_ptr<void> store) : store_(std::move(store)) {}
  std::shared_ptr<void> store_;  // X509_STORE
};

}  // namespace postroom::imap_link

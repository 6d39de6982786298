#include "common/imap_link/certificates.hpp"

#include <openssl/ssl.h>
#include <openssl/x509_vfy.h>
#include <unistd.h>

namespace postroom::imap_link {

namespace {
constexpr const char* system_certificates = "/etc/ssl/certs/ca-certificates.crt";
}

Result<Certificates> Certificates::load(const std::string& ca_file) {
  X509_STORE* store = X509_STORE_new();
  std::shared_ptr<void> owner{store, [](void* held) { X509_STORE_free(static_cast<X509_STORE*>(held)); }};
  X509_STORE_set_flags(store, X509_V_FLAG_TRUSTED_FIRST | X509_V_FLAG_PARTIAL_CHAIN);
  if (access(system_certificates, R_OK) == 0 && X509_STORE_load_file(store, system_certificates) != 1)
    return Error{Code::bad_message, "the system's certificates cannot be read", system_certificates};
  if (!ca_file.empty() && X509_STORE_load_file(store, ca_file.c_str()) != 1)
    return Error{Code::bad_message, "the file of trusted certificates cannot be read: " + ca_file, "outbound.ca_file"};
  return Certificates{std::move(owner)};
}

void Certificates::lend(void* tls_context) const {
  SSL_CTX_set1_cert_store(static_cast<SSL_CTX*>(tls_context), static_cast<X509_STORE*>(store_.get()));
}

}  // namespace postroom::imap_link

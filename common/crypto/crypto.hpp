#pragma once
// Digests, keys and sealed secrets over OpenSSL. Never compares secrets with ==.

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/ids.hpp"
#include "common/base/result.hpp"

namespace postroom::crypto {

std::string sha256(std::string_view data);                            // 32 bytes

// The same in pieces, for what is never whole in memory.
class Sha256 {
 public:
  Sha256();
  ~Sha256();
  Sha256(Sha256&&) noexcept;
  Sha256& operator=(Sha256&&) noexcept;
  void add(std::string_view data);
  std::string finish();  // 32 bytes; nothing may be added afterwards

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

std::string hmac_sha256(std::string_view key, std::string_view data);  // 32 bytes
std::string to_hex(std::string_view bytes);
std::string to_base64(std::string_view bytes);                        // RFC 4648, padded
Result<std::string> from_base64(std::string_view text);
std::string random_bytes(std::size_t count);                          // from the system's generator; aborts when it fails
bool equal_in_constant_time(std::string_view a, std::string_view b);

// UUIDv5 (RFC 9562): name-based with SHA-1. `name` parts are joined with a NUL, so that no two lists of parts give the same name.
std::string uuid_v5(std::string_view name_space_uuid, std::initializer_list<std::string_view> name_parts);

// RabbitMQ's rabbit_password_hashing_sha256: base64(salt4 + sha256(salt4 + password)).
std::string rabbitmq_password_hash(std::string_view password);

// A secret sealed for one kind of worker: AES-256-GCM, random 96-bit nonce, text form "v1.<key id>.<base64>".
// The kind's key is HKDF-SHA256(master key, info = "postroom:" + kind). `place` (table/row/column) is authenticated: a sealed text that is
// moved to another row does not open.
class Sealer {
 public:
  // `master_key`: 32 bytes as base64 (secrets/master-key).
  static Result<Sealer> from_master_key(std::string_view base64, std::string_view kind);
  // From the kind's own key (secrets/key-<kind>), so that a worker never holds the master key.
  static Result<Sealer> from_kind_key(std::string_view base64, std::string_view kind);

  std::string seal(std::string_view secret, std::string_view place) const;
  // The same secret in the same place gives the same text: for commands that may be repeated and are compared byte by byte. The nonce is
  // a keyed hash of both, so it repeats only with them.
  std::string seal_repeatably(std::string_view secret, std::string_view place) const;
  Result<std::string> open(std::string_view sealed, std::string_view place) const;
  std::string kind_key() const { return to_base64(key_); }

 private:
  explicit Sealer(std::string key);
  std::string seal_with(std::string_view nonce, std::string_view secret, std::string_view place) const;
  std::string key_;
  std::string key_id_;
};

// The place of a connection's secret, for seal and open.
std::string connection_place(std::string_view connection_id);

}  // namespace postroom::crypto

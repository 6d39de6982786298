#include "common/crypto/crypto.hpp"

#include <fmt/format.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/kdf.h>
#include <openssl/rand.h>

#include <algorithm>
#include <cstdlib>
#include <memory>

#include "common/base/text.hpp"

namespace postroom::crypto {

namespace {

constexpr std::size_t nonce_bytes = 12;
constexpr std::size_t tag_bytes = 16;
constexpr std::size_t key_bytes = 32;

const unsigned char* bytes_of(std::string_view text) { return reinterpret_cast<const unsigned char*>(text.data()); }
unsigned char* bytes_of(std::string& text) { return reinterpret_cast<unsigned char*>(text.data()); }

std::string digest(const EVP_MD* kind, std::string_view data) {
  std::string out(static_cast<std::size_t>(EVP_MD_get_size(kind)), '\0');
  unsigned size = 0;
  if (EVP_Digest(data.data(), data.size(), bytes_of(out), &size, kind, nullptr) != 1) std::abort();
  return out;
}

// Found once: given EVP_sha1() or EVP_sha256(), OpenSSL 3 searches its providers again in every call. Never freed: they live as long as the process.
const EVP_MD* found(const char* name) {
  const EVP_MD* kind = EVP_MD_fetch(nullptr, name, nullptr);
  if (kind == nullptr) std::abort();
  return kind;
}

const EVP_MD* sha1_kind() {
  static const EVP_MD* const kind = found("SHA1");
  return kind;
}

const EVP_MD* sha256_kind() {
  static const EVP_MD* const kind = found("SHA256");
  return kind;
}

std::string hkdf(std::string_view key, std::string_view info) {
  std::unique_ptr<EVP_KDF, decltype(&EVP_KDF_free)> kdf{EVP_KDF_fetch(nullptr, "HKDF", nullptr), EVP_KDF_free};
  std::unique_ptr<EVP_KDF_CTX, decltype(&EVP_KDF_CTX_free)> context{EVP_KDF_CTX_new(kdf.get()), EVP_KDF_CTX_free};
  std::string digest_name = "SHA256", key_copy{key}, info_copy{info};
  const OSSL_PARAM parameters[] = {
      OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, digest_name.data(), 0),
      OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_KEY, key_copy.data(), key_copy.size()),
      OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_INFO, info_copy.data(), info_copy.size()), OSSL_PARAM_construct_end()};
  std::string out(key_bytes, '\0');
  if (EVP_KDF_derive(context.get(), bytes_of(out), out.size(), parameters) != 1) std::abort();
  return out;
}

using Cipher = std::unique_ptr<EVP_CIPHER_CTX, decltype(&EVP_CIPHER_CTX_free)>;
Cipher new_cipher() { return Cipher{EVP_CIPHER_CTX_new(), EVP_CIPHER_CTX_free}; }

}  // namespace

std::string sha256(std::string_view data) { return digest(sha256_kind(), data); }

struct Sha256::Parts {
  std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context{EVP_MD_CTX_new(), EVP_MD_CTX_free};
};

Sha256::Sha256() : parts_(std::make_unique<Parts>()) {
  if (EVP_DigestInit_ex(parts_->context.get(), sha256_kind(), nullptr) != 1) std::abort();
}
Sha256::~Sha256() = default;
Sha256::Sha256(Sha256&&) noexcept = default;
Sha256& Sha256::operator=(Sha256&&) noexcept = default;

void Sha256::add(std::string_view data) {
  if (EVP_DigestUpdate(parts_->context.get(), data.data(), data.size()) != 1) std::abort();
}

std::string Sha256::finish() {
  std::string out(32, '\0');
  unsigned size = 0;
  if (EVP_DigestFinal_ex(parts_->context.get(), bytes_of(out), &size) != 1) std::abort();
  return out;
}

std::string hmac_sha256(std::string_view key, std::string_view data) {
  std::string out(32, '\0');
  unsigned size = 0;
  if (HMAC(sha256_kind(), key.data(), static_cast<int>(key.size()), bytes_of(data), data.size(), bytes_of(out), &size) == nullptr) {
    std::abort();
  }
  return out;
}

std::string to_hex(std::string_view bytes) {
  std::string out;
  for (const char c : bytes) out += fmt::format("{:02x}", static_cast<unsigned>(static_cast<unsigned char>(c)));
  return out;
}

std::string to_base64(std::string_view bytes) {
  std::string out(4 * ((bytes.size() + 2) / 3) + 1, '\0');  // EVP_EncodeBlock adds a NUL
  const int size = EVP_EncodeBlock(bytes_of(out), bytes_of(bytes), static_cast<int>(bytes.size()));
  out.resize(static_cast<std::size_t>(size));
  return out;
}

Result<std::string> from_base64(std::string_view text) {
  const Error wrong{Code::bad_message, "not base64 (RFC 4648, padded)"};
  if (text.size() % 4 != 0) return wrong;
  std::string out(text.size() / 4 * 3, '\0');
  if (!text.empty() && EVP_DecodeBlock(bytes_of(out), bytes_of(text), static_cast<int>(text.size())) < 0) return wrong;
  std::size_t padding = 0;
  while (padding < 2 && padding < text.size() && text[text.size() - 1 - padding] == '=') ++padding;
  out.resize(out.size() - padding);
  return out;
}

std::string random_bytes(std::size_t count) {
  std::string out(count, '\0');
  if (count > 0 && RAND_bytes(bytes_of(out), static_cast<int>(count)) != 1) std::abort();
  return out;
}

bool equal_in_constant_time(std::string_view a, std::string_view b) {
  return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

std::string uuid_v5(std::string_view name_space_uuid, std::initializer_list<std::string_view> name_parts) {
  const UuidBytes name_space = uuid_bytes(name_space_uuid);
  std::string data{reinterpret_cast<const char*>(name_space.data()), name_space.size()};
  for (const auto part : name_parts) {
    if (data.size() > name_space.size()) data.push_back('\0');
    data += part;
  }
  const std::string hash = digest(sha1_kind(), data);
  UuidBytes bytes{};
  std::copy_n(hash.begin(), bytes.size(), bytes.begin());
  bytes[6] = static_cast<std::uint8_t>((bytes[6] & 0x0f) | 0x50);
  bytes[8] = static_cast<std::uint8_t>((bytes[8] & 0x3f) | 0x80);
  return to_text(bytes);
}

std::string rabbitmq_password_hash(std::string_view password) {
  const std::string salt = random_bytes(4);
  return to_base64(salt + sha256(salt + std::string{password}));
}

Sealer::Sealer(std::string key) : key_(std::move(key)), key_id_(to_hex(sha256(key_).substr(0, 4))) {}

Result<Sealer> Sealer::from_master_key(std::string_view base64, std::string_view kind) {
  auto master = from_base64(base64);
  if (!master || master->size() != key_bytes) return Error{Code::bad_message, "the master key is not 32 bytes of base64"};
  return Sealer{hkdf(*master, fmt::format("postroom:{}", kind))};
}

Result<Sealer> Sealer::from_kind_key(std::string_view base64, std::string_view kind) {
  auto key = from_base64(base64);
  if (!key || key->size() != key_bytes) return Error{Code::bad_message, fmt::format("the key of {} is not 32 bytes of base64", kind)};
  return Sealer{std::move(*key)};
}

std::string Sealer::seal(std::string_view secret, std::string_view place) const { return seal_with(random_bytes(nonce_bytes), secret, place); }

std::string Sealer::seal_repeatably(std::string_view secret, std::string_view place) const {
  const std::string nonce_key = hmac_sha256(key_, "postroom: nonce of a repeatable seal");
  std::string both{place};
  both.push_back('\0');  // no place has one
  both += secret;
  return seal_with(hmac_sha256(nonce_key, both).substr(0, nonce_bytes), secret, place);
}

std::string Sealer::seal_with(std::string_view nonce, std::string_view secret, std::string_view place) const {
  std::string sealed(secret.size(), '\0'), tag(tag_bytes, '\0');
  int size = 0;
  const Cipher cipher = new_cipher();
  const bool done = EVP_EncryptInit_ex(cipher.get(), EVP_aes_256_gcm(), nullptr, bytes_of(key_), bytes_of(nonce)) == 1 &&
                    EVP_EncryptUpdate(cipher.get(), nullptr, &size, bytes_of(place), static_cast<int>(place.size())) == 1 &&
                    EVP_EncryptUpdate(cipher.get(), bytes_of(sealed), &size, bytes_of(secret), static_cast<int>(secret.size())) == 1 &&
                    EVP_EncryptFinal_ex(cipher.get(), bytes_of(tag), &size) == 1 &&
                    EVP_CIPHER_CTX_ctrl(cipher.get(), EVP_CTRL_GCM_GET_TAG, tag_bytes, tag.data()) == 1;
  if (!done) std::abort();
  return fmt::format("v1.{}.{}", key_id_, to_base64(std::string{nonce} + tag + sealed));
}

Result<std::string> Sealer::open(std::string_view sealed, std::string_view place) const {
  const auto parts = split(sealed, '.');
  if (parts.size() != 3 || parts[0] != "v1") return Error{Code::bad_message, "not a sealed secret"};
  if (parts[1] != key_id_) return Error{Code::unauthorized, "sealed with another key; save the secret again"};
  auto bytes = from_base64(parts[2]);
  if (!bytes || bytes->size() < nonce_bytes + tag_bytes) return Error{Code::bad_message, "the sealed secret is damaged"};
  const std::string nonce = bytes->substr(0, nonce_bytes);
  std::string tag = bytes->substr(nonce_bytes, tag_bytes);
  const std::string body = bytes->substr(nonce_bytes + tag_bytes);
  std::string secret(body.size(), '\0');
  int size = 0;
  const Cipher cipher = new_cipher();
  const bool done = EVP_DecryptInit_ex(cipher.get(), EVP_aes_256_gcm(), nullptr, bytes_of(key_), bytes_of(nonce)) == 1 &&
                    EVP_DecryptUpdate(cipher.get(), nullptr, &size, bytes_of(place), static_cast<int>(place.size())) == 1 &&
                    EVP_DecryptUpdate(cipher.get(), bytes_of(secret), &size, bytes_of(body), static_cast<int>(body.size())) == 1 &&
                    EVP_CIPHER_CTX_ctrl(cipher.get(), EVP_CTRL_GCM_SET_TAG, tag_bytes, tag.data()) == 1 &&
                    EVP_DecryptFinal_ex(cipher.get(), bytes_of(secret), &size) == 1;
  if (!done) return Error{Code::unauthorized, "the sealed secret does not belong to this place, or is damaged"};
  return secret;
}

std::string connection_place(std::string_view connection_id) { return fmt::format("connections/{}/secret", connection_id); }

}  // namespace postroom::crypto

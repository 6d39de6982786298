#include "common/crypto/crypto.hpp"

#include <doctest/doctest.h>

using namespace postroom;
using namespace postroom::crypto;

TEST_CASE("a digest in pieces is the digest of the whole") {
  crypto::Sha256 pieces;
  for (const char* piece : {"", "One ring ", "to rule", "", " them all"}) pieces.add(piece);
  CHECK(pieces.finish() == crypto::sha256("One ring to rule them all"));
  CHECK(crypto::to_hex(crypto::Sha256{}.finish()) == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

TEST_CASE("digests match published vectors") {
  CHECK(to_hex(sha256("abc")) == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  CHECK(to_hex(hmac_sha256("Jefe", "what do ya want for nothing?")) == "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
  CHECK(uuid_v5("6ba7b810-9dad-11d1-80b4-00c04fd430c8", {"www.example.com"}) == "2ed6657d-e927-568b-95e1-2665a8aea6a2");
}

TEST_CASE("base64 survives a round trip and refuses what it is not") {
  for (const std::string text : {"", "f", "fo", "foo", "foob"}) {
    const auto back = from_base64(to_base64(text));
    REQUIRE(back.ok());
    CHECK(back.value() == text);
  }
  CHECK_FALSE(from_base64("abc").ok());
  CHECK_FALSE(from_base64("ab!=").ok());
}

TEST_CASE("a sealed secret opens only with its kind's key and in its place") {
  const std::string master = to_base64(random_bytes(32));
  const auto jira = Sealer::from_master_key(master, "jira");
  const auto trello = Sealer::from_master_key(master, "trello");
  REQUIRE(jira.ok());
  REQUIRE(trello.ok());
  const std::string sealed = jira->seal("token-1", connection_place("c1"));
  CHECK(sealed.find("token-1") == std::string::npos);
  CHECK(jira->open(sealed, connection_place("c1")).value() == "token-1");
  CHECK_FALSE(jira->open(sealed, connection_place("c2")).ok());
  CHECK_FALSE(trello->open(sealed, connection_place("c1")).ok());
  const auto worker = Sealer::from_kind_key(jira->kind_key(), "jira");
  REQUIRE(worker.ok());
  CHECK(worker->open(sealed, connection_place("c1")).value() == "token-1");
  std::string damaged = sealed;
  damaged[sealed.size() - 6] = damaged[sealed.size() - 6] == 'A' ? 'B' : 'A';
  CHECK_FALSE(jira->open(damaged, connection_place("c1")).ok());
}

TEST_CASE("a repeatable seal repeats for the same secret in the same place, and only then") {
  const auto sealer = Sealer::from_master_key(to_base64(random_bytes(32)), "jira");
  REQUIRE(sealer.ok());
  const std::string sealed = sealer->seal_repeatably("token-1", "here");
  CHECK(sealed == sealer->seal_repeatably("token-1", "here"));
  CHECK(sealed != sealer->seal_repeatably("token-2", "here"));
  CHECK(sealed != sealer->seal_repeatably("token-1", "there"));
  CHECK(sealer->open(sealed, "here").value() == "token-1");
  CHECK_FALSE(sealer->open(sealed, "there").ok());
}

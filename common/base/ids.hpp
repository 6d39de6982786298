#pragma once
// Identifiers are UUIDs in their 36-character text form (RFC 9562). Version 7 sorts by time; version 5 is in common/crypto.

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "common/base/clock.hpp"

namespace postroom {

using UuidBytes = std::array<std::uint8_t, 16>;

std::string to_text(const UuidBytes& bytes);      // lower case, with hyphens
bool is_uuid(std::string_view text);              // 36 characters, any version, lower or upper case
UuidBytes uuid_bytes(std::string_view text);      // of a text for which is_uuid holds; zeros otherwise

// Where new identifiers come from; deciders get one, tests hand in a counting one.
class IdSource {
 public:
  virtual ~IdSource() = default;
  virtual std::string next() = 0;
};

// UUIDv7 from the system's clock and getrandom(2). Not thread-safe: one for each thread.
class SystemIds final : public IdSource {
 public:
  std::string next() override;
};

}  // namespace postroom

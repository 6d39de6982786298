#pragma once
// Which IP addresses may be called: public ones, and private or reserved ones only when the configuration lists them (outbound.allow).

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/result.hpp"

namespace postroom::http {

// IPv4 addresses are held in their v4-mapped form, so that ::ffff:10.0.0.1 and 10.0.0.1 are one address.
struct IpAddress {
  std::array<std::uint8_t, 16> bytes{};
  bool is_v4() const;
  bool operator==(const IpAddress&) const = default;
};

std::optional<IpAddress> parse_address(std::string_view text);
IpAddress from_v4(const std::uint8_t* four_bytes);
IpAddress from_v6(const std::uint8_t* sixteen_bytes);
std::string to_text(const IpAddress& address);

// By the special-purpose registries of IANA (RFC 6890 and its successors). IPv6 is default-deny: only 2000::/3 without its special blocks is
// public. NAT64 addresses (64:ff9b::/96) are judged by the IPv4 address inside; 6to4 and Teredo are never public.
bool is_public(const IpAddress& address);

class AddressGuard {
 public:
  // "127.0.0.0/8", "::1/128", "10.1.2.3". The error names the wrong entry.
  static Result<AddressGuard> allowing(const std::vector<std::string>& blocks);

  bool is_listed(const IpAddress& address) const;
  bool may_call(const IpAddress& address) const { return is_public(address) || is_listed(address); }

 private:
  struct Block {
    IpAddress base;
    int prefix_bits;  // of the 128-bit form
  };
  std::vector<Block> allowed_;
};

}  // namespace postroom::http

#include "common/http/address.hpp"

#include <arpa/inet.h>
#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "common/base/sabotage.hpp"
#include "common/base/text.hpp"

namespace postroom::http {

namespace {

constexpr std::array<std::uint8_t, 12> mapped_prefix{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
constexpr std::array<std::uint8_t, 12> nat64_prefix{0, 0x64, 0xff, 0x9b, 0, 0, 0, 0, 0, 0, 0, 0};

bool starts_with(const IpAddress& address, const std::array<std::uint8_t, 12>& prefix) {
  return std::equal(prefix.begin(), prefix.end(), address.bytes.begin());
}

bool share_prefix(const IpAddress& a, const IpAddress& b, int bits) {
  for (std::size_t i = 0; i < 16 && bits > 0; ++i, bits -= 8) {
    const unsigned mask = bits >= 8 ? 0xffU : (0xff00U >> bits) & 0xffU;
    if (((a.bytes[i] ^ b.bytes[i]) & mask) != 0) return false;
  }
  return true;
}

struct Special {
  std::string_view base;
  int bits;
};

// Not globally reachable, or not ours to call.
constexpr Special special_v4[] = {
    {"0.0.0.0", 8},        // this network
    {"10.0.0.0", 8},       // private
    {"100.64.0.0", 10},    // carrier-grade NAT
    {"127.0.0.0", 8},      // loopback
    {"169.254.0.0", 16},   // link-local, cloud metadata
    {"172.16.0.0", 12},    // private
    {"192.0.0.0", 24},     // protocol assignments
    {"192.0.2.0", 24},     // documentation
    {"192.88.99.0", 24},   // 6to4 relays
    {"192.168.0.0", 16},   // private
    {"198.18.0.0", 15},    // benchmarks
    {"198.51.100.0", 24},  // documentation
    {"203.0.113.0", 24},   // documentation
    {"224.0.0.0", 4},      // multicast
    {"240.0.0.0", 4},      // reserved, broadcast
};
constexpr Special special_v6[] = {
    {"2001::", 23},      // protocol assignments, Teredo
    {"2001:db8::", 32},  // documentation
    {"2002::", 16},      // 6to4
    {"3fff::", 20},      // documentation
};

}  // namespace

bool IpAddress::is_v4() const { return starts_with(*this, mapped_prefix); }

IpAddress from_v4(const std::uint8_t* four_bytes) {
  IpAddress address;
  std::ranges::copy(mapped_prefix, address.bytes.begin());
  std::copy_n(four_bytes, 4, address.bytes.begin() + 12);
  return address;
}

IpAddress from_v6(const std::uint8_t* sixteen_bytes) {
  IpAddress address;
  std::copy_n(sixteen_bytes, 16, address.bytes.begin());
  return address;
}

std::optional<IpAddress> parse_address(std::string_view text) {
  const std::string zero_ended{text};
  std::uint8_t bytes[16];
  if (inet_pton(AF_INET, zero_ended.c_str(), bytes) == 1) return from_v4(bytes);
  if (inet_pton(AF_INET6, zero_ended.c_str(), bytes) == 1) return from_v6(bytes);
  return std::nullopt;
}

std::string to_text(const IpAddress& address) {
  char text[INET6_ADDRSTRLEN] = {};
  if (address.is_v4()) {
    inet_ntop(AF_INET, address.bytes.data() + 12, text, sizeof text);
  } else {
    inet_ntop(AF_INET6, address.bytes.data(), text, sizeof text);
  }
  return text;
}

bool is_public(const IpAddress& address) {
  if (saboteur("private_addresses_open")) return true;
  const auto in = [&](const Special& block, int extra) { return share_prefix(address, *parse_address(block.base), block.bits + extra); };
  if (address.is_v4()) return std::ranges::none_of(special_v4, [&](const Special& block) { return in(block, 96); });
  if (starts_with(address, nat64_prefix)) return is_public(from_v4(address.bytes.data() + 12));
  if ((address.bytes[0] & 0xe0) != 0x20) return false;  // outside 2000::/3
  return std::ranges::none_of(special_v6, [&](const Special& block) { return in(block, 0); });
}

Result<AddressGuard> AddressGuard::allowing(const std::vector<std::string>& blocks) {
  AddressGuard guard;
  for (const auto& text : blocks) {
    const Error wrong{Code::bad_message, fmt::format("'{}' is not an address block like 127.0.0.0/8 or ::1/128", text), "outbound.allow"};
    const auto parts = split(text, '/');
    const auto base = parse_address(parts[0]);
    if (!base || parts.size() > 2) return wrong;
    const int width = base->is_v4() ? 32 : 128;
    int bits = width;
    if (parts.size() == 2) {
      const auto [end, failed] = std::from_chars(parts[1].data(), parts[1].data() + parts[1].size(), bits);
      if (failed != std::errc{} || end != parts[1].data() + parts[1].size() || bits < 0 || bits > width) return wrong;
    }
    guard.allowed_.push_back({*base, bits + (128 - width)});
  }
  return guard;
}

bool AddressGuard::is_listed(const IpAddress& address) const {
  // What a NAT64 gateway would reach is the address inside.
  const IpAddress reached = starts_with(address, nat64_prefix) ? from_v4(address.bytes.data() + 12) : address;
  return std::ranges::any_of(allowed_, [&](const Block& block) { return share_prefix(reached, block.base, block.prefix_bits); });
}

}  // namespace postroom::http

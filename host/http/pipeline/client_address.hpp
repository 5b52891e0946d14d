// Whose request is it, when trusted proxies stand in between?
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace plexsphere::host::http {

// An address or a network, "10.0.0.0/8" or "::1".
class IpPrefix {
 public:
  static std::optional<IpPrefix> parse(std::string_view text);
  bool contains(std::string_view address) const;

 private:
  std::array<std::uint8_t, 16> bytes_{};
  bool v6_ = false;
  unsigned bits_ = 0;
};

// One number for everybody who is to be counted as one: an IPv4 address, or the /64 of an IPv6
// address. Null for what is no address.
std::optional<std::uint64_t> network_key(std::string_view address);

// The last address in X-Forwarded-For that is no trusted proxy, if `peer` is one; else `peer`.
// An entry that is no address ends the search: what stands left of it cannot be trusted.
std::string client_address(std::string_view peer, std::string_view forwarded_for,
                           std::span<const IpPrefix> trusted);

}  // namespace plexsphere::host::http

// IP addresses as text: networks of them, and whom they stand for.
//
// An IPv4 address in its IPv6 form ("::ffff:192.0.2.1") is the IPv4 address it is.
//
// Thread safety: no state. Ownership: values.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

namespace plexsphere::host::http {

bool is_ip_address(std::string_view text);

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

}  // namespace plexsphere::host::http

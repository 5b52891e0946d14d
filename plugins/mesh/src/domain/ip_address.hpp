// An IP address, read strictly and written in its one canonical form (RFC 5952; IPv4 dotted). Pure,
// any thread.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace plexsphere::mesh {

// 16 bytes in network order. An IPv4 address is held in its mapped form (RFC 4291, 2.5.5.2), so the
// two spellings of one address are one value.
class IpAddress {
 public:
  // Four decimal octets without leading zeros.
  static std::optional<IpAddress> parse_v4(std::string_view text);
  // Without brackets and zone; the last 32 bits may be dotted.
  static std::optional<IpAddress> parse_v6(std::string_view text);

  bool is_v4() const;
  // Whether another Node may reach somebody there: not unspecified, loopback, link-local, multicast
  // or reserved, in any spelling.
  bool is_reachable_from_elsewhere() const;
  std::string text() const;

  bool operator==(const IpAddress&) const = default;

 private:
  std::array<std::uint8_t, 16> bytes_{};
};

}  // namespace plexsphere::mesh

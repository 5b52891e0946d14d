// IP prefixes in canonical form (RFC 4632 §3.1): no bit set beyond the prefix length. Regular value
// type, any thread.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace plexsphere::tenancy {

class Cidr {
 public:
  // "10.4.0.0/16", "fd00:4::/48": IPv4 in dotted decimal without leading zeros, or IPv6 (RFC 4291
  // §2.2) without embedded IPv4; a decimal length; no host bits. Nothing for anything else, and for
  // IPv6 ranges that only spell an IPv4 address (::/96, ::ffff:0:0/96 and what is in them).
  static std::optional<Cidr> parse(std::string_view text);

  // Canonical text; IPv6 as in RFC 5952.
  std::string text() const;
  bool is_v6() const { return v6_; }
  int length() const { return length_; }
  // Whether every address of `other` is one of this. Never true across families.
  bool contains(const Cidr& other) const;

  auto operator<=>(const Cidr&) const = default;

 private:
  bool v6_ = false;
  int length_ = 0;
  std::array<std::uint8_t, 16> address_{};  // IPv4 in the first four
};

}  // namespace plexsphere::tenancy

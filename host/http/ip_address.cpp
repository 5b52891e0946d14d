#include "host/http/ip_address.hpp"

#include <arpa/inet.h>

#include <algorithm>
#include <charconv>

namespace plexsphere::host::http {
namespace {

struct Address {
  std::array<std::uint8_t, 16> bytes{};
  bool v6 = false;
};

std::optional<Address> parse_address(std::string_view text) {
  Address address;
  std::array<char, INET6_ADDRSTRLEN + 1> zero_terminated{};
  if (text.size() >= zero_terminated.size() || text.find('\0') != std::string_view::npos) {
    return std::nullopt;
  }
  std::copy(text.begin(), text.end(), zero_terminated.begin());
  if (::inet_pton(AF_INET, zero_terminated.data(), address.bytes.data()) == 1) {
    return address;
  }
  if (::inet_pton(AF_INET6, zero_terminated.data(), address.bytes.data()) != 1) {
    return std::nullopt;
  }
  // An IPv4 peer of a dual-stack listener is the IPv4 address it is.
  static constexpr std::array<std::uint8_t, 12> kMapped{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF};
  if (std::equal(kMapped.begin(), kMapped.end(), address.bytes.begin())) {
    Address v4;
    std::copy_n(address.bytes.begin() + 12, 4, v4.bytes.begin());
    return v4;
  }
  address.v6 = true;
  return address;
}

}  // namespace

bool is_ip_address(std::string_view text) {
  return parse_address(text).has_value();
}

std::optional<IpPrefix> IpPrefix::parse(std::string_view text) {
  const auto slash = text.find('/');
  const auto address = parse_address(text.substr(0, slash));
  if (!address) {
    return std::nullopt;
  }
  IpPrefix prefix;
  prefix.bytes_ = address->bytes;
  prefix.v6_ = address->v6;
  const unsigned most = prefix.v6_ ? 128 : 32;
  prefix.bits_ = most;
  if (slash != std::string_view::npos) {
    const auto digits = text.substr(slash + 1);
    const auto [end, error] =
        std::from_chars(digits.data(), digits.data() + digits.size(), prefix.bits_);
    if (error != std::errc() || end != digits.data() + digits.size() || prefix.bits_ > most) {
      return std::nullopt;
    }
  }
  return prefix;
}

bool IpPrefix::contains(std::string_view text) const {
  const auto address = parse_address(text);
  if (!address || address->v6 != v6_) {
    return false;
  }
  for (unsigned bit = 0; bit < bits_; ++bit) {
    const unsigned mask = 0x80U >> (bit % 8);
    if (((address->bytes[bit / 8] ^ bytes_[bit / 8]) & mask) != 0) {
      return false;
    }
  }
  return true;
}

std::optional<std::uint64_t> network_key(std::string_view text) {
  const auto address = parse_address(text);
  if (!address) {
    return std::nullopt;
  }
  std::uint64_t key = 0;
  for (std::size_t i = 0; i < (address->v6 ? 8U : 4U); ++i) {
    key = (key << 8) | address->bytes[i];
  }
  // 0:ffff::/32 is reserved (RFC 4291, 2.4): no /64 that is in use begins like this.
  return address->v6 ? key : key | (std::uint64_t{0xFFFF} << 32);
}

}  // namespace plexsphere::host::http

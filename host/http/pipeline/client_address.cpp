#include "host/http/pipeline/client_address.hpp"

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

std::string_view trimmed(std::string_view text) {
  const auto first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos) {
    return {};
  }
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

}  // namespace

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

std::string client_address(std::string_view peer, std::string_view forwarded_for,
                           std::span<const IpPrefix> trusted) {
  const auto is_trusted = [trusted](std::string_view address) {
    return std::any_of(trusted.begin(), trusted.end(),
                       [address](const IpPrefix& prefix) { return prefix.contains(address); });
  };
  // A unix-socket peer has no address: whoever may open the socket is a proxy the operator placed.
  std::string_view best = peer;
  while (!forwarded_for.empty() && (best.empty() ? !trusted.empty() : is_trusted(best))) {
    const auto comma = forwarded_for.rfind(',');
    const auto next =
        trimmed(comma == std::string_view::npos ? forwarded_for : forwarded_for.substr(comma + 1));
    if (!parse_address(next)) {
      break;
    }
    best = next;
    forwarded_for =
        comma == std::string_view::npos ? std::string_view() : forwarded_for.substr(0, comma);
  }
  constexpr std::string_view kMapped = "::ffff:";
  const bool mapped =
      best.substr(0, kMapped.size()) == kMapped && best.find('.') != std::string_view::npos;
  return std::string(mapped ? best.substr(kMapped.size()) : best);
}

}  // namespace plexsphere::host::http

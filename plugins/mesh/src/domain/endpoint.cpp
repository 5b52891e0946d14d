#include "domain/endpoint.hpp"

#include <algorithm>
#include <array>

#include "domain/ip_address.hpp"

namespace plexsphere::mesh {
namespace {

constexpr std::array<std::string_view, 5> kNatTypes{"full_cone", "restricted", "port_restricted",
                                                    "symmetric", "unknown"};

// Decimal without sign or leading zero.
std::optional<int> parse_port(std::string_view text) {
  if (text.empty() || text.size() > 5 || text.front() == '0') {
    return std::nullopt;
  }
  int value = 0;
  for (const char c : text) {
    if (c < '0' || c > '9') {
      return std::nullopt;
    }
    value = value * 10 + (c - '0');
  }
  return value <= 65535 ? std::optional(value) : std::nullopt;
}

struct HostPort {
  std::optional<IpAddress> host;
  std::optional<int> port;
};

HostPort split(std::string_view text) {
  if (!text.starts_with('[')) {
    const std::size_t colon = text.find(':');
    return colon == std::string_view::npos ? HostPort{}
                                           : HostPort{IpAddress::parse_v4(text.substr(0, colon)),
                                                      parse_port(text.substr(colon + 1))};
  }
  const std::size_t end = text.find("]:");
  return end == std::string_view::npos ? HostPort{}
                                       : HostPort{IpAddress::parse_v6(text.substr(1, end - 1)),
                                                  parse_port(text.substr(end + 2))};
}

}  // namespace

bool is_nat_type(std::string_view text) {
  return std::ranges::find(kNatTypes, text) != kNatTypes.end();
}

std::optional<FreshnessFault> judge_freshness(Time reported_at, Time server_now,
                                              std::chrono::milliseconds ttl) {
  const auto age = server_now - reported_at;
  if (age > ttl) {
    return FreshnessFault::older_than_ttl;
  }
  if (age > kAllowedClockSkew || age < -kAllowedClockSkew) {
    return FreshnessFault::clock_skew;
  }
  return std::nullopt;
}

std::optional<std::string> canonical_endpoint(std::string_view text) {
  const auto [host, port] = split(text);
  if (!host || !port || !host->is_reachable_from_elsewhere()) {
    return std::nullopt;
  }
  const std::string address = host->is_v4() ? host->text() : "[" + host->text() + "]";
  return address + ":" + std::to_string(*port);
}

}  // namespace plexsphere::mesh

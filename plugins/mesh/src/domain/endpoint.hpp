// The rules a reported endpoint must pass before it is stored. Pure functions, any thread.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include "domain/heartbeat.hpp"

namespace plexsphere::mesh {

// Where a Node was seen from outside, as it says itself.
struct EndpointReport {
  std::string endpoint;  // host:port, as sent; canonical_endpoint makes what is stored
  std::string nat_type;  // one of the contract's five
  Time reported_at;      // by the Node's clock
};

bool is_nat_type(std::string_view text);

enum class FreshnessFault { clock_skew, older_than_ttl };

// An observation may be as far off the server's time as a heartbeat, and no older than `ttl`.
// Whatever is older than the TTL is told as that, although the skew rule refuses it too.
std::optional<FreshnessFault> judge_freshness(Time reported_at, Time server_now,
                                              std::chrono::milliseconds ttl);

// "192.0.2.1:51820" or "[2001:db8::1]:51820" in the one form that is stored: addresses only, since
// a name could be made to point to what is refused; ports 1..65535; an IPv4-mapped address as the
// IPv4 address it is. Nothing for anything else, and for addresses nobody else can reach.
std::optional<std::string> canonical_endpoint(std::string_view text);

}  // namespace plexsphere::mesh

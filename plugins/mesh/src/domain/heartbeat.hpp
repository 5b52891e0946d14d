// The rules a heartbeat must pass before it is stored. Pure functions, any thread.
#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "domain/reachability.hpp"

namespace plexsphere::mesh {

// How far a Node's clock may be off, either way, both ends included.
inline constexpr std::chrono::seconds kAllowedClockSkew{60};
inline constexpr std::size_t kChecksumBytes = 32;  // SHA-256

// What a Node says of itself. It is judged and stored; no decision rests on it.
struct HeartbeatReport {
  Time client_now;
  std::string binary_checksum;  // raw bytes; empty when none was sent or it was not readable
  std::string binary_version;
  std::string nat_summary;  // one JSON object
};

enum class HeartbeatFault { clock_skew, no_checksum, no_version };

// Nothing but white space, or nothing at all.
bool is_blank(std::string_view text);

// The first rule the report breaks, in the contract's order, or nothing.
std::optional<HeartbeatFault> judge_heartbeat(const HeartbeatReport& report, Time server_now);

}  // namespace plexsphere::mesh

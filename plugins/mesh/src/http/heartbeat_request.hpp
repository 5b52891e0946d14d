// The body of POST /v1/nodes/{id}/heartbeat, read strictly. Pure, any thread.
#pragma once

#include <string_view>

#include "domain/heartbeat.hpp"
#include "plexsphere/sdk/status.hpp"

namespace plexsphere::mesh {

// Bytes; 413 above it. What a Node tells of its NAT is free-form, so it needs a bound.
inline constexpr std::uint64_t kHeartbeatBodyLimit = 64 * 1024;

// INVALID_ARGUMENT "malformed_heartbeat_request" for anything but the contract's members and
// types. A missing or unreadable checksum and a missing version are left empty: they have codes of
// their own and come after the clock.
sdk::Result<HeartbeatReport> read_heartbeat(std::string_view body);

// 32 bytes from standard base64 (44 characters) or lower-case hex (64); otherwise empty.
std::string read_checksum(std::string_view text);

}  // namespace plexsphere::mesh

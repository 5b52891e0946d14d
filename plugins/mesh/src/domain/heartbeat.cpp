#include "domain/heartbeat.hpp"

#include <algorithm>

namespace plexsphere::mesh {

bool is_blank(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return c == ' ' || (c >= '\t' && c <= '\r'); });
}

std::optional<HeartbeatFault> judge_heartbeat(const HeartbeatReport& report, Time server_now) {
  const auto ahead = report.client_now - server_now;
  if (ahead > kAllowedClockSkew || ahead < -kAllowedClockSkew) {
    return HeartbeatFault::clock_skew;
  }
  if (report.binary_checksum.size() != kChecksumBytes) {
    return HeartbeatFault::no_checksum;
  }
  if (is_blank(report.binary_version)) {
    return HeartbeatFault::no_version;
  }
  return std::nullopt;
}

}  // namespace plexsphere::mesh

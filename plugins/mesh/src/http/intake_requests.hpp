// The bodies of what Nodes tell, read strictly. Pure, any thread.
//
// Each reader answers INVALID_ARGUMENT with the code its operation has for a body that is not of
// the contract's members and types. Values with codes of their own are read as they are, or left
// empty when they are missing, and judged afterwards.
#pragma once

#include <string_view>

#include "domain/capabilities.hpp"
#include "domain/endpoint.hpp"
#include "domain/state_report.hpp"
#include "plexsphere/sdk/status.hpp"

namespace plexsphere::mesh {

// Bytes; 413 above them.
inline constexpr std::size_t kEndpointBodyLimit = 4096;
inline constexpr std::size_t kCapabilitiesBodyLimit = 32 * 1024;
// Room for a full value and a full tag in UTF-8; JSON escapes count as they are written.
inline constexpr std::size_t kReportBodyLimit = 32 * 1024;

// "malformed_endpoint_request".
sdk::Result<EndpointReport> read_endpoint(std::string_view body);
// "malformed_capabilities_request".
sdk::Result<CapabilityManifest> read_manifest(std::string_view body);
// "invalid_report", also for a value above kMostReportValue.
sdk::Result<StateReport> read_report(std::string_view key, std::string_view body);

}  // namespace plexsphere::mesh

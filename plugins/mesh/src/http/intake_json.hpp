// Answers to what Nodes tell, as JSON text. Pure, any thread.
#pragma once

#include <string>

#include "store/capability_store.hpp"
#include "store/endpoint_store.hpp"

namespace plexsphere::mesh {

std::string endpoint_json(const AcceptedEndpoint& accepted);      // EndpointResponse
std::string report_json(Time accepted_at, std::string_view key);  // NodeStateReportResponse
std::string manifest_json(const AcceptedManifest& accepted);      // CapabilityManifestResponse

}  // namespace plexsphere::mesh

// The outbox events of what Nodes tell. Pure, any thread.
#pragma once

#include "plexsphere/sdk/outbox.hpp"
#include "store/capability_store.hpp"
#include "store/endpoint_store.hpp"
#include "store/reporting_peer.hpp"

namespace plexsphere::mesh {

// peer_endpoint_changed: node_id, peer_id, endpoint, nat_type, changed_at, stale_after.
sdk::Event endpoint_moved(const ReportingPeer& peer, const sdk::Uuid& node_id,
                          const std::string& endpoint, const EndpointReport& report,
                          const AcceptedEndpoint& accepted);
// The same type with a null endpoint: the last one is not to be tried any more. Members node_id,
// peer_id, endpoint, changed_at.
sdk::Event endpoint_staled(const StaleEndpoint& stale);
// NodeCapabilitiesUpdated: node_id, fields_changed, host_key_changed, binary_version,
// binary_checksum (base64), reported_at.
sdk::Event capabilities_updated(const ReportingPeer& peer, const sdk::Uuid& node_id,
                                const CapabilityManifest& manifest,
                                const AcceptedManifest& accepted);

}  // namespace plexsphere::mesh

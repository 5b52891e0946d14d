#include "store/report_events.hpp"

#include <nlohmann/json.hpp>

#include "plexsphere/sdk/encoding.hpp"

namespace plexsphere::mesh {
namespace {

using Json = nlohmann::ordered_json;

sdk::Event event_of(std::string type, const sdk::Uuid& domain_id, const sdk::Uuid& node_id,
                    const Json& payload) {
  return {{}, domain_id, std::move(type), "node", node_id, payload.dump(), {}};
}

}  // namespace

sdk::Event endpoint_moved(const ReportingPeer& peer, const sdk::Uuid& node_id,
                          const std::string& endpoint, const EndpointReport& report,
                          const AcceptedEndpoint& accepted) {
  return event_of("peer_endpoint_changed", peer.domain_id, node_id,
                  {{"node_id", node_id.text()},
                   {"peer_id", peer.peer_id.text()},
                   {"endpoint", endpoint},
                   {"nat_type", report.nat_type},
                   {"changed_at", sdk::rfc3339(accepted.accepted_at)},
                   {"stale_after", sdk::rfc3339(accepted.stale_after)}});
}

sdk::Event endpoint_staled(const StaleEndpoint& stale) {
  return event_of("peer_endpoint_changed", stale.domain_id, stale.node_id,
                  {{"node_id", stale.node_id.text()},
                   {"peer_id", stale.peer_id.text()},
                   {"endpoint", nullptr},
                   {"changed_at", sdk::rfc3339(stale.staled_at)}});
}

sdk::Event capabilities_updated(const ReportingPeer& peer, const sdk::Uuid& node_id,
                                const CapabilityManifest& manifest,
                                const AcceptedManifest& accepted) {
  return event_of("NodeCapabilitiesUpdated", peer.domain_id, node_id,
                  {{"node_id", node_id.text()},
                   {"fields_changed", accepted.fields_changed},
                   {"host_key_changed", accepted.host_key_changed},
                   {"binary_version", manifest.binary_version},
                   {"binary_checksum", sdk::base64_encode(manifest.binary_checksum)},
                   {"reported_at", sdk::rfc3339(accepted.accepted_at)}});
}

}  // namespace plexsphere::mesh

#include "http/rotation_json.hpp"

#include <nlohmann/json.hpp>

namespace plexsphere::mesh {

using Json = nlohmann::ordered_json;

std::string rotation_json(const RotationRequested& requested) {
  return Json{{"rotation_id", requested.rotation_id.text()},
              {"peer_id", requested.peer_id.text()},
              {"already_pending", requested.already_pending}}
      .dump();
}

std::string receipt_json(const RotationReceipt& receipt) {
  return Json{{"rotation_id", receipt.rotation_id},
              {"kid", receipt.secret.kid},
              {"wrap_key_version", receipt.secret.wrap_key_version}}
      .dump();
}

std::string preview_json(const RotationPreview& preview) {
  const std::string node_id = preview.node_id.text();
  const RotationReach& reach = preview.reach;
  Json edges = Json::array();
  for (const RotationReach::Peer& peer : reach.peers) {
    edges.push_back(
        {{"peer_node_id", peer.node_id},
         {"current_kid", edge_kid(node_id, reach.secret, peer.node_id, peer.secret)},
         {"current_wrap_key_version", edge_wrap_key_version(reach.secret, peer.secret)}});
  }
  return Json{{"node_id", node_id},
              {"peer_id", reach.self.peer_id.text()},
              {"affected_peer_count", reach.peers.size()},
              {"affected_edges", std::move(edges)},
              {"already_pending", reach.already_pending},
              {"estimated_duration_seconds", preview.estimate.count()}}
      .dump();
}

}  // namespace plexsphere::mesh

// px.peers/1 in C++: the consumer's wrapper. The provider implements the C table itself.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "plexsphere/abi/ports/peers.h"
#include "plexsphere/sdk/store.hpp"

namespace plexsphere::sdk::inline v1 {

struct Peer {
  Uuid node_id;
  std::string mesh_ip;
  std::string public_key;
  std::string fallback_endpoint;  // empty: none
};

class Peers {
 public:
  static constexpr std::string_view kName = "px.peers/1";
  using Wire = px_peers;
  Peers() = default;
  explicit Peers(const px_peers* table) : table_(table) {}

  // Ascending node id, `except` left out.
  Result<std::vector<Peer>> snapshot(const Transaction& tx, const Uuid& domain_id,
                                     const Uuid& except) const {
    std::vector<Peer> out;
    ErrorSink sink;
    const px_status s = table_->snapshot(
        table_->base.self, tx.wire(), domain_id.wire(), except.wire(), &out,
        [](void* ctx, const px_peer* peer) {
          static_cast<std::vector<Peer>*>(ctx)->push_back(
              {Uuid(peer->node_id), std::string(view(peer->mesh_ip)),
               std::string(view(peer->public_key)), std::string(view(peer->fallback_endpoint))});
        },
        sink.wire());
    return s == PX_OK ? Result<std::vector<Peer>>(std::move(out)) : std::move(sink).error(s);
  }

 private:
  const px_peers* table_ = nullptr;
};

}  // namespace plexsphere::sdk::inline v1

// Rotations of mesh keys and the wrapped secrets of Nodes, as requests read and write them.
// Thread safety: declare at configure, then any thread; every call blocks on the database.
#pragma once

#include <optional>
#include <vector>

#include "domain/key_rotation.hpp"
#include "plexsphere/sdk/store.hpp"
#include "store/secret_maker.hpp"

namespace plexsphere::mesh {

// A live Node whose row this transaction holds.
struct LockedPeer {
  sdk::Uuid peer_id;
  sdk::Uuid domain_id;
};

// What a rotation would touch. `peers` ascend by node id.
struct RotationReach {
  LockedPeer self;
  SecretReference secret;
  bool already_pending = false;
  struct Peer {
    std::string node_id;
    SecretReference secret;
  };
  std::vector<Peer> peers;
};

class RotationStore {
 public:
  sdk::Status declare(const sdk::Store& store);

  sdk::Result<sdk::Transaction> begin() const { return store_.begin(); }

  // Holds the row of a live Node until `tx` ends. NOT_FOUND "node_not_found".
  sdk::Result<LockedPeer> lock(const sdk::Transaction& tx, const sdk::Uuid& node_id) const;
  // As lock, for the Node itself: UNAUTHENTICATED "nsk_revoked" when `generation` is not that of a
  // credential that still holds.
  sdk::Result<LockedPeer> lock_own(const sdk::Transaction& tx, const sdk::Uuid& node_id,
                                   std::int64_t generation) const;

  // Both need the row's lock, and must be statements after it to see what its last holder did.
  sdk::Result<std::optional<sdk::Uuid>> pending(const sdk::Transaction& tx,
                                                const sdk::Uuid& node_id) const;
  sdk::Result<RotationFacts> facts(const sdk::Transaction& tx, const sdk::Uuid& node_id) const;

  sdk::Status insert(const sdk::Transaction& tx, const sdk::Uuid& rotation_id,
                     const sdk::Uuid& node_id) const;
  // The Node's new key and new secret, and the end of the rotation.
  sdk::Status complete(const sdk::Transaction& tx, const sdk::Uuid& rotation_id,
                       const sdk::Uuid& node_id, std::string_view public_key,
                       const WrappedSecret& secret) const;

  // One round trip, no lock. Nothing when there is no such live Node.
  sdk::Result<std::optional<RotationReach>> reach(const sdk::Uuid& node_id) const;

 private:
  sdk::Store store_;
  sdk::Statement lock_, pending_, facts_, insert_, complete_, reach_;
};

}  // namespace plexsphere::mesh

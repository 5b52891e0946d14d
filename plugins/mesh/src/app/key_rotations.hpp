// Rotation of a Node's mesh key: an operator asks for it, the Node completes it with a new key.
// Thread safety: any thread; blocks on the database.
#pragma once

#include "plexsphere/sdk/outbox.hpp"
#include "plexsphere/sdk/ports/audit.hpp"
#include "plexsphere/sdk/ports/tenancy.hpp"
#include "store/rotation_store.hpp"
#include "store/secret_maker.hpp"

namespace plexsphere::mesh {

struct RotationRequested {
  sdk::Uuid rotation_id;
  sdk::Uuid peer_id;
  bool already_pending = false;
};

struct RotationPreview {
  sdk::Uuid node_id;
  RotationReach reach;
  std::chrono::seconds estimate{};
};

class KeyRotations {
 public:
  struct Services {
    sdk::Outbox outbox;
    sdk::Audit audit;
    sdk::Tenancy tenancy;
    sdk::Clock clock;
  };

  // Keeps references: both outlive it.
  KeyRotations(RotationStore& store, SecretMaker& secrets, Services services)
      : store_(store), secrets_(secrets), services_(services) {}

  // `caller` has subject and request context; action, object and chain are filled in here. One that
  // pends already is returned as it is and tells nobody again. NOT_FOUND "node_not_found".
  sdk::Result<RotationRequested> request(const sdk::Uuid& node_id, sdk::AuditEntry caller) const;

  // `node` is the caller, `public_key` passed valid_mesh_key. UNAUTHENTICATED "nsk_revoked",
  // NOT_FOUND "node_not_found", FAILED_PRECONDITION "no_pending_rotation" or
  // "public_key_unchanged".
  sdk::Result<RotationReceipt> complete(const sdk::Principal& node, std::string_view public_key,
                                        sdk::AuditEntry caller) const;

  // Reads, and changes nothing. NOT_FOUND "node_not_found".
  sdk::Result<RotationPreview> preview(const sdk::Uuid& node_id) const;

 private:
  sdk::Status open(sdk::Transaction& tx, const LockedPeer& peer, const sdk::Uuid& node_id,
                   const sdk::Uuid& rotation_id, sdk::AuditEntry caller) const;
  sdk::Result<RotationReceipt> close(sdk::Transaction& tx, const LockedPeer& peer,
                                     const sdk::Uuid& node_id, const sdk::Uuid& rotation_id,
                                     std::string_view public_key, const WrappedSecret& secret,
                                     sdk::AuditEntry caller) const;

  RotationStore& store_;
  SecretMaker& secrets_;
  Services services_;
};

}  // namespace plexsphere::mesh

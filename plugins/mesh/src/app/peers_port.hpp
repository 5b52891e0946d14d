// px.peers/1: who else is in the mesh, read in the caller's transaction.
// Thread safety: declare at configure, then any thread. Must live until the process ends.
#pragma once

#include "plexsphere/abi/ports/peers.h"
#include "plexsphere/sdk/store.hpp"

namespace plexsphere::mesh {

class PeersPort {
 public:
  PeersPort();
  PeersPort(const PeersPort&) = delete;
  PeersPort& operator=(const PeersPort&) = delete;

  sdk::Status declare(const sdk::Store& store);
  const px_table* table() const { return &table_.base; }

 private:
  static px_status snapshot(void* self, px_tx* tx, px_uuid domain_id, px_uuid except, void* ctx,
                            void (*each)(void* ctx, const px_peer* peer), px_error* err) noexcept;

  px_peers table_;
  sdk::Store store_;
  sdk::Statement snapshot_;
};

}  // namespace plexsphere::mesh

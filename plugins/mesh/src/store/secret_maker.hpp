// Makes the wrapped secret of a Node: random bytes, sealed under the Domain's wrap key, zeroed. The
// plaintext never leaves this function.
// Thread safety: any thread. Seals from a cached wrap key; a miss reads or makes one, which blocks.
#pragma once

#include "plexsphere/sdk/seal.hpp"
#include "plexsphere/sdk/services.hpp"

namespace plexsphere::mesh {

// As it is stored; not secret by itself.
struct WrappedSecret {
  sdk::Uuid kid;
  sdk::Sealed sealed;
};

class SecretMaker {
 public:
  SecretMaker(sdk::Seal seal, sdk::Clock clock) : seal_(seal), clock_(clock) {}

  // UNAVAILABLE when the wrap key has to be read and the database is away.
  sdk::Result<WrappedSecret> make(const sdk::Uuid& domain_id, const sdk::Uuid& node_id) const;

 private:
  sdk::Seal seal_;
  sdk::Clock clock_;
};

}  // namespace plexsphere::mesh

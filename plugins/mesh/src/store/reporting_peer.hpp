// The Node that reports, held: its row of mesh.peer is locked for the rest of the transaction, so
// its credential and its life hold until the commit, and two reports of one Node stand in line.
// Thread safety: declare at configure, then any thread; blocks.
#pragma once

#include "plexsphere/sdk/store.hpp"

namespace plexsphere::mesh {

enum class Standing {
  live,
  absent,   // no event told of such a Node
  gone,     // deregistered
  revoked,  // the credential is not the Node's any more
};

struct ReportingPeer {
  Standing standing = Standing::absent;
  sdk::Uuid peer_id;
  sdk::Uuid domain_id;
};

class ReportingPeers {
 public:
  sdk::Status declare(const sdk::Store& store);

  // A Node that is gone is told as gone, even though its credential went with it.
  sdk::Result<ReportingPeer> hold(const sdk::Transaction& tx, const sdk::Uuid& node_id,
                                  std::int64_t generation) const;

 private:
  sdk::Statement hold_;
};

}  // namespace plexsphere::mesh

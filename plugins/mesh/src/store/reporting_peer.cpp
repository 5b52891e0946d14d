#include "store/reporting_peer.hpp"

#include "plexsphere/sdk/declarations.hpp"

namespace plexsphere::mesh {

using sdk::Type;

sdk::Status ReportingPeers::declare(const sdk::Store& store) {
  sdk::Declarations all(store);
  all.write(hold_, "reporting_peer.hold",
            "SELECT peer_id, domain_id, deregistered_at IS NOT NULL, "
            "credential_generation = $2 AND credential_revoked_at IS NULL "
            "FROM mesh.peer WHERE node_id = $1 FOR NO KEY UPDATE",
            {Type::uuid, Type::int64}, {Type::uuid, Type::uuid, Type::boolean, Type::boolean});
  return std::move(all).status();
}

sdk::Result<ReportingPeer> ReportingPeers::hold(const sdk::Transaction& tx,
                                                const sdk::Uuid& node_id,
                                                std::int64_t generation) const {
  const auto rows = tx.run(hold_, node_id, generation);
  if (!rows.ok()) {
    return rows.error();
  }
  if (rows->empty()) {
    return ReportingPeer{};
  }
  const sdk::Row row = (*rows)[0];
  const Standing standing = row.boolean(2)   ? Standing::gone
                            : row.boolean(3) ? Standing::live
                                             : Standing::revoked;
  return ReportingPeer{standing, row.uuid(0), row.uuid(1)};
}

}  // namespace plexsphere::mesh

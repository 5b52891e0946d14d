// px.ipam/1's functions, as another context calls them.
#pragma once

#include "mesh_database.hpp"

namespace plexsphere::mesh::test {

inline const std::string kDomain = uuid(0xd0);

// What an allocation asks for.
struct Ask {
  std::string mesh_cidr;
  std::string sub_range;
  long cool_down_ms = 86'400'000;
  long lock_wait_ms = 2'000;
  std::string domain = kDomain;
};

inline std::string allocate(pqxx::transaction_base& tx, const Ask& ask, int node) {
  return tx
      .exec_params("SELECT address FROM mesh.port_take_address($1, $2, $3, $4, $5, $6)", ask.domain,
                   ask.mesh_cidr, ask.sub_range, uuid(node), ask.cool_down_ms,
                   ask.lock_wait_ms)[0][0]
      .as<std::string>();
}

inline std::string allocate(const MeshDatabase& db, const Ask& ask, int node) {
  pqxx::connection connection(db.dsn("neighbour"));
  pqxx::work tx(connection);
  auto address = allocate(tx, ask, node);
  tx.commit();
  return address;
}

inline void release(pqxx::transaction_base& tx, int node) {
  tx.exec_params("SELECT mesh.port_release_address($1)", uuid(node));
}

inline void release(const MeshDatabase& db, int node) {
  pqxx::connection connection(db.dsn("neighbour"));
  pqxx::work tx(connection);
  release(tx, node);
  tx.commit();
}

inline void reserve(pqxx::transaction_base& tx, int project, const std::string& range) {
  tx.exec_params(
      "SELECT mesh.port_project_reserved_ranges(ARRAY[$1::uuid], ARRAY[$2::uuid], "
      "ARRAY[$3::text])",
      kDomain, uuid(project), range);
}

inline void reserve(const MeshDatabase& db, int project, const std::string& range) {
  pqxx::connection connection(db.dsn("neighbour"));
  pqxx::work tx(connection);
  reserve(tx, project, range);
  tx.commit();
}

}  // namespace plexsphere::mesh::test

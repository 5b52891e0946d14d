#include <catch2/catch.hpp>

#include "mesh_database.hpp"

using plexsphere::mesh::test::MeshDatabase;
using plexsphere::mesh::test::uuid;

namespace {

const std::string kDomain = uuid(0xd0);

void registered(const MeshDatabase& db, int node, int generation = 1,
                const std::string& domain = kDomain) {
  pqxx::connection connection(db.dsn("neighbour"));
  pqxx::work tx(connection);
  tx.exec_params(
      "SELECT mesh.port_project_nodes_registered(ARRAY[$1::uuid], ARRAY[$2::uuid], "
      "ARRAY[$3::uuid], ARRAY[$4::uuid], ARRAY[$5::text], "
      "ARRAY[decode(repeat('01', 32), 'hex')], ARRAY[$6::bigint])",
      uuid(node), uuid(node + 0x1000), domain, uuid(0xb0), "10.0.0." + std::to_string(node),
      generation);
  tx.commit();
}

std::string ids_seen_by(const MeshDatabase& db, int node, const std::string& domain = kDomain) {
  pqxx::connection connection(db.dsn("neighbour"));
  pqxx::work tx(connection);
  return tx
      .exec_params(
          "SELECT coalesce(string_agg(right(node_id::text, 2) || '=' || mesh_ip || '/' || "
          "public_key, ' '), '') FROM mesh.port_peer_snapshot($1, $2)",
          domain, uuid(node))[0][0]
      .as<std::string>();
}

void call(const MeshDatabase& db, const std::string& sql) {
  pqxx::connection connection(db.dsn("neighbour"));
  pqxx::work tx(connection);
  tx.exec("SELECT " + sql);
  tx.commit();
}

std::string credential(const MeshDatabase& db, int node) {
  return db.admin(
      "SELECT credential_generation || CASE WHEN credential_revoked_at IS NULL THEN "
      "' live' ELSE ' revoked' END FROM mesh.peer WHERE node_id = '" +
      uuid(node) + "'");
}

}  // namespace

TEST_CASE("a registered Node is everybody's peer but its own and another Domain's",
          "[mesh][peers]") {
  const MeshDatabase db;
  const std::string key = "AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=";
  registered(db, 3);
  registered(db, 2);
  registered(db, 9, 1, uuid(0xd1));
  CHECK(ids_seen_by(db, 2) == "03=10.0.0.3/" + key);
  CHECK(ids_seen_by(db, 7) == "02=10.0.0.2/" + key + " 03=10.0.0.3/" + key);
  CHECK(ids_seen_by(db, 9, uuid(0xd1)).empty());
  call(db, "mesh.port_project_nodes_deregistered(ARRAY['" + uuid(3) + "'::uuid])");
  CHECK(ids_seen_by(db, 2).empty());
}

TEST_CASE("a Node told of again keeps its place and takes only a newer credential",
          "[mesh][peers]") {
  const MeshDatabase db;
  registered(db, 2, 2);
  registered(db, 2, 1);
  CHECK(credential(db, 2) == "2 live");
  registered(db, 2, 3);
  CHECK(credential(db, 2) == "3 live");
  CHECK(db.admin("SELECT count(*) FROM mesh.peer") == "1");
}

TEST_CASE("credential events may come twice or out of order", "[mesh][peers]") {
  const MeshDatabase db;
  registered(db, 2, 1);
  const auto issued = [&](int generation) {
    call(db, "mesh.port_project_credentials_issued(ARRAY['" + uuid(2) + "'::uuid], ARRAY[" +
                 std::to_string(generation) + "::bigint])");
  };
  const auto revoked = [&](int generation) {
    call(db, "mesh.port_project_credentials_revoked(ARRAY['" + uuid(2) + "'::uuid], ARRAY[" +
                 std::to_string(generation) + "::bigint])");
  };
  issued(2);
  revoked(1);
  CHECK(credential(db, 2) == "2 live");
  revoked(2);
  CHECK(credential(db, 2) == "2 revoked");
  issued(2);
  CHECK(credential(db, 2) == "2 revoked");
  issued(3);
  CHECK(credential(db, 2) == "3 live");
}

TEST_CASE("two live Nodes cannot share an address, whoever says so", "[mesh][peers]") {
  const MeshDatabase db;
  registered(db, 2);
  pqxx::connection connection(db.dsn("neighbour"));
  pqxx::work tx(connection);
  CHECK_THROWS_AS(
      tx.exec_params("SELECT mesh.port_project_nodes_registered(ARRAY[$1::uuid], ARRAY[$2::uuid], "
                     "ARRAY[$3::uuid], ARRAY[$4::uuid], ARRAY['10.0.0.2'], "
                     "ARRAY[decode(repeat('02', 32), 'hex')], ARRAY[1::bigint])",
                     uuid(5), uuid(6), kDomain, uuid(0xb0)),
      pqxx::unique_violation);
}

TEST_CASE("the runtime role writes heartbeats and nothing else", "[mesh][peers]") {
  const MeshDatabase db;
  registered(db, 2);
  pqxx::connection connection(db.dsn("runtime"));
  const auto refused = [&](const std::string& sql) {
    pqxx::work tx(connection);
    CHECK_THROWS_AS(tx.exec(sql), pqxx::insufficient_privilege);
  };
  refused("UPDATE mesh.peer SET credential_generation = 9");
  refused("UPDATE mesh.peer SET public_key = ''");
  refused("DELETE FROM mesh.peer");
  refused("INSERT INTO mesh.peer DEFAULT VALUES");
  pqxx::work tx(connection);
  CHECK(tx.exec("UPDATE mesh.peer SET last_heartbeat_at = now()").affected_rows() == 1);
}

TEST_CASE("another context sees peers only through the snapshot", "[mesh][peers]") {
  const MeshDatabase db;
  pqxx::connection neighbour(db.dsn("neighbour"));
  pqxx::work tx(neighbour);
  CHECK_THROWS_AS(tx.exec("SELECT FROM mesh.peer"), pqxx::insufficient_privilege);
}

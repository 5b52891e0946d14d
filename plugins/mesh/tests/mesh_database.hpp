// A database with this context's schema, roles and functions as bootstrap makes them, so that its
// SQL can be tested without the host.
#pragma once

#include <filesystem>
#include <fstream>
#include <pqxx/pqxx>
#include <set>
#include <sstream>
#include <string>

#include "support/pg_cluster.hpp"

namespace plexsphere::mesh::test {

class MeshDatabase {
 public:
  MeshDatabase() {
    pqxx::connection admin(cluster_.dsn());
    pqxx::nontransaction run(admin);
    run.exec("REVOKE EXECUTE ON FUNCTION pg_catalog.set_config(text, text, boolean) FROM PUBLIC");
    run.exec(
        "CREATE ROLE plexsphere_mesh; CREATE ROLE plexsphere_mesh_owner; "
        "CREATE ROLE port_ipam; CREATE ROLE port_peers; CREATE ROLE port_outbox; "
        "CREATE ROLE neighbour LOGIN IN ROLE port_ipam, port_peers, port_outbox; "
        "CREATE ROLE stranger LOGIN; CREATE ROLE runtime LOGIN IN ROLE plexsphere_mesh; "
        "CREATE SCHEMA mesh AUTHORIZATION plexsphere_mesh_owner");
    const std::filesystem::path folder(MESH_MIGRATIONS);
    std::set<std::filesystem::path> files(std::filesystem::directory_iterator(folder), {});
    for (const auto& file : files) {
      run.exec("BEGIN; SET LOCAL ROLE plexsphere_mesh_owner; SET LOCAL search_path = mesh");
      run.exec(text_of(file));
      run.exec("COMMIT");
    }
  }

  // A connection as another context ("neighbour": has the port roles), as the plugin ("runtime")
  // or as somebody without any ("stranger").
  std::string dsn(const std::string& user) const { return cluster_.dsn("postgres", user); }
  std::string admin(const std::string& sql) const { return cluster_.query(sql); }

 private:
  static std::string text_of(const std::filesystem::path& file) {
    std::ifstream in(file);
    std::stringstream text;
    text << in.rdbuf();
    return text.str();
  }

  test_support::PgCluster cluster_{
      test_support::PgCluster::Options{.durable = false, .max_connections = 120, .settings = {}}};
};

inline std::string uuid(int number) {
  char buffer[40];
  std::snprintf(buffer, sizeof buffer, "01990000-0000-7000-8000-%012x",
                static_cast<unsigned>(number));
  return buffer;
}

}  // namespace plexsphere::mesh::test

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

// One server for the test program, a database for each test.
class MeshDatabase {
 public:
  // With the migrations up to `newest` only, as a release of that day left it.
  explicit MeshDatabase(const std::string& newest = "9999") : name_("mesh_" + next_number()) {
    server().create_database(name_);
    pqxx::connection admin(server().dsn(name_));
    pqxx::nontransaction run(admin);
    run.exec("REVOKE EXECUTE ON FUNCTION pg_catalog.set_config(text, text, boolean) FROM PUBLIC");
    run.exec("CREATE SCHEMA mesh AUTHORIZATION plexsphere_mesh_owner");
    migrate(newest);
  }

  // Applies what is outstanding.
  void migrate(const std::string& newest = "9999") {
    pqxx::connection admin(server().dsn(name_));
    pqxx::nontransaction run(admin);
    const std::filesystem::path folder(MESH_MIGRATIONS);
    std::set<std::filesystem::path> files(std::filesystem::directory_iterator(folder), {});
    for (const auto& file : files) {
      if (file.filename().string().substr(0, newest.size()) > newest ||
          !applied_.insert(file).second) {
        continue;
      }
      run.exec("BEGIN; SET LOCAL ROLE plexsphere_mesh_owner; SET LOCAL search_path = mesh");
      run.exec(text_of(file));
      run.exec("COMMIT");
    }
  }

  // A connection as another context ("neighbour": has the port roles), as the plugin ("runtime")
  // or as somebody without any ("stranger").
  std::string dsn(const std::string& user) const { return server().dsn(name_, user); }
  std::string admin(const std::string& sql) const { return server().query(sql, name_); }

 private:
  static test_support::PgCluster& server() {
    static test_support::PgCluster instance{
        test_support::PgCluster::Options{.durable = false, .max_connections = 120, .settings = {}}};
    static const bool has_roles = [] {
      instance.query(
          "CREATE ROLE plexsphere_mesh; CREATE ROLE plexsphere_mesh_owner; "
          "CREATE ROLE port_ipam; CREATE ROLE port_peers; CREATE ROLE port_outbox; "
          "CREATE ROLE neighbour LOGIN IN ROLE port_ipam, port_peers, port_outbox; "
          "CREATE ROLE stranger LOGIN; CREATE ROLE runtime LOGIN IN ROLE plexsphere_mesh");
      return true;
    }();
    (void)has_roles;
    return instance;
  }
  static std::string next_number() {
    static int number = 0;
    return std::to_string(++number);
  }
  static std::string text_of(const std::filesystem::path& file) {
    std::ifstream in(file);
    std::stringstream text;
    text << in.rdbuf();
    return text.str();
  }

  const std::string name_;
  std::set<std::filesystem::path> applied_;
};

inline std::string uuid(int number) {
  char buffer[40];
  std::snprintf(buffer, sizeof buffer, "01990000-0000-7000-8000-%012x",
                static_cast<unsigned>(number));
  return buffer;
}

}  // namespace plexsphere::mesh::test

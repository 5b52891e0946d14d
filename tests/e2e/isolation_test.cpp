// Least privilege in the database: what one context's role can do to another's tables.
#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>
#include <sstream>

#include "e2e/deployment.hpp"

using namespace plexsphere;

namespace {

std::vector<std::string> lines(const std::string& text) {
  std::vector<std::string> out;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) {
    if (!line.empty()) {
      out.push_back(line);
    }
  }
  return out;
}

// The message with which `role` is refused, or "" when it is not.
std::string refusal(test_support::PgCluster& postgres, const std::string& role,
                    const std::string& sql) {
  try {
    postgres.query("BEGIN; SET LOCAL ROLE " + role + "; " + sql + "; ROLLBACK", "plexsphere",
                   "plexsphere_core");
    return "";
  } catch (const std::exception& e) {
    return e.what();
  }
}

}  // namespace

TEST_CASE("no context's role can touch another context's tables, in any pair", "[e2e]") {
  e2e::Deployment deployment(e2e::Deployment::Options{.signer = false});
  auto& postgres = deployment.postgres();
  const auto schemas = lines(postgres.query(
      "SELECT nspname FROM pg_namespace n WHERE EXISTS (SELECT 1 FROM pg_roles WHERE rolname = "
      "'plexsphere_' || n.nspname) ORDER BY 1",
      "plexsphere"));
  REQUIRE(schemas.size() >= 6);

  std::size_t tried = 0;
  for (const auto& owner : schemas) {
    const auto tables = lines(postgres.query(
        "SELECT tablename FROM pg_tables WHERE schemaname = '" + owner + "'", "plexsphere"));
    CHECK_FALSE(tables.empty());
    for (const auto& other : schemas) {
      if (other == owner) {
        continue;
      }
      for (const auto& table : tables) {
        CAPTURE(other, owner, table);
        const std::string name = owner + "." + table;
        for (const std::string& sql :
             {"SELECT 1 FROM " + name + " LIMIT 1", "DELETE FROM " + name,
              "INSERT INTO " + name + " DEFAULT VALUES", "TRUNCATE " + name}) {
          CHECK(refusal(postgres, "plexsphere_" + other, sql).find("permission denied") !=
                std::string::npos);
          ++tried;
        }
      }
    }
  }
  CHECK(tried > 100);
}

TEST_CASE("the login role owns nothing and reads nothing by itself", "[e2e]") {
  e2e::Deployment deployment(e2e::Deployment::Options{.signer = false});
  auto& postgres = deployment.postgres();
  CHECK_THROWS(
      postgres.query("SELECT 1 FROM identity.node LIMIT 1", "plexsphere", "plexsphere_core"));
  CHECK_THROWS(postgres.query("CREATE TABLE public.mine (x int)", "plexsphere", "plexsphere_core"));
  CHECK_THROWS(postgres.query("SELECT set_config('role', 'plexsphere_audit', false)", "plexsphere",
                              "plexsphere_core"));
}

TEST_CASE("no runtime role can rewrite or delete the audit log", "[e2e]") {
  e2e::Deployment deployment(e2e::Deployment::Options{.signer = false});
  auto& postgres = deployment.postgres();
  for (const char* sql : {"DELETE FROM audit.audit_log_entry",
                          "UPDATE audit.audit_log_entry SET canonical_bytes = ''",
                          "TRUNCATE audit.audit_log_entry"}) {
    CAPTURE(sql);
    CHECK_FALSE(refusal(postgres, "plexsphere_audit", sql).empty());
  }
}

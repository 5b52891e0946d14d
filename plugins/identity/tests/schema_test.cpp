// The schema as the migrations leave it, with the roles that the platform makes.
#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <pqxx/pqxx>
#include <set>
#include <sstream>
#include <thread>

#include "support/pg_cluster.hpp"

namespace plexsphere::identity {
namespace {

using test_support::PgCluster;

std::string migrations() {
  std::set<std::filesystem::path> files;  // in the order of their numbers
  for (const auto& entry : std::filesystem::directory_iterator(IDENTITY_MIGRATIONS)) {
    files.insert(entry.path());
  }
  std::ostringstream text;
  for (const auto& path : files) {
    text << std::ifstream(path).rdbuf() << "\n";
  }
  return text.str();
}

// One server for the program; each test case works on rows of its own.
PgCluster& cluster() {
  static PgCluster server;
  static const bool ready = [] {
    server.query(
        "CREATE ROLE plexsphere_core LOGIN NOINHERIT; CREATE ROLE plexsphere_identity NOLOGIN;"
        "CREATE ROLE plexsphere_identity_owner NOLOGIN;"
        "GRANT plexsphere_identity TO plexsphere_core;"
        "CREATE SCHEMA identity AUTHORIZATION plexsphere_identity_owner");
    server.query("SET ROLE plexsphere_identity_owner; SET search_path = identity; " + migrations());
    return true;
  }();
  (void)ready;
  return server;
}

// A connection as the running context has it.
pqxx::connection runtime() {
  return pqxx::connection(cluster().dsn("postgres", "plexsphere_core") +
                          " options='-c role=plexsphere_identity'");
}

std::string insert_token(const std::string& project = "gen_random_uuid()") {
  return cluster().query(
      "INSERT INTO identity.bootstrap_token (id, domain_id, project_id, kind, env_prefix, selector,"
      " token_hash, issued_by_user_id, issued_at, expires_at) VALUES (gen_random_uuid(),"
      " gen_random_uuid(), " +
      project +
      ", 'node', 'dev', substr(sha256(gen_random_uuid()::text"
      "::bytea), 1, 10), 'hash', gen_random_uuid(), now(), now() + interval '1 hour')"
      " RETURNING id");
}

std::string consume_sql(const std::string& token, const std::string& nonce) {
  return "UPDATE identity.bootstrap_token SET consumed_at = now(), consumed_nonce_sha256 = "
         "sha256('" +
         nonce + "'::bytea), consumed_by_node_id = gen_random_uuid() WHERE id = '" + token +
         "' AND consumed_at IS NULL AND revoked_at IS NULL RETURNING id";
}

bool refused(const std::string& sql) {
  auto connection = runtime();
  pqxx::work work(connection);
  try {
    work.exec(sql);
  } catch (const pqxx::sql_error&) {
    return true;
  }
  return false;
}

TEST_CASE("a token has one end: what is consumed cannot be revoked as well", "[identity]") {
  const std::string token = insert_token();
  cluster().query(consume_sql(token, "n-" + token));
  CHECK(
      refused("UPDATE identity.bootstrap_token SET revoked_at = now() WHERE id = '" + token + "'"));
}

TEST_CASE("of many who consume one token at once exactly one gets its row", "[identity]") {
  const std::string token = insert_token();
  std::atomic<int> winners{0};
  std::vector<std::thread> racers;
  for (int i = 0; i < 16; ++i) {
    racers.emplace_back([&, i] {
      auto connection = runtime();
      pqxx::work work(connection);
      winners += static_cast<int>(
          work.exec(consume_sql(token, "race-" + std::to_string(i) + token)).size());
      work.commit();
    });
  }
  for (std::thread& racer : racers) {
    racer.join();
  }
  CHECK(winners == 1);
}

TEST_CASE("a nonce buys one Node in a Project, and one in another", "[identity]") {
  const std::string project = cluster().query("SELECT gen_random_uuid()");
  const std::string first = insert_token("'" + project + "'");
  const std::string second = insert_token("'" + project + "'");
  const std::string elsewhere = insert_token();
  cluster().query(consume_sql(first, "same" + project));
  auto connection = runtime();
  pqxx::work work(connection);
  try {
    work.exec(consume_sql(second, "same" + project));
    FAIL("the nonce was taken twice");
  } catch (const pqxx::unique_violation& violation) {
    CHECK(std::string(violation.what()).find("\"bootstrap_token_nonce\"") != std::string::npos);
  }
  CHECK_FALSE(refused(consume_sql(elsewhere, "same" + project)));
}

TEST_CASE("the running context can neither delete nor rewrite what it must not", "[identity]") {
  const std::string token = insert_token();
  for (const std::string table :
       {"user_account", "api_token", "bootstrap_token", "node", "node_secret_key"}) {
    CHECK(refused("DELETE FROM identity." + table));
    CHECK(refused("TRUNCATE identity." + table));
  }
  CHECK(refused("UPDATE identity.bootstrap_token SET expires_at = now() + interval '1 year'"));
  CHECK(refused("UPDATE identity.bootstrap_token SET token_hash = 'mine'"));
  CHECK(refused("UPDATE identity.node_secret_key SET digest = sha256('mine')"));
  CHECK(refused("UPDATE identity.api_token SET expires_at = now() + interval '1 year'"));
  CHECK(refused("UPDATE identity.api_token SET user_id = gen_random_uuid()"));
  CHECK(refused("UPDATE identity.service_identity SET federation_kind = 'api_token'"));
  CHECK(refused("UPDATE identity.service_access_token SET expires_at = now()"));
  CHECK(refused("DELETE FROM identity.service_identity"));
  CHECK(refused("INSERT INTO identity.break_glass VALUES (gen_random_uuid(), gen_random_uuid())"));
  CHECK(refused("DELETE FROM identity.break_glass"));
  CHECK(
      refused("INSERT INTO identity.user_account (id, subject, display_name) VALUES "
              "(gen_random_uuid(), 's', 'd')"));
}

TEST_CASE("the first operator comes from the bootstrap function, which the service may not call",
          "[identity]") {
  const std::string call =
      "SELECT identity.port_bootstrap_operator('0197c0de-1111-7222-8333-444455556666', 'Ada', "
      "gen_random_uuid(), sha256('x'), 'dev', now() + interval '1 day')";
  CHECK(refused(call));
  cluster().query(call);
  cluster().query(call);  // the same user again: one more token
  CHECK(cluster().query("SELECT count(*) FROM identity.user_account") == "1");
  CHECK(cluster().query("SELECT count(*) FROM identity.api_token") == "2");
  CHECK(cluster().query("SELECT count(*) FROM identity.break_glass WHERE audited_at IS NULL") ==
        "2");
  CHECK(cluster().query("SELECT domain_id IS NULL FROM identity.user_account") == "t");
}

TEST_CASE("an address belongs to one live Node of a Domain, a key row to one generation",
          "[identity]") {
  const std::string domain = cluster().query("SELECT gen_random_uuid()");
  const auto insert_node = [&](const std::string& state) {
    return "INSERT INTO identity.node (id, domain_id, project_id, resource_id, resource_handle, "
           "kind, mesh_ip, public_key, state, bootstrap_token_id, registered_at, "
           "deregistered_at) VALUES (gen_random_uuid(), '" +
           domain +
           "', gen_random_uuid(), gen_random_uuid(), 'vm', "
           "'vm', '10.0.0.1', sha256('k'), '" +
           state + "', '" + insert_token() + "', now(), " +
           (state == "deregistered" ? "now()" : "NULL") + ") RETURNING id";
  };
  cluster().query(insert_node("deregistered"));
  const std::string node = cluster().query(insert_node("ready"));
  CHECK(refused(insert_node("ready")));

  const auto insert_key = [&](int generation) {
    return "INSERT INTO identity.node_secret_key (id, node_id, generation, digest, wrapped_nsk, "
           "wrap_key_id, wrap_key_version, created_at) VALUES (gen_random_uuid(), '" +
           node + "', " + std::to_string(generation) +
           ", sha256('d'), 'w', gen_random_uuid(), 1, now())";
  };
  cluster().query(insert_key(1));
  CHECK(refused(insert_key(2)));  // the first is still live
  cluster().query("UPDATE identity.node_secret_key SET revoked_at = now() WHERE node_id = '" +
                  node + "'");
  CHECK(refused(insert_key(1)));
  CHECK_FALSE(refused(insert_key(2)));
}

}  // namespace
}  // namespace plexsphere::identity

// The record of key sets through the real px.store, migrated and with the roles of production.
#include "store/key_set_store.hpp"

#include <catch2/catch.hpp>

#include "host/health/registry.hpp"
#include "host/migration/runner.hpp"
#include "host/persistence/statement_check.hpp"
#include "host/services/data_services.hpp"
#include "host/services/store_service.hpp"
#include "host/telemetry/log.hpp"
#include "host/telemetry/metrics.hpp"
#include "samples.hpp"
#include "support/pg_cluster.hpp"

using namespace plexsphere;
using namespace plexsphere::signing_client;
using signing_client::testing::DocumentSigner;
using signing_client::testing::head;
using signing_client::testing::key_line;

namespace {

test_support::PgCluster& cluster() {
  static test_support::PgCluster instance;
  static const bool migrated = [] {
    host::migration::ContextPlan plan;
    plan.context = "signing_client";
    plan.files = host::migration::read_migrations(SIGNING_CLIENT_MIGRATIONS);
    host::migration::MigrateOptions options;
    options.admin_dsn = instance.dsn();
    migrate(options, {host::migration::platform_plan(), plan});
    return true;
  }();
  REQUIRE(migrated);
  return instance;
}

host::config::Manifest manifest() {
  host::config::Manifest made;
  made.id = "signing_client";
  made.capabilities.schema = true;
  return made;
}

class Record {
 public:
  KeySetStore& operator*() { return keys_; }
  KeySetStore* operator->() { return &keys_; }
  std::vector<std::string> wrong_statements() {
    const auto all = store_.catalog().statements_of("signing_client");
    CHECK(all.size() == 7);
    return host::persistence::check_statements(options().pool.session, "plexsphere_signing_client",
                                               all);
  }
  std::vector<std::string> due(std::int64_t now) {
    auto tx = keys_.store().begin();
    REQUIRE(tx.ok());
    return keys_.due(*tx, sdk::Instant(std::chrono::seconds(now))).value();
  }

 private:
  static host::persistence::StoreOptions options() {
    host::persistence::StoreOptions options;
    options.pool.session.dsn = cluster().dsn("postgres", "plexsphere_core");
    return options;
  }

  host::telemetry::Logger log_{"plexsphere", host::telemetry::Level::kError};
  host::telemetry::Metrics metrics_;
  host::health::Registry health_;
  host::HostContext host_{log_, metrics_, health_, "plexsphere"};
  host::persistence::Store store_{options(), host::log_sink(log_)};
  host::StoreProvider stores_{store_, host_};
  const host::config::Manifest manifest_ = manifest();
  const host::config::Settings settings_;
  const host::PluginContext plugin_{manifest_, settings_};
  KeySetStore keys_ = *KeySetStore::declare(
      sdk::Store(reinterpret_cast<const px_store*>(stores_.table_for(plugin_))));
};

// A scope nobody else uses.
std::string fresh_scope() {
  return "domain:" + sdk::Uuid::v7(1'800'000'000'000).text();
}

SignedDocument document_of(const std::string& text) {
  static const DocumentSigner signer;
  return signer.sign(text);
}

sdk::Status keep(Record& record, const std::string& text) {
  return record->keep(document_of(text), parse_key_set(text).value());
}

std::string projected(const std::string& scope) {
  return cluster().query(
      "SELECT number || ' ' || key_id FROM signing_client.active_key WHERE scope = '" + scope +
      "'");
}

}  // namespace

TEST_CASE("every statement of the record is right in the server's eyes", "[signing_client]") {
  Record record;
  CHECK(record.wrong_statements() == std::vector<std::string>{});
}

TEST_CASE("the newest document of a scope is what was kept, byte for byte", "[signing_client]") {
  Record record;
  const std::string scope = fresh_scope();
  CHECK_FALSE(record->newest(scope)->has_value());
  const std::string one = head(scope, 1) + key_line("k1", "active");
  const std::string two = head(scope, 2) + "rotation k1 k2 10 20\n" + key_line("k1", "rotating") +
                          key_line("k2", "active");
  REQUIRE(keep(record, one).ok());
  REQUIRE(keep(record, two).ok());
  const auto newest = record->newest(scope);
  REQUIRE(newest->has_value());
  CHECK((*newest)->document == two);
  CHECK((*newest)->signature == document_of(two).signature);
  CHECK((*newest)->document_key == document_of(two).document_key);
  CHECK(projected(scope) == "2 k2");
}

TEST_CASE("keeping a document again changes nothing, and an older one does not go back",
          "[signing_client]") {
  Record record;
  const std::string scope = fresh_scope();
  const std::string one = head(scope, 1) + key_line("k1", "active");
  const std::string two = head(scope, 2) + key_line("k1", "retired") + key_line("k2", "active");
  REQUIRE(keep(record, two).ok());
  REQUIRE(keep(record, two).ok());
  REQUIRE(keep(record, one).ok());
  CHECK(projected(scope) == "2 k2");
  CHECK((*record->newest(scope))->document == two);
}

TEST_CASE("two documents of one number are a fork, and the first stays", "[signing_client]") {
  Record record;
  const std::string scope = fresh_scope();
  REQUIRE(keep(record, head(scope, 1) + key_line("k1", "active")).ok());
  const sdk::Status fork = keep(record, head(scope, 1) + key_line("k2", "active"));
  REQUIRE_FALSE(fork.ok());
  CHECK(fork.error().code == sdk::Code::data_loss);
  CHECK(fork.error().reason == "key_set_fork");
  CHECK(projected(scope) == "1 k1");
  CHECK(parse_key_set((*record->newest(scope))->document)->active().key_id == "k1");
}

TEST_CASE("open rotations are due from the second they close, the most overdue first",
          "[signing_client]") {
  Record record;
  cluster().query("DELETE FROM signing_client.active_key");  // of other cases
  const auto rotating = [&](const std::string& scope, int closes_at) {
    REQUIRE(keep(record, head(scope, 2) + "rotation k1 k2 10 " + std::to_string(closes_at) + "\n" +
                             key_line("k1", "rotating") + key_line("k2", "active"))
                .ok());
  };
  const std::string early = fresh_scope();
  const std::string late = fresh_scope();
  rotating(late, 1200);
  rotating(early, 1000);
  CHECK(record.due(999).empty());
  CHECK(record.due(1000) == std::vector{early});
  CHECK(record.due(1200) == std::vector{early, late});
  REQUIRE(keep(record, head(early, 3) + key_line("k1", "retired") + key_line("k2", "active")).ok());
  CHECK(record.due(1200) == std::vector{late});
}

TEST_CASE("the first document key is pinned and stays", "[signing_client]") {
  Record record;
  cluster().query("DELETE FROM signing_client.document_key");
  CHECK_FALSE(record->pinned()->has_value());
  const std::string first(32, 'a');
  CHECK(record->pin(first).value() == first);
  CHECK(record->pin(std::string(32, 'b')).value() == first);
  CHECK(record->pinned().value() == first);
}

TEST_CASE("the core's role can add to the record and not rewrite it", "[signing_client]") {
  Record record;
  for (const std::string sql :
       {"UPDATE signing_client.key_set SET document = ''", "DELETE FROM signing_client.key_set",
        "TRUNCATE signing_client.key_set",
        "UPDATE signing_client.document_key SET public_key = public_key",
        "DELETE FROM signing_client.document_key", "DELETE FROM signing_client.active_key"}) {
    CAPTURE(sql);
    CHECK_THROWS_WITH(
        cluster().query("BEGIN; SET LOCAL ROLE plexsphere_signing_client; " + sql + "; ROLLBACK",
                        "postgres", "plexsphere_core"),
        Catch::Contains("permission denied"));
  }
}

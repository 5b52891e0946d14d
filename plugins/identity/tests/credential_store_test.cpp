// API tokens, service identities and access tokens through the real px.store, migrated and with the
// roles of production.
#include <catch2/catch.hpp>
#include <thread>

#include "app/bearer_text.hpp"
#include "host/health/registry.hpp"
#include "host/migration/runner.hpp"
#include "host/persistence/statement_check.hpp"
#include "host/services/store_service.hpp"
#include "host/telemetry/log.hpp"
#include "host/telemetry/metrics.hpp"
#include "store/api_token_store.hpp"
#include "store/operator_store.hpp"
#include "store/service_identity_store.hpp"
#include "support/pg_cluster.hpp"

using namespace plexsphere;
using namespace plexsphere::identity;
using namespace std::chrono_literals;

namespace {

test_support::PgCluster& cluster() {
  static test_support::PgCluster instance;
  static const bool migrated = [] {
    host::migration::ContextPlan identity;
    identity.context = "identity";
    identity.files = host::migration::read_migrations(IDENTITY_MIGRATIONS);
    host::migration::MigrateOptions options;
    options.admin_dsn = instance.dsn();
    migrate(options, {host::migration::platform_plan(), identity});
    return true;
  }();
  REQUIRE(migrated);
  return instance;
}

host::config::Manifest identity_manifest() {
  host::config::Manifest manifest;
  manifest.id = "identity";
  manifest.capabilities.schema = true;
  return manifest;
}

// One process: the host's store, and this context's on it.
struct Process {
  Process() {
    store = sdk::Store(reinterpret_cast<const px_store*>(stores_.table_for(identity_)));
    REQUIRE(operators.declare(store).ok());
    REQUIRE(tokens.declare(store).ok());
    REQUIRE(identities.declare(store).ok());
  }

  sdk::Transaction begin() const {
    auto tx = store.begin();
    REQUIRE(tx.ok());
    return std::move(*tx);
  }
  std::vector<std::string> wrong_statements() {
    return host::persistence::check_statements(options().pool.session, "plexsphere_identity",
                                               store_.catalog().statements_of("identity"));
  }

  sdk::Store store;
  OperatorStore operators;
  ApiTokenStore tokens;
  ServiceIdentityStore identities;

 private:
  static host::persistence::StoreOptions options() {
    host::persistence::StoreOptions options;
    options.pool.session.dsn = cluster().dsn("postgres", "plexsphere_core");
    return options;
  }

  host::telemetry::Logger host_log_{"plexsphere", host::telemetry::Level::kError};
  host::telemetry::Metrics metrics_;
  host::health::Registry health_;
  host::HostContext host_{host_log_, metrics_, health_, "plexsphere"};
  host::persistence::Store store_{options(), host::log_sink(host_log_)};
  host::StoreProvider stores_{store_, host_};
  const host::config::Manifest manifest_ = identity_manifest();
  const host::config::Settings settings_;
  const host::PluginContext identity_{manifest_, settings_};
};

Process& process() {
  static Process instance;
  return instance;
}

sdk::Instant now() {
  return std::chrono::time_point_cast<std::chrono::microseconds>(std::chrono::system_clock::now());
}
sdk::Uuid fresh() {
  return sdk::Uuid::v7(sdk::to_ms(now()));
}
std::string digest(char c) {
  return std::string(32, c);
}

TokenOwner user() {
  const sdk::Uuid id = fresh();
  cluster().query("INSERT INTO identity.user_account (id, subject, display_name) VALUES ('" +
                  id.text() + "', 's', 'd')");
  return {OwnerKind::user, id, {}, false, {}};
}

ServiceIdentityRow service(FederationKind kind = FederationKind::api_token) {
  ServiceIdentityRow row{fresh(),     fresh(),      "robot", "robot",
                         digest('p'), "plexsphere", kind,    now()};
  auto tx = process().begin();
  REQUIRE(process().identities.insert(tx, row, digest('s')).ok());
  REQUIRE(tx.commit().ok());
  return row;
}

ApiTokenRow issue(const TokenOwner& owner, const std::string& secret,
                  std::chrono::seconds lives = 1h) {
  ApiTokenRow token{fresh(), owner, "dev", now(), now() + lives, {}, {}};
  auto tx = process().begin();
  REQUIRE(process().tokens.insert(tx, token, secret, fresh()).ok());
  REQUIRE(tx.commit().ok());
  return token;
}

bool rotate(const ApiTokenRow& token, const std::string& secret, std::chrono::seconds grace) {
  auto tx = process().begin();
  const auto rotated = process().tokens.rotate(tx, token.id, secret, now(), now() + grace);
  REQUIRE(rotated.ok());
  REQUIRE(tx.commit().ok());
  return *rotated;
}

BearerRecord bearer(const sdk::Uuid& id) {
  const auto found = process().operators.find_api_token(id);
  REQUIRE(found.ok());
  REQUIRE(*found);
  return **found;
}

}  // namespace

TEST_CASE("every statement is what the schema takes", "[identity]") {
  CHECK(process().wrong_statements() == std::vector<std::string>{});
}

TEST_CASE("a token is found with its owner and every secret that is taken", "[identity]") {
  const TokenOwner owner = user();
  const ApiTokenRow token = issue(owner, digest('1'));
  CHECK(bearer(token.id).owner_id == owner.id);
  CHECK(bearer(token.id).domain_id.is_zero());
  CHECK(bearer(token.id).secrets.size() == 1);
  CHECK(rotate(token, digest('2'), 30min));
  CHECK(rotate(token, digest('3'), 24h));
  const BearerRecord record = bearer(token.id);
  REQUIRE(record.secrets.size() == 3);
  CHECK(record.secrets[0].sha256 == digest('3'));
  CHECK(record.secrets[1].sha256 == digest('1'));
  CHECK(record.secrets[1].until < token.expires_at);
  CHECK(record.secrets[2].until == token.expires_at);  // not past the token's own end
  for (char c = '4'; c < '9'; ++c) {
    CHECK(rotate(token, digest(c), 24h));
  }
  CHECK(bearer(token.id).secrets.size() == 1 + kMostRetiredSecrets);

  auto tx = process().begin();
  CHECK(*process().tokens.revoke(tx, token.id, now()));
  CHECK_FALSE(*process().tokens.revoke(tx, token.id, now()));
  REQUIRE(tx.commit().ok());
  CHECK(bearer(token.id).ended);
  CHECK_FALSE(rotate(token, digest('x'), 24h));
  CHECK(process().tokens.find_live(token.id, now()).error().reason == "not_found");
}

TEST_CASE("whoever counts an owner's tokens counts alone", "[identity]") {
  const TokenOwner owner = user();
  constexpr std::int64_t kMost = 3;
  std::vector<std::thread> racers;
  for (int i = 0; i < 8; ++i) {
    racers.emplace_back([&, i] {
      auto tx = process().begin();
      const auto live = process().tokens.count_exclusively(tx, owner.id, now());
      if (live.ok() && *live < kMost) {
        const ApiTokenRow token{fresh(), owner, "dev", now(), now() + 1h, {}, {}};
        (void)process().tokens.insert(tx, token, digest(static_cast<char>('a' + i)), fresh());
        (void)tx.commit();
      }
    });
  }
  for (std::thread& racer : racers) {
    racer.join();
  }
  CHECK(process().tokens.live_of(owner.id, now())->size() == kMost);
  CHECK(process().tokens.live_of(owner.id, now() + 2h)->empty());
}

TEST_CASE("a use is written once a minute, and never waits for a row that is held", "[identity]") {
  const ApiTokenRow token = issue(user(), digest('u'));
  const auto use = [&](sdk::Instant at) {
    const TokenUse uses[] = {{token.id, at}, {fresh(), at}};
    REQUIRE(process().operators.record_uses(uses).ok());
    return bearer(token.id).last_used_at.value_or(sdk::Instant{});
  };
  const sdk::Instant first = now();
  CHECK(use(first) == first);
  CHECK(use(first + 59s) == first);
  {
    auto holder = process().begin();
    CHECK(*process().tokens.revoke(holder, token.id, now()));
    CHECK(use(first + 60s) == first);
  }
  CHECK(use(first + 60s) == first + 60s);
}

TEST_CASE("a subject has one service identity in a Domain", "[identity]") {
  const ServiceIdentityRow row = service(FederationKind::spiffe_svid);
  const auto found = process().identities.find(row.id);
  REQUIRE(found.ok());
  REQUIRE(*found);
  CHECK((*found)->federation == FederationKind::spiffe_svid);
  CHECK((*found)->pseudonym == digest('p'));
  CHECK(*process().identities.domain_of(row.id) == row.domain_id);
  ServiceIdentityRow twin = row;
  twin.id = fresh();
  auto tx = process().begin();
  CHECK(process().identities.insert(tx, twin, digest('s')).error().reason ==
        "service_identity_already_exists");
  const auto owner = process().tokens.find_owner(OwnerKind::service, row.id);
  CHECK((*owner)->federation == FederationKind::spiffe_svid);
  CHECK_FALSE(*process().tokens.find_owner(OwnerKind::user, row.id));
}

TEST_CASE("an access token ends with its identity and with the API token it was traded for",
          "[identity]") {
  const ServiceIdentityRow row = service();
  const ApiTokenRow token =
      issue({OwnerKind::service, row.id, row.domain_id, false, row.federation}, digest('t'));
  const AccessTokenRow access{fresh(), row.id, token.id, digest('a'), now(), now() + 15min};
  auto tx = process().begin();
  CHECK(*process().identities.sign_in(tx, row.id, now()));
  CHECK(*process().identities.count_access_tokens(tx, row.id, now()) == 0);
  REQUIRE(process().identities.insert_access_token(tx, access).ok());
  CHECK(*process().identities.count_access_tokens(tx, row.id, now()) == 1);
  REQUIRE(tx.commit().ok());
  const auto record = [&] { return **process().operators.find_access_token(access.id); };
  CHECK(record().owner_id == row.id);
  CHECK(record().domain_id == row.domain_id);
  CHECK_FALSE(record().ended);
  cluster().query("UPDATE identity.service_identity SET disabled_at = now() WHERE id = '" +
                  row.id.text() + "'");
  CHECK(record().ended);
  CHECK(bearer(token.id).ended);
  CHECK_FALSE(*process().identities.find(row.id));
  cluster().query("UPDATE identity.service_identity SET disabled_at = NULL WHERE id = '" +
                  row.id.text() + "'");
  cluster().query("UPDATE identity.api_token SET revoked_at = now() WHERE id = '" +
                  token.id.text() + "'");
  CHECK(record().ended);
}

TEST_CASE("the sweep drops what has ended, and API tokens only long after", "[identity]") {
  const ServiceIdentityRow row = service();
  const TokenOwner owner{OwnerKind::service, row.id, row.domain_id, false, row.federation};
  const ApiTokenRow live = issue(owner, digest('l'));
  const ApiTokenRow ended = issue(owner, digest('e'));
  const ApiTokenRow old = issue(owner, digest('o'));
  CHECK(rotate(live, digest('m'), 10min));
  cluster().query(
      "UPDATE identity.api_token SET revoked_at = now() - interval '2 days' WHERE id = '" +
      ended.id.text() + "'");
  cluster().query(
      "UPDATE identity.api_token SET expires_at = now() - interval '40 days' WHERE id = '" +
      old.id.text() + "'");
  {
    auto tx = process().begin();
    REQUIRE(process()
                .identities
                .insert_access_token(tx, {fresh(), row.id, {}, digest('a'), now(), now() + 10min})
                .ok());
    REQUIRE(tx.commit().ok());
  }
  const auto left = [&](const std::string& table, const std::string& column) {
    return cluster().query("SELECT count(*) FROM identity." + table + " WHERE " + column + " = '" +
                           row.id.text() + "'");
  };
  const auto sweep = [&](sdk::Instant at) {
    auto tx = process().begin();
    REQUIRE(process().tokens.sweep(tx, at, now() - 30 * 24h, 500).ok());
    REQUIRE(tx.commit().ok());
  };
  sweep(now());
  CHECK(left("service_access_token", "service_identity_id") == "1");
  CHECK(left("api_token", "service_identity_id") == "2");
  CHECK(bearer(live.id).secrets.size() == 2);
  sweep(now() + 11min);
  CHECK(left("service_access_token", "service_identity_id") == "0");
  CHECK(left("api_token", "service_identity_id") == "2");
  CHECK(bearer(live.id).secrets.size() == 1);
}

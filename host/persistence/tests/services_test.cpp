// px.store, px.outbox and px.seal through their C tables, and the probes beside them.
#include <catch2/catch.hpp>

#include <algorithm>
#include <sstream>

#include "host/health/registry.hpp"
#include "host/persistence/error_capture.hpp"
#include "host/persistence/tests/database_fixture.hpp"
#include "host/services/data_services.hpp"
#include "host/services/store_service.hpp"
#include "host/telemetry/log.hpp"
#include "host/telemetry/metrics.hpp"
#include "plexsphere/abi/seal.h"

namespace plexsphere::host {
namespace {

using namespace plexsphere::host::testing;
using persistence::ErrorCapture;

px_str view(std::string_view text) {
  return {text.data(), text.size()};
}

struct Host {
  explicit Host(persistence::StoreOptions options)
      : log("plexsphere", telemetry::Level::kDebug, lines),
        context{log, metrics, health, "plexsphere"},
        store(std::move(options), log_sink(log)),
        provider(store, context) {}

  // The tables of one plugin.
  const px_store& store_of(const PluginContext& plugin) {
    return *reinterpret_cast<const px_store*>(provider.table_for(plugin));
  }
  std::string state_of(const std::string& probe) {
    for (const auto& check : health.check().checks) {
      if (check.name == probe) {
        return std::string{health::state_name(check.outcome.state)} + " " + check.outcome.detail;
      }
    }
    return "no such probe";
  }

  std::ostringstream lines;
  telemetry::Logger log;
  telemetry::Metrics metrics;
  health::Registry health;
  HostContext context;
  persistence::Store store;
  StoreProvider provider;
};

struct Plugin {
  explicit Plugin(const std::string& id) : context{manifest, settings} {
    manifest.id = id;
    manifest.capabilities.schema = true;
    manifest.capabilities.events = {"alpha.Made"};
    manifest.directory = "/nonexistent";
  }
  config::Manifest manifest;
  config::Settings settings;
  PluginContext context;
};

std::uint32_t declare_through(const px_store& table, const std::string& sql,
                              std::vector<px_type> parameters = {}) {
  std::uint32_t id = 0;
  static int number = 0;
  const std::string name = "s" + std::to_string(++number);
  const px_statement statement{
      sizeof(px_statement), 0,       view(name), view(sql), parameters.data(),
      parameters.size(),    nullptr, 0};
  REQUIRE(table.declare(table.base.self, &statement, &id, nullptr) == PX_OK);
  return id;
}

Database& database() {
  static Database instance;
  return instance;
}

TEST_CASE("the server's words stay in the log; callers get status and reason", "[services]") {
  Host host(database().options());
  Plugin alpha("alpha");
  const px_store& table = host.store_of(alpha.context);
  const auto insert =
      declare_through(table, "INSERT INTO alpha.item (id, label) VALUES (1, $1)", {PX_TYPE_TEXT});
  const auto peek = declare_through(table, "SELECT id FROM beta.note");
  const px_value label = text("hush");
  px_tx* tx = nullptr;
  ErrorCapture error;
  REQUIRE(table.begin(table.base.self, nullptr, &tx, error.sink()) == PX_OK);
  CHECK(table.execute(table.base.self, tx, peek, nullptr, 0, nullptr, error.sink()) ==
        PX_PERMISSION_DENIED);
  table.rollback(table.base.self, tx);
  CHECK(error.reason() == "database_privilege");
  CHECK(error.detail().find("note") == std::string::npos);
  CHECK(host.lines.str().find("permission denied for table note") != std::string::npos);
  CHECK(host.lines.str().find("42501") != std::string::npos);

  for (int i = 0; i < 2; ++i) {
    REQUIRE(table.begin(table.base.self, nullptr, &tx, nullptr) == PX_OK);
    ErrorCapture twice;
    const px_status status =
        table.execute(table.base.self, tx, insert, &label, 1, nullptr, twice.sink());
    CHECK(status == (i == 0 ? PX_OK : PX_ALREADY_EXISTS));
    CHECK(table.commit(table.base.self, tx, nullptr) == (i == 0 ? PX_OK : PX_FAILED_PRECONDITION));
  }
  CHECK(host.lines.str().find("hush") == std::string::npos);
}

TEST_CASE("a mistake of the plugin's own is explained to it", "[services]") {
  Host host(database().options());
  Plugin alpha("alpha");
  const px_store& table = host.store_of(alpha.context);
  const std::string sql = "SET ROLE postgres";
  const px_statement statement{
      sizeof(px_statement), 0, view("bad"), view(sql), nullptr, 0, nullptr, 0};
  std::uint32_t id = 0;
  ErrorCapture error;
  CHECK(table.declare(table.base.self, &statement, &id, error.sink()) == PX_INVALID_ARGUMENT);
  CHECK(error.detail().find("'bad'") != std::string::npos);
  CHECK(error.detail().find("SELECT, INSERT") != std::string::npos);
}

TEST_CASE("a plugin without a schema has no store", "[services]") {
  Host host(database().options());
  Plugin meta("meta");
  meta.manifest.capabilities.schema = false;
  CHECK(host.provider.table_for(meta.context) == nullptr);
  CHECK(host.provider.configured(meta.context).ok());
}

TEST_CASE("a wrong statement fails the plugin that declared it, by name", "[services]") {
  Host host(database().options());
  Plugin alpha("alpha");
  declare_through(host.store_of(alpha.context), "SELECT missing FROM alpha.item");
  const Status status = host.provider.configured(alpha.context);
  CHECK_FALSE(status.ok());
  CHECK(status.message().find("alpha.s") != std::string::npos);
  CHECK(status.message().find("missing") != std::string::npos);
}

TEST_CASE("an absent database does not stop the start; readiness says so until it returns",
          "[services]") {
  Database own;
  Host host(own.options());
  own.cluster.kill9();
  Plugin alpha("alpha");
  declare_through(host.store_of(alpha.context), "SELECT missing FROM alpha.item");
  CHECK(host.provider.prepare().ok());
  CHECK(host.provider.configured(alpha.context).ok());
  CHECK(host.state_of("database").starts_with("down database_unavailable"));
  CHECK(host.state_of("schema").starts_with("down"));
  own.cluster.start();
  CHECK(host.state_of("database") == "ok ");
  CHECK(host.state_of("schema") == "ok ");
  host.provider.stopped();
  CHECK(host.state_of("database").starts_with("down"));
}

TEST_CASE("a database that was never migrated is not ready, and says what to run", "[services]") {
  test_support::PgCluster empty;
  empty.query(
      "CREATE ROLE plexsphere_core LOGIN; CREATE ROLE plexsphere_platform; "
      "GRANT plexsphere_platform TO plexsphere_core");
  persistence::StoreOptions options;
  options.pool.session.dsn = empty.dsn("postgres", "plexsphere_core");
  Host host(options);
  REQUIRE(host.provider.prepare().ok());
  CHECK(host.state_of("database") == "ok ");
  CHECK(host.state_of("schema").find("plexsphere-bootstrap migrate") != std::string::npos);
}

TEST_CASE("more connections than the server allows stop the start", "[services]") {
  auto options = database().options(500);
  Host host(options);
  const Status status = host.provider.prepare();
  CHECK_FALSE(status.ok());
  CHECK(status.message().find("504") != std::string::npos);
  CHECK(status.message().find("97") != std::string::npos);
}

TEST_CASE("a plugin appends the events of its manifest and no others", "[services]") {
  Host host(database().options());
  outbox::Outbox engine(host.store);
  OutboxProvider provider(engine);
  Plugin alpha("alpha");
  const auto& table = *reinterpret_cast<const px_outbox*>(provider.table_for(alpha.context));
  const px_store& store = host.store_of(alpha.context);
  px_event event{};
  event.struct_size = sizeof event;
  event.aggregate_type = view("item");
  event.aggregate_id.b[0] = 1;
  event.payload = view("{}");
  px_tx* tx = nullptr;
  REQUIRE(store.begin(store.base.self, nullptr, &tx, nullptr) == PX_OK);
  event.type = view("tenancy.NodeRegistered");
  ErrorCapture error;
  CHECK(table.append(table.base.self, tx, &event, error.sink()) == PX_PERMISSION_DENIED);
  CHECK(error.reason() == "undeclared_event");
  event.type = view("alpha.Made");
  CHECK(table.append(table.base.self, tx, &event, nullptr) == PX_OK);
  CHECK(store.commit(store.base.self, tx, nullptr) == PX_OK);
  CHECK(database().cluster.query("SELECT event_type FROM platform.outbox") == "alpha.Made");
}

TEST_CASE("secrets go out in handles and come back only to the plugin that sealed them",
          "[services]") {
  Host host(database().options());
  seal::SecretBytes key(seal::kKeyBytes);
  key.span()[3] = 7;
  seal::Vault vault(host.store, seal::RootKey(std::move(key)));
  SealProvider provider(vault);
  Plugin alpha("alpha");
  Plugin beta("beta");
  const auto& mine = *reinterpret_cast<const px_seal*>(provider.table_for(alpha.context));
  const auto& theirs = *reinterpret_cast<const px_seal*>(provider.table_for(beta.context));
  const std::string secret = "node secret";
  const px_bytes plain{reinterpret_cast<const std::uint8_t*>(secret.data()), secret.size()};
  px_sealed sealed{};
  sealed.struct_size = sizeof sealed;
  REQUIRE(mine.seal(mine.base.self, view("domain:1"), {}, plain, &sealed, nullptr) == PX_OK);
  px_secret opened{};
  opened.struct_size = sizeof opened;
  REQUIRE(mine.unseal(mine.base.self, view("domain:1"), sealed.wrap_key_id, {}, sealed.blob,
                      &opened, nullptr) == PX_OK);
  CHECK(std::equal(secret.begin(), secret.end(), opened.bytes.ptr));
  opened.release(opened.self);
  CHECK(theirs.unseal(theirs.base.self, view("domain:1"), sealed.wrap_key_id, {}, sealed.blob,
                      &opened, nullptr) == PX_DATA_LOSS);
  sealed.release(sealed.self);
}

}  // namespace
}  // namespace plexsphere::host

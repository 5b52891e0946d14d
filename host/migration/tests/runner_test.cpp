#include <catch2/catch.hpp>

#include <pqxx/result_iterator.hxx>

#include <thread>

#include "host/migration/runner.hpp"
#include "host/persistence/store_error.hpp"
#include "support/pg_cluster.hpp"

namespace plexsphere::host::migration {
namespace {

using persistence::Session;
using persistence::StoreError;
using test_support::PgCluster;

// One server for the program, one database per test.
PgCluster& cluster() {
  static PgCluster instance;
  return instance;
}

std::string fresh_database() {
  static int number = 0;
  const std::string name = "migration_" + std::to_string(++number);
  cluster().create_database(name);
  return name;
}

ContextPlan plan(const std::string& context, std::vector<MigrationFile> files) {
  ContextPlan out;
  out.context = context;
  out.files = std::move(files);
  return out;
}

MigrateOptions options_for(const std::string& database) {
  MigrateOptions options;
  options.admin_dsn = cluster().dsn(database);
  return options;
}

Session core_session(const std::string& database) {
  persistence::SessionOptions options;
  options.dsn = cluster().dsn(database, "plexsphere_core");
  return Session(options);
}

const MigrationFile kWidgets =
    make_migration("0001_widgets.sql",
                   "CREATE TABLE alpha.widget (id int PRIMARY KEY);\n"
                   "GRANT SELECT, INSERT ON alpha.widget TO plexsphere_alpha;");

TEST_CASE("a migration is applied once and recorded with its checksum", "[migration]") {
  const std::string database = fresh_database();
  const std::vector<ContextPlan> plans{platform_plan(), plan("alpha", {kWidgets})};

  const MigrateReport first = migrate(options_for(database), plans);
  const MigrateReport second = migrate(options_for(database), plans);

  CHECK(first.applied.size() == platform_migrations().size() + 1);
  CHECK(second.applied.empty());
  CHECK(second.present == first.applied.size());
  CHECK(cluster().query("SELECT checksum FROM platform.schema_migration WHERE context = 'alpha'",
                        database) == kWidgets.checksum);
  CHECK(cluster().query("SELECT tableowner FROM pg_tables WHERE tablename = 'widget'", database) ==
        "plexsphere_alpha_owner");
}

TEST_CASE("a changed file is refused with both checksums", "[migration]") {
  const std::string database = fresh_database();
  migrate(options_for(database), {platform_plan(), plan("alpha", {kWidgets})});
  const MigrationFile changed =
      make_migration("0001_widgets.sql", "CREATE TABLE alpha.widget (id bigint PRIMARY KEY);");
  try {
    migrate(options_for(database), {platform_plan(), plan("alpha", {changed})});
    FAIL("a changed file was accepted");
  } catch (const StoreError& error) {
    const std::string text = error.what();
    CHECK(error.reason() == "migration_changed");
    CHECK(text.find(changed.checksum) != std::string::npos);
    CHECK(text.find(kWidgets.checksum) != std::string::npos);
  }
}

TEST_CASE("a failing file leaves nothing behind and names itself", "[migration]") {
  const std::string database = fresh_database();
  const MigrationFile broken =
      make_migration("0002_broken.sql", "CREATE TABLE alpha.half (id int); SELECT 1/0;");
  try {
    migrate(options_for(database), {platform_plan(), plan("alpha", {kWidgets, broken})});
    FAIL("a failing migration was accepted");
  } catch (const StoreError& error) {
    CHECK(std::string{error.what()}.find("alpha/0002_broken.sql") != std::string::npos);
  }
  CHECK(cluster().query("SELECT to_regclass('alpha.half') IS NULL", database) == "t");
  CHECK(cluster().query("SELECT count(*) FROM platform.schema_migration WHERE context = 'alpha'",
                        database) == "1");
}

TEST_CASE("a file that comes late or is gone is refused", "[migration]") {
  const std::string database = fresh_database();
  const MigrationFile third =
      make_migration("0003_third.sql", "CREATE TABLE alpha.third (id int);");
  migrate(options_for(database), {platform_plan(), plan("alpha", {kWidgets, third})});
  const MigrationFile late = make_migration("0002_late.sql", "CREATE TABLE alpha.late (id int);");
  const auto reason_of = [&](std::vector<MigrationFile> files) -> std::string {
    try {
      migrate(options_for(database), {platform_plan(), plan("alpha", std::move(files))});
      return "accepted";
    } catch (const StoreError& error) {
      return error.reason();
    }
  };
  CHECK(reason_of({kWidgets, late, third}) == "migration_late");
  CHECK(reason_of({third}) == "migration_missing");
}

TEST_CASE("two migrators at once leave each file applied once", "[migration]") {
  const std::string database = fresh_database();
  const std::vector<ContextPlan> plans{
      platform_plan(),
      plan("alpha", {kWidgets, make_migration("0002_slow.sql", "SELECT pg_sleep(0.3);")})};
  std::vector<MigrateReport> reports(2);
  {
    std::vector<std::jthread> migrators;
    for (auto& report : reports) {
      migrators.emplace_back([&] { report = migrate(options_for(database), plans); });
    }
  }
  CHECK(reports[0].applied.size() + reports[1].applied.size() == platform_migrations().size() + 2);
  CHECK((reports[0].applied.empty() || reports[1].applied.empty()));
}

TEST_CASE("a migrator that waits too long for another says so", "[migration]") {
  const std::string database = fresh_database();
  Session holder([&] {
    persistence::SessionOptions options;
    options.dsn = cluster().dsn(database);
    return options;
  }());
  holder.run("SELECT pg_catalog.pg_advisory_lock(7309447326401101)");
  MigrateOptions options = options_for(database);
  options.lock_wait = std::chrono::milliseconds(100);
  try {
    migrate(options, {platform_plan()});
    FAIL("the lock was ignored");
  } catch (const StoreError& error) {
    CHECK(error.status() == PX_UNAVAILABLE);
    CHECK(error.reason() == "lock_timeout");
  }
}

TEST_CASE("a migration cannot leave its transaction or its role", "[migration]") {
  for (const char* sql :
       {"COMMIT; SELECT 1", "SELECT 1; ROLLBACK", "RESET ROLE; SELECT 1", "SET ROLE postgres",
        "SET LOCAL ROLE postgres", "SET SESSION AUTHORIZATION postgres",
        "SELECT set_config('role','x',true)", "/* c */ begin; select 1", "VACUUM",
        "COPY x FROM STDIN", "CREATE INDEX CONCURRENTLY i ON t (a)", "PREPARE TRANSACTION 'x'"}) {
    INFO(sql);
    CHECK_THROWS_AS(make_migration("0001_x.sql", sql), StoreError);
  }
  CHECK_NOTHROW(make_migration(
      "0001_x.sql",
      "CREATE FUNCTION f() RETURNS int LANGUAGE plpgsql AS $$ BEGIN RETURN 1; END $$;"));
  CHECK_THROWS_AS(make_migration("1_x.sql", "SELECT 1"), StoreError);
  CHECK_THROWS_AS(make_migration("0001_x.sql", "-- nothing"), StoreError);
}

TEST_CASE("a migration runs without the administrator's power", "[migration]") {
  const std::string database = fresh_database();
  const MigrationFile greedy = make_migration("0001_greedy.sql", "CREATE ROLE intruder SUPERUSER;");
  CHECK_THROWS_AS(migrate(options_for(database), {platform_plan(), plan("beta", {greedy})}),
                  StoreError);
  const MigrationFile nosy = make_migration("0001_nosy.sql", "SELECT * FROM platform.wrap_key;");
  CHECK_THROWS_AS(migrate(options_for(database), {platform_plan(), plan("beta", {nosy})}),
                  StoreError);
}

TEST_CASE("an administrator who is no superuser is told what is missing", "[migration]") {
  const std::string database = fresh_database();
  cluster().query("DROP ROLE IF EXISTS clerk; CREATE ROLE clerk LOGIN CREATEROLE", database);
  MigrateOptions options = options_for(database);
  options.admin_dsn = cluster().dsn(database, "clerk");
  try {
    migrate(options, {platform_plan()});
    FAIL("a plain role migrated");
  } catch (const StoreError& error) {
    CHECK(error.reason() == "not_superuser");
  }
}

TEST_CASE("the ledger probe names what is missing and forgives what is ahead", "[migration]") {
  const std::string database = fresh_database();
  const MigrationFile second = make_migration("0002_more.sql", "CREATE TABLE alpha.more (id int);");
  migrate(options_for(database), {platform_plan(), plan("alpha", {kWidgets})});
  Session session = core_session(database);
  session.begin({"plexsphere_platform", true, {}});
  CHECK(compare_with_ledger(session, {platform_plan(), plan("alpha", {kWidgets})}).empty());
  CHECK(compare_with_ledger(session, {platform_plan()}).empty());
  const auto wrong = compare_with_ledger(session, {plan("alpha", {kWidgets, second})});
  REQUIRE(wrong.size() == 1);
  CHECK(wrong[0].find("0002_more.sql") != std::string::npos);
  session.rollback();
}

TEST_CASE("the database is closed to everybody but the login role", "[migration]") {
  const std::string database = fresh_database();
  migrate(options_for(database), {platform_plan(), plan("alpha", {kWidgets})});
  cluster().query("DROP ROLE IF EXISTS stranger; CREATE ROLE stranger LOGIN", database);
  CHECK_THROWS(cluster().query("SELECT 1", database, "stranger"));
  CHECK(cluster().query("SELECT 1", database, "plexsphere_core") == "1");
  CHECK_THROWS(cluster().query("SELECT * FROM alpha.widget", database, "plexsphere_core"));
  CHECK_THROWS(cluster().query("CREATE TABLE public.x (id int)", database, "plexsphere_core"));
  CHECK_THROWS(cluster().query("CREATE TEMP TABLE x (id int)", database, "plexsphere_core"));
  CHECK_THROWS(cluster().query("SET ROLE plexsphere_alpha_owner", database, "plexsphere_core"));
  CHECK_THROWS(cluster().query("SELECT set_config('role', 'plexsphere_alpha', false)", database,
                               "plexsphere_core"));
}

TEST_CASE("membership in a port is granted from the manifest and taken back", "[migration]") {
  const std::string database = fresh_database();
  ContextPlan caller = plan("caller", {});
  caller.uses = {"port_delta"};
  ContextPlan provider = plan("delta", {});
  provider.provides = {"port_delta"};
  const auto member = [&] {
    return cluster().query("SELECT pg_has_role('plexsphere_caller', 'port_delta', 'MEMBER')",
                           database);
  };
  migrate(options_for(database), {platform_plan(), provider, caller});
  CHECK(member() == "t");
  caller.uses.clear();
  migrate(options_for(database), {platform_plan(), provider, caller});
  CHECK(member() == "f");
}

TEST_CASE("outbox partitions are made ahead and dropped only when published", "[migration]") {
  const std::string database = fresh_database();
  migrate(options_for(database), {platform_plan()});
  const auto partitions = [&] {
    return cluster().query(
        "SELECT count(*) FROM pg_inherits WHERE inhparent = 'platform.outbox'::regclass", database);
  };
  CHECK(partitions() == "9");  // today, seven days ahead, the default
  cluster().query(
      "SET ROLE plexsphere_platform_owner; CREATE TABLE platform.outbox_20200101 PARTITION OF "
      "platform.outbox "
      "FOR VALUES FROM ('2020-01-01 00:00+00') TO ('2020-01-02 00:00+00');"
      "INSERT INTO platform.outbox (id, event_type, aggregate_type, aggregate_id, payload, "
      "occurred_at) VALUES (gen_random_uuid(), 'x', 'y', gen_random_uuid(), '{}', "
      "'2020-01-01 12:00+00')",
      database);
  cluster().query("SELECT platform.outbox_maintain(7, 30)", database);
  CHECK(partitions() == "10");
  cluster().query("UPDATE platform.outbox SET published_seq = 1", database);
  CHECK(cluster().query("SELECT dropped FROM platform.outbox_maintain(7, 30)", database) == "1");
  CHECK(partitions() == "9");
}

}  // namespace
}  // namespace plexsphere::host::migration

#include <catch2/catch.hpp>

#include <fstream>
#include <thread>

#include "database_fixture.hpp"
#include "support/wait_until.hpp"

// libpqxx 6.4.5 loses the PGresult of the statement during which a connection breaks.
extern "C" const char* __lsan_default_suppressions();
extern "C" const char* __lsan_default_suppressions() {
  return "leak:PQmakeEmptyPGresult\n";
}

namespace plexsphere::host::persistence {
namespace {

using namespace std::chrono_literals;
using namespace plexsphere::host::testing;

TEST_CASE("a killed server is unavailable, and its return needs no restart of ours",
          "[persistence]") {
  Database database(test_support::PgCluster::durable());
  Store store(database.options(), {});
  const Client alpha = client("alpha");
  const auto insert =
      declare(store, alpha, "INSERT INTO alpha.item (id) VALUES ($1)", {PX_TYPE_INT64});
  px_tx* tx = store.begin(alpha, {});
  execute(store, alpha, tx, insert, {integer(1)});
  store.commit(tx);

  px_tx* open = store.begin(alpha, {});
  execute(store, alpha, open, insert, {integer(2)});
  database.cluster.kill9();
  CHECK(failure_of([&] { execute(store, alpha, open, insert, {integer(3)}); }).status() ==
        PX_UNAVAILABLE);
  store.rollback(open);
  const StoreError away = failure_of([&] { (void)store.begin(alpha, {.timeout = 1000ms}); });
  CHECK(away.status() == PX_UNAVAILABLE);
  CHECK(away.public_detail().find("socket") == std::string_view::npos);

  database.cluster.start();
  CHECK(test_support::wait_until(10s, [&] {
    try {
      px_tx* again = store.begin(alpha, {});
      execute(store, alpha, again, insert, {integer(4)});
      store.commit(again);
      return true;
    } catch (const StoreError&) {
      return false;
    }
  }));
  CHECK(database.cluster.query("SELECT array_agg(id ORDER BY id) FROM alpha.item") == "{1,4}");
}

TEST_CASE("pooled sessions that a restart killed are replaced without an error", "[persistence]") {
  Database database;
  Store store(database.options(), {});
  const Client alpha = client("alpha");
  std::vector<px_tx*> open;
  for (int i = 0; i < 3; ++i) {
    open.push_back(store.begin(alpha, {}));
  }
  for (px_tx* tx : open) {
    store.rollback(tx);
  }
  CHECK(store.pool().stats().idle == 3);
  database.cluster.stop();
  database.cluster.start();
  px_tx* tx = store.begin(alpha, {});
  store.commit(tx);
  CHECK(store.pool().stats().open == 1);
}

TEST_CASE("a connection that breaks during COMMIT leaves the outcome unknown, and says so",
          "[persistence]") {
  Database database;
  Store store(database.options(), {});
  const Client alpha = client("alpha");
  // A deferred trigger makes COMMIT itself wait, so that the session can be ended inside it.
  database.cluster.query(
      "CREATE FUNCTION alpha.linger() RETURNS trigger LANGUAGE plpgsql AS "
      "$$ BEGIN PERFORM pg_sleep(30); RETURN NULL; END $$;"
      "CREATE CONSTRAINT TRIGGER linger AFTER INSERT ON alpha.item DEFERRABLE INITIALLY DEFERRED "
      "FOR EACH ROW EXECUTE FUNCTION alpha.linger()");
  const auto insert =
      declare(store, alpha, "INSERT INTO alpha.item (id) VALUES ($1)", {PX_TYPE_INT64});
  px_tx* tx = store.begin(alpha, {.timeout = 60s});
  execute(store, alpha, tx, insert, {integer(1)});
  std::jthread killer([&] {
    CHECK(test_support::wait_until(10s, [&] {
      return database.cluster.query(
                 "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity "
                 "WHERE query = 'COMMIT' AND state = 'active'") == "1";
    }));
  });
  const StoreError error = failure_of([&] { store.commit(tx); });
  CHECK(error.status() == PX_UNKNOWN);
  CHECK(error.reason() == "commit_outcome_unknown");
}

TEST_CASE("a server in recovery is refused: authority is never read from a standby",
          "[persistence]") {
  Database database;
  database.cluster.stop();
  std::ofstream(database.cluster.data_directory() / "standby.signal").close();
  database.cluster.start();  // as a hot standby that waits for a primary it will never see
  REQUIRE(database.cluster.query("SELECT pg_is_in_recovery()") == "t");
  Store store(database.options(), {});
  const StoreError refused = failure_of([&] { (void)store.begin(client("alpha"), {}); });
  CHECK(refused.status() == PX_UNAVAILABLE);
}

}  // namespace
}  // namespace plexsphere::host::persistence

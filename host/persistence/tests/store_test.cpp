#include <catch2/catch.hpp>

#include <future>
#include <thread>

#include "database_fixture.hpp"
#include "host/persistence/statement_check.hpp"
#include "support/wait_until.hpp"

namespace plexsphere::host::persistence {
namespace {

using namespace std::chrono_literals;
using namespace plexsphere::host::testing;

Database& database() {
  static Database instance;
  return instance;
}

struct Fixture {
  Fixture() : store(database().options(), {}) {
    database().cluster.query("TRUNCATE alpha.item, beta.note, platform.outbox");
    insert = declare(store, alpha, "INSERT INTO alpha.item (id, label) VALUES ($1, $2)",
                     {PX_TYPE_INT64, PX_TYPE_TEXT});
    count = declare(store, alpha, "SELECT count(*) FROM alpha.item", {}, {PX_TYPE_INT64});
    port_add = declare(store, alpha, "SELECT * FROM alpha.port_add($1, $2)",
                       {PX_TYPE_INT64, PX_TYPE_TEXT}, {PX_TYPE_INT64}, PX_STATEMENT_PORT);
  }
  std::string items() { return database().cluster.query("SELECT count(*) FROM alpha.item"); }

  Store store;
  Client alpha = client("alpha");
  Client beta = client("beta");
  std::uint32_t insert = 0;
  std::uint32_t count = 0;
  std::uint32_t port_add = 0;
};

TEST_CASE_METHOD(Fixture, "a committed transaction stays and a rolled back one leaves nothing",
                 "[persistence]") {
  px_tx* tx = store.begin(alpha, {});
  CHECK(execute(store, alpha, tx, insert, {integer(1), text("one")})->affected() == 1);
  store.commit(tx);
  tx = store.begin(alpha, {});
  execute(store, alpha, tx, insert, {integer(2), text("two")});
  store.rollback(tx);
  tx = store.begin(alpha, {.read_only = true});
  CHECK(execute(store, alpha, tx, count)->cells(0)[0].v.integer == 1);
  store.rollback(tx);
}

TEST_CASE_METHOD(Fixture, "every type survives the way to the server and back", "[persistence]") {
  const std::vector<px_type> types{PX_TYPE_BOOL,
                                   PX_TYPE_INT64,
                                   PX_TYPE_FLOAT64,
                                   PX_TYPE_TEXT,
                                   PX_TYPE_BYTES,
                                   PX_TYPE_UUID,
                                   PX_TYPE_TIMESTAMP,
                                   PX_TYPE_JSON,
                                   PX_TYPE_ARRAY + PX_TYPE_UUID,
                                   PX_TYPE_ARRAY + PX_TYPE_BYTES};
  const auto echo = declare(store, alpha,
                            "SELECT $1::bool, $2::bigint, $3::float8, $4::text, $5::bytea, "
                            "$6::uuid, $7::timestamptz, $8::jsonb, $9::uuid[], $10::bytea[]",
                            types, types);
  std::vector<px_value> in(types.size());
  const std::uint8_t raw[] = {0, 1, 255, 0};
  px_value uuid_item{};
  uuid_item.type = PX_TYPE_UUID;
  uuid_item.v.uuid.b[15] = 7;
  px_value bytes_item{};
  bytes_item.type = PX_TYPE_BYTES;
  bytes_item.v.bytes = {raw, sizeof raw};
  for (std::size_t i = 0; i < types.size(); ++i) {
    in[i].type = types[i];
  }
  in[0].v.boolean = 1;
  in[1].v.integer = INT64_MIN;
  in[2].v.real = 0.1;
  in[3] = text("grüße 'quoted' \\ {}");
  in[4] = bytes_item;
  in[5] = uuid_item;
  in[6].v.integer = 1767323045678901;
  in[7] = text("{\"a\": 1}");
  in[8].v.array = {&uuid_item, 1};
  in[9].v.array = {&bytes_item, 1};
  px_tx* tx = store.begin(alpha, {.read_only = true});
  const auto rows = execute(store, alpha, tx, echo, in);
  store.rollback(tx);
  const px_value* out = rows->cells(0);
  CHECK(out[0].v.boolean == 1);
  CHECK(out[1].v.integer == INT64_MIN);
  CHECK(out[2].v.real == 0.1);
  CHECK(std::string(out[3].v.text.ptr, out[3].v.text.len) == "grüße 'quoted' \\ {}");
  CHECK(std::equal(raw, raw + sizeof raw, out[4].v.bytes.ptr));
  CHECK(out[5].v.uuid.b[15] == 7);
  CHECK(out[6].v.integer == 1767323045678901);
  CHECK(std::string(out[7].v.text.ptr, out[7].v.text.len) == "{\"a\": 1}");
  REQUIRE(out[8].v.array.count == 1);
  CHECK(out[8].v.array.items[0].v.uuid.b[15] == 7);
  REQUIRE(out[9].v.array.count == 1);
  CHECK(out[9].v.array.items[0].v.bytes.len == sizeof raw);
}

TEST_CASE_METHOD(Fixture, "arrays of bytes keep their nulls, and may be empty or null",
                 "[persistence]") {
  constexpr px_type kBytesArray = PX_TYPE_ARRAY + PX_TYPE_BYTES;
  const auto spell = declare(store, alpha,
                             "SELECT coalesce($1::bytea[]::text, 'null'), "
                             "coalesce(cardinality($1::bytea[]), -1)::bigint",
                             {kBytesArray}, {PX_TYPE_TEXT, PX_TYPE_INT64});
  const std::uint8_t raw[] = {0, 255};
  px_value item{};
  item.type = PX_TYPE_BYTES;
  item.v.bytes = {raw, sizeof raw};
  const std::vector<px_value> items{item, null_value(PX_TYPE_BYTES)};
  px_value array{};
  array.type = kBytesArray;
  px_tx* tx = store.begin(alpha, {.read_only = true});
  const auto spelled = [&](const px_value& value) {
    const auto rows = execute(store, alpha, tx, spell, {value});
    return std::string(rows->cells(0)[0].v.text.ptr, rows->cells(0)[0].v.text.len) + " " +
           std::to_string(rows->cells(0)[1].v.integer);
  };
  array.v.array = {items.data(), items.size()};
  CHECK(spelled(array) == R"({"\\x00ff",NULL} 2)");
  array.v.array = {};
  CHECK(spelled(array) == "{} 0");
  CHECK(spelled(null_value(kBytesArray)) == "null -1");
  const px_value stray = text("x");
  array.v.array = {&stray, 1};
  CHECK(failure_of([&] { execute(store, alpha, tx, spell, {array}); }).reason() ==
        "parameter_type");
  store.rollback(tx);
}

TEST_CASE_METHOD(Fixture, "violations become codes with the constraint's name", "[persistence]") {
  const auto failing = [&](std::uint32_t statement, std::vector<px_value> parameters) {
    px_tx* tx = store.begin(alpha, {});
    const StoreError error = failure_of([&] { execute(store, alpha, tx, statement, parameters); });
    store.rollback(tx);
    return error;
  };
  px_tx* tx = store.begin(alpha, {});
  execute(store, alpha, tx, insert, {integer(1), text("one")});
  store.commit(tx);
  const StoreError twice = failing(insert, {integer(2), text("one")});
  CHECK(twice.status() == PX_ALREADY_EXISTS);
  CHECK(twice.reason() == "item_label_key");
  const StoreError check = failing(insert, {integer(-1), text("x")});
  CHECK(check.status() == PX_INVALID_ARGUMENT);
  CHECK(check.reason() == "item_id_check");
  const auto orphan = declare(store, alpha, "INSERT INTO alpha.item (id, parent) VALUES ($1, 999)",
                              {PX_TYPE_INT64});
  CHECK(failing(orphan, {integer(3)}).reason() == "item_parent");
  const StoreError raised = failing(port_add, {integer(3), text("refuse")});
  CHECK(raised.status() == PX_FAILED_PRECONDITION);
  CHECK(raised.reason() == "label_refused");
  const auto slow = declare(store, alpha, "SELECT pg_sleep(10)");
  tx = store.begin(alpha, {.timeout = 50ms});
  CHECK(failure_of([&] { execute(store, alpha, tx, slow); }).status() == PX_DEADLINE_EXCEEDED);
  store.rollback(tx);
}

TEST_CASE_METHOD(Fixture, "a failed statement leaves only rollback, and commit says so",
                 "[persistence]") {
  px_tx* tx = store.begin(alpha, {});
  execute(store, alpha, tx, insert, {integer(1), text("one")});
  CHECK_THROWS(execute(store, alpha, tx, insert, {integer(1), text("again")}));
  CHECK(failure_of([&] { execute(store, alpha, tx, count); }).reason() == "transaction_failed");
  CHECK(failure_of([&] { store.commit(tx); }).reason() == "transaction_failed");
  CHECK(items() == "0");
}

TEST_CASE_METHOD(Fixture, "no context reaches another's tables or escapes its role",
                 "[persistence]") {
  const auto refused = [&](const Client& who, const std::string& sql) {
    const auto statement = declare(store, who, sql);
    px_tx* tx = store.begin(who, {});
    const StoreError error = failure_of([&] { execute(store, who, tx, statement); });
    store.rollback(tx);
    return error.sqlstate();
  };
  CHECK(refused(beta, "SELECT id FROM alpha.item") == "42501");
  CHECK(refused(alpha, "DELETE FROM beta.note") == "42501");
  CHECK(refused(alpha, "SELECT id FROM platform.outbox") == "42501");
  CHECK(refused(alpha, "SELECT wrapped FROM platform.wrap_key") == "42501");
  CHECK(refused(alpha, "UPDATE pg_catalog.pg_settings SET setting = 'x'") == "42501");
  CHECK(refused(alpha, "SELECT rolpassword FROM pg_catalog.pg_authid") == "42501");
  for (const char* escape :
       {"SET ROLE plexsphere_beta", "RESET ROLE", "SELECT set_config('role', 'none', true)",
        "SELECT 1; SET ROLE plexsphere_beta", "COMMIT"}) {
    CHECK(failure_of([&] { declare(store, alpha, escape); }).status() == PX_INVALID_ARGUMENT);
  }
  // Past the declaration the database refuses too: the fence does not hang on one check.
  Session session(store.pool().options().session);
  for (const char* sql : {"SELECT set_config('role', 'plexsphere_beta', true)",
                          "SELECT query_to_xml('SET ROLE plexsphere_beta', true, true, '')",
                          "SELECT query_to_xml('SELECT 1', true, true, '')"}) {
    INFO(sql);
    session.begin({"plexsphere_alpha", false, {}});
    CHECK(failure_of([&] { session.run(sql); }).sqlstate() == "42501");
    session.rollback();
  }
  CHECK(failure_of([&] {
          session.begin({"plexsphere_alpha_owner", false, {}});
        }).sqlstate() == "42501");
}

TEST_CASE_METHOD(Fixture, "a foreign transaction takes only port statements, under its own role",
                 "[persistence]") {
  px_tx* tx = store.begin(beta, {});
  CHECK(failure_of([&] {
          execute(store, alpha, tx, insert, {integer(1), text("x")});
        }).reason() == "not_a_port_statement");
  CHECK(execute(store, alpha, tx, port_add, {integer(1), text("x")})->cells(0)[0].v.integer == 1);
  CHECK(failure_of([&] {
          execute(store, beta, tx, insert, {integer(2), text("y")});
        }).reason() == "foreign_statement");
  store.commit(tx);
  CHECK(items() == "1");
}

TEST_CASE_METHOD(Fixture, "large results stream in bounded memory and stop when told",
                 "[persistence]") {
  const auto series = declare(store, alpha, "SELECT g::bigint FROM generate_series(1, $1::int) g",
                              {PX_TYPE_INT64}, {PX_TYPE_INT64}, PX_STATEMENT_READ);
  px_tx* tx = store.begin(alpha, {.read_only = true});
  std::int64_t sum = 0;
  const std::vector<px_value> parameters{integer(2500)};
  store.stream(alpha, tx, series, parameters.data(), 1, [&](const px_value* cells, std::uint64_t) {
    sum += cells[0].v.integer;
    return true;
  });
  CHECK(sum == 2500 * 2501 / 2);
  int seen = 0;
  store.stream(alpha, tx, series, parameters.data(), 1,
               [&](const px_value*, std::uint64_t) { return ++seen < 10; });
  CHECK(seen == 10);
  store.rollback(tx);
}

// Records what happens to staged items.
struct Recorder {
  std::vector<std::string>* log;
  std::string name;
  px_status answer = PX_OK;

  std::uint32_t join(Store& store, px_phase phase) {
    px_participant participant{};
    participant.struct_size = sizeof participant;
    participant.phase = phase;
    participant.name = {name.data(), name.size()};
    participant.ctx = this;
    participant.flush = [](void* ctx, px_tx*, void* const*, std::uint64_t n, px_error*) {
      auto* self = static_cast<Recorder*>(ctx);
      self->log->push_back(self->name + ":" + std::to_string(n));
      return self->answer;
    };
    participant.release = [](void* ctx, void*) {
      auto* self = static_cast<Recorder*>(ctx);
      self->log->push_back("free " + self->name);
    };
    return store.catalog().participate(host, participant);
  }

  Client host = client("platform");
  Recorder(std::vector<std::string>* where, std::string what) : log(where), name(std::move(what)) {
    host.is_host = true;
  }
};

TEST_CASE_METHOD(Fixture, "staged work is written projections first, audit last, and freed once",
                 "[persistence]") {
  std::vector<std::string> log;
  Recorder audit{&log, "audit"};
  Recorder outbox{&log, "outbox"};
  Recorder projection{&log, "projection"};
  const auto audit_id = audit.join(store, PX_PHASE_AUDIT);
  const auto outbox_id = outbox.join(store, PX_PHASE_OUTBOX);
  const auto projection_id = projection.join(store, PX_PHASE_PROJECTION);

  px_tx* tx = store.begin(alpha, {});
  store.stage(audit.host, tx, audit_id, &log);
  store.stage(outbox.host, tx, outbox_id, &log);
  store.stage(outbox.host, tx, outbox_id, &log);
  store.stage(projection.host, tx, projection_id, &log);
  CHECK(log.empty());
  store.commit(tx);
  REQUIRE(log.size() == 7);
  CHECK(std::vector<std::string>(log.begin(), log.begin() + 3) ==
        std::vector<std::string>{"projection:1", "outbox:2", "audit:1"});

  log.clear();
  tx = store.begin(alpha, {});
  store.stage(audit.host, tx, audit_id, &log);
  store.rollback(tx);
  CHECK(log == std::vector<std::string>{"free audit"});

  log.clear();
  outbox.answer = PX_UNAVAILABLE;
  tx = store.begin(alpha, {});
  execute(store, alpha, tx, insert, {integer(1), text("one")});
  store.stage(outbox.host, tx, outbox_id, &log);
  store.stage(audit.host, tx, audit_id, &log);
  CHECK(failure_of([&] { store.commit(tx); }).status() == PX_UNAVAILABLE);
  CHECK(log.front() == "outbox:1");
  CHECK(std::count(log.begin(), log.end(), "audit:1") == 0);
  CHECK(std::count(log.begin(), log.end(), "free audit") == 1);
  CHECK(items() == "0");
}

TEST_CASE_METHOD(Fixture, "phases are granted, not taken", "[persistence]") {
  std::vector<std::string> log;
  Recorder recorder{&log, "x"};
  recorder.host = alpha;
  CHECK(failure_of([&] { recorder.join(store, PX_PHASE_AUDIT); }).status() == PX_PERMISSION_DENIED);
  recorder.host.may_audit = true;
  CHECK_NOTHROW(recorder.join(store, PX_PHASE_AUDIT));
  CHECK(failure_of([&] { recorder.join(store, PX_PHASE_OUTBOX); }).status() ==
        PX_PERMISSION_DENIED);
}

TEST_CASE_METHOD(Fixture, "a full pool is an answer in time, and the audit reserve still works",
                 "[persistence]") {
  std::vector<px_tx*> held;
  for (int i = 0; i < 4; ++i) {
    held.push_back(store.begin(alpha, {}));
  }
  const StoreError full = failure_of([&] { (void)store.begin(beta, {.timeout = 50ms}); });
  CHECK(full.status() == PX_RESOURCE_EXHAUSTED);
  CHECK(full.reason() == "connection_pool");
  Client auditor = client("beta");
  auditor.may_audit = true;
  px_tx* reserved = store.begin(auditor, {.timeout = 1000ms});
  store.rollback(reserved);
  auto waiter = std::async(std::launch::async, [&] { return store.begin(beta, {}); });
  CHECK(test_support::wait_until(5s, [&] { return store.pool().stats().waiting == 1; }));
  store.rollback(held.back());
  held.pop_back();
  store.rollback(waiter.get());
  for (px_tx* tx : held) {
    store.rollback(tx);
  }
}

TEST_CASE_METHOD(Fixture, "a statement that does not fit the schema is named before it runs",
                 "[persistence]") {
  declare(store, alpha, "SELECT label FROM alpha.item WHERE id = $1", {PX_TYPE_INT64},
          {PX_TYPE_INT64});
  declare(store, alpha, "SELECT label FROM alpha.item WHERE label = $1", {PX_TYPE_INT64},
          {PX_TYPE_TEXT});
  declare(store, alpha, "SELECT nothing FROM alpha.item", {}, {PX_TYPE_TEXT});
  declare(store, alpha, "SELECT body FROM beta.note", {}, {PX_TYPE_TEXT});
  const auto wrong = check_statements(store.pool().options().session, alpha.role,
                                      store.catalog().statements_of("alpha"));
  REQUIRE(wrong.size() == 4);
  CHECK(wrong[0].find("column 1") != std::string::npos);
  CHECK(wrong[1].find("$1") != std::string::npos);
  CHECK(wrong[2].find("nothing") != std::string::npos);
  CHECK(wrong[3].find("permission denied") != std::string::npos);
}

TEST_CASE_METHOD(Fixture, "more connections than the server allows are refused with both numbers",
                 "[persistence]") {
  CHECK_NOTHROW(store.check_server_limit(3));
  const StoreError error = failure_of([&] { store.check_server_limit(1000); });
  CHECK(error.reason() == "connection_limit");
  CHECK(std::string{error.what()}.find("97") != std::string::npos);
}

TEST_CASE_METHOD(Fixture, "two transactions that lock in opposite order: one is told to repeat",
                 "[persistence]") {
  const auto touch =
      declare(store, alpha, "UPDATE alpha.item SET label = label WHERE id = $1", {PX_TYPE_INT64});
  px_tx* tx = store.begin(alpha, {});
  execute(store, alpha, tx, insert, {integer(1), text("one")});
  execute(store, alpha, tx, insert, {integer(2), text("two")});
  store.commit(tx);
  px_tx* first = store.begin(alpha, {});
  px_tx* second = store.begin(alpha, {});
  execute(store, alpha, first, touch, {integer(1)});
  execute(store, alpha, second, touch, {integer(2)});
  auto other = std::async(std::launch::async, [&] {
    return failure_of([&] { execute(store, alpha, first, touch, {integer(2)}); });
  });
  const StoreError mine = failure_of([&] { execute(store, alpha, second, touch, {integer(1)}); });
  const StoreError theirs = other.get();
  CHECK((mine.status() == PX_ABORTED) != (theirs.status() == PX_ABORTED));
  store.rollback(first);
  store.rollback(second);
}

}  // namespace
}  // namespace plexsphere::host::persistence

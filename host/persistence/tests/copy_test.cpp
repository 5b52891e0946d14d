#include <catch2/catch.hpp>

#include "database_fixture.hpp"
#include "host/persistence/copy_reader.hpp"
#include "host/persistence/statement_check.hpp"

namespace plexsphere::host::persistence {
namespace {

using namespace plexsphere::host::testing;

constexpr std::uint32_t kCopied = PX_STATEMENT_READ | PX_STATEMENT_COPY;

Database& database() {
  static Database instance;
  return instance;
}

struct Fixture {
  Fixture() : store(database().options(), {}) {
    database().cluster.query("TRUNCATE alpha.item");
    series = declare(store, alpha, "SELECT g::bigint FROM generate_series(1, $1::int) g",
                     {PX_TYPE_INT64}, {PX_TYPE_INT64}, kCopied);
  }
  // Runs `visit` on every row.
  void stream(px_tx* tx, std::uint32_t statement, const std::vector<px_value>& parameters,
              const Store::RowVisitor& visit) {
    store.stream(alpha, tx, statement, parameters.data(), parameters.size(), visit);
  }

  Store store;
  Client alpha = client("alpha");
  std::uint32_t series = 0;
};

px_value typed(px_type type) {
  px_value out{};
  out.type = type;
  return out;
}

TEST_CASE_METHOD(Fixture, "a copied result has every type, nulls included", "[persistence]") {
  const std::vector<px_type> types{PX_TYPE_BOOL, PX_TYPE_INT64,     PX_TYPE_TEXT, PX_TYPE_BYTES,
                                   PX_TYPE_UUID, PX_TYPE_TIMESTAMP, PX_TYPE_INT64};
  const auto echo =
      declare(store, alpha,
              "SELECT $1::bool, $2::int2, $3::text, $4::bytea, $5::uuid, $6::timestamptz, "
              "$7::bigint -- the end;",
              types, types, kCopied);
  std::vector<px_value> in;
  for (const px_type type : types) {
    in.push_back(typed(type));
  }
  const std::uint8_t raw[] = {0, 1, 255, 0};
  in[0].v.boolean = 1;
  in[1].v.integer = -7;
  in[2] = text("grüße 'quoted' \\ $1 {}");
  in[3].v.bytes = {raw, sizeof raw};
  in[4].v.uuid.b[15] = 7;
  in[5].v.integer = -1'767'323'045'678'901;
  in[6].is_null = 1;
  px_tx* tx = store.begin(alpha, {.read_only = true});
  int rows = 0;
  stream(tx, echo, in, [&](const px_value* out, std::uint64_t count) {
    REQUIRE(count == types.size());
    CHECK(out[0].v.boolean == 1);
    CHECK(out[1].v.integer == -7);
    CHECK(std::string(out[2].v.text.ptr, out[2].v.text.len) == "grüße 'quoted' \\ $1 {}");
    CHECK(std::equal(raw, raw + sizeof raw, out[3].v.bytes.ptr,
                     out[3].v.bytes.ptr + out[3].v.bytes.len));
    CHECK(out[4].v.uuid.b[15] == 7);
    CHECK(out[5].v.integer == -1'767'323'045'678'901);
    CHECK(out[6].is_null == 1);
    ++rows;
    return true;
  });
  CHECK(rows == 1);
  store.rollback(tx);
}

TEST_CASE_METHOD(Fixture, "a time that the wire cannot count to is infinite, as infinity is",
                 "[persistence]") {
  const auto times = declare(store, alpha,
                             "SELECT unnest('{-infinity,294246-01-01 00:00Z,294276-12-31 00:00Z,"
                             "infinity}'::timestamptz[])",
                             {}, {PX_TYPE_TIMESTAMP}, kCopied);
  std::vector<std::int64_t> seen;
  px_tx* tx = store.begin(alpha, {.read_only = true});
  stream(tx, times, {}, [&](const px_value* cells, std::uint64_t) {
    seen.push_back(cells[0].v.integer);
    return true;
  });
  store.rollback(tx);
  REQUIRE(seen.size() == 4);
  CHECK(seen[0] == INT64_MIN);
  CHECK(seen[1] == 9'223'339'708'800'000'000);
  CHECK(seen[2] == INT64_MAX);
  CHECK(seen[3] == INT64_MAX);
}

TEST_CASE_METHOD(Fixture, "a copied result that is stopped leaves its transaction usable",
                 "[persistence]") {
  px_tx* tx = store.begin(alpha, {.read_only = true});
  int seen = 0;
  stream(tx, series, {integer(5000)}, [&](const px_value*, std::uint64_t) { return ++seen < 10; });
  CHECK(seen == 10);
  std::int64_t sum = 0;
  stream(tx, series, {integer(2500)}, [&](const px_value* cells, std::uint64_t) {
    sum += cells[0].v.integer;
    return true;
  });
  CHECK(sum == 2500 * 2501 / 2);
  stream(tx, series, {integer(0)}, [&](const px_value*, std::uint64_t) -> bool {
    FAIL("there is no row");
    return false;
  });
  store.rollback(tx);
}

TEST_CASE_METHOD(Fixture, "while a copied row is visited its transaction is not free",
                 "[persistence]") {
  const auto count = declare(store, alpha, "SELECT count(*) FROM alpha.item", {}, {PX_TYPE_INT64});
  px_tx* tx = store.begin(alpha, {.read_only = true});
  std::string reason;
  stream(tx, series, {integer(1)}, [&](const px_value*, std::uint64_t) {
    reason = failure_of([&] { execute(store, alpha, tx, count); }).reason();
    return true;
  });
  CHECK(reason == "transaction_streams");
  CHECK(execute(store, alpha, tx, count)->cells(0)[0].v.integer == 0);
  store.rollback(tx);
}

TEST_CASE_METHOD(Fixture, "a copy that fails half-way is an error like any other",
                 "[persistence]") {
  const auto late =
      declare(store, alpha, "SELECT 1 / (3 - g)::bigint FROM generate_series(1, $1::int) g",
              {PX_TYPE_INT64}, {PX_TYPE_INT64}, kCopied);
  px_tx* tx = store.begin(alpha, {.read_only = true});
  int seen = 0;
  const StoreError error = failure_of([&] {
    stream(tx, late, {integer(9)}, [&](const px_value*, std::uint64_t) { return ++seen > 0; });
  });
  CHECK(seen == 2);
  CHECK(error.sqlstate() == "22012");
  CHECK(failure_of([&] { stream(tx, series, {integer(1)}, {}); }).reason() == "transaction_failed");
  store.rollback(tx);
  const auto foreign =
      declare(store, alpha, "SELECT body FROM beta.note", {}, {PX_TYPE_TEXT}, kCopied);
  tx = store.begin(alpha, {.read_only = true});
  CHECK(failure_of([&] { stream(tx, foreign, {}, {}); }).sqlstate() == "42501");
  store.rollback(tx);
}

TEST_CASE_METHOD(Fixture, "what COPY cannot give as declared is refused before it runs",
                 "[persistence]") {
  const auto refused = [&](const std::string& sql, std::vector<px_type> results,
                           std::uint32_t flags) {
    return failure_of([&] { declare(store, alpha, sql, {}, std::move(results), flags); }).reason();
  };
  CHECK(refused("SELECT 1.5", {PX_TYPE_FLOAT64}, kCopied) == "statement_refused");
  CHECK(refused("SELECT 1::bigint", {PX_TYPE_INT64}, PX_STATEMENT_COPY) == "statement_refused");
  CHECK(refused("SELECT 1::bigint", {}, kCopied) == "statement_refused");
  declare(store, alpha, "SELECT '10.0.0.1'::inet", {}, {PX_TYPE_TEXT}, kCopied);
  const auto wrong = check_statements(store.pool().options().session, alpha.role,
                                      store.catalog().statements_of("alpha"));
  REQUIRE(wrong.size() == 1);
  CHECK(wrong.front().find("which COPY does not give as text") != std::string::npos);
}

TEST_CASE_METHOD(Fixture, "statements of a snapshot see what the first one saw", "[persistence]") {
  const auto items =
      declare(store, alpha, "SELECT id::bigint FROM alpha.item", {}, {PX_TYPE_INT64}, kCopied);
  const auto seen = [&](px_tx* tx) {
    int rows = 0;
    stream(tx, items, {}, [&](const px_value*, std::uint64_t) { return ++rows > 0; });
    return rows;
  };
  px_tx* every = store.begin(alpha, {.read_only = true});
  px_tx* snapshot = store.begin(alpha, {.snapshot = true});
  CHECK(seen(every) + seen(snapshot) == 0);
  database().cluster.query("INSERT INTO alpha.item (id) VALUES (1)");
  CHECK(seen(every) == 1);
  CHECK(seen(snapshot) == 0);
  store.rollback(every);
  store.rollback(snapshot);
}

TEST_CASE("what is no binary COPY of the declared row is told", "[persistence]") {
  Statement statement;
  statement.context = "alpha";
  statement.name = "walk";
  statement.results = {PX_TYPE_INT64};
  const std::string header = std::string("PGCOPY\n\377\r\n\0", 11) + std::string(8, '\0');
  const std::string row = std::string("\0\1\0\0\0\4\0\0\0\7", 10);
  CHECK(CopyReader(statement).read(header + row).front().v.integer == 7);
  for (const std::string& message :
       {std::string("PGCOPX"), header + std::string("\0\2", 2), header + row.substr(0, 8),
        header + row + "x", header + std::string("\0\1\0\0\0\1x", 7)}) {
    INFO(message);
    CHECK(failure_of([&] { (void)CopyReader(statement).read(message); }).reason() == "result_type");
  }
}

}  // namespace
}  // namespace plexsphere::host::persistence

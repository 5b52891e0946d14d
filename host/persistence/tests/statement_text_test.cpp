#include <catch2/catch.hpp>

#include "host/persistence/statement_text.hpp"
#include "host/persistence/store_error.hpp"

namespace plexsphere::host::persistence {
namespace {

TEST_CASE("statements of the allowed kinds are accepted", "[persistence]") {
  for (const char* sql : {
           "SELECT id FROM tenancy.domain WHERE name = $1",
           "  /* a /* nested */ comment */ select 1;  -- trailing",
           "INSERT INTO a.b (c) VALUES ($1) RETURNING c",
           "UPDATE a.b SET c = 'COMMIT; ROLLBACK' WHERE d = $1",
           "WITH gone AS (DELETE FROM a.b RETURNING *) SELECT count(*) FROM gone",
           "VALUES (1)",
           "SELECT $tag$ ; SET ROLE x $tag$, E'it\\'s;', \"odd;name\" FROM t",
           "SELECT 1 FOR UPDATE",
           "MERGE INTO a.b USING a.c ON b.x = c.x WHEN MATCHED THEN DO NOTHING",
           "SELECT pg_catalog.pg_advisory_xact_lock($1)",
       }) {
    INFO(sql);
    CHECK_NOTHROW(judge_statement(sql));
  }
}

TEST_CASE("transaction control, settings, utilities and tricks are refused", "[persistence]") {
  for (const char* sql : {
           "",
           "-- only a comment",
           "BEGIN",
           "commit",
           "ROLLBACK",
           "SAVEPOINT x",
           "SET ROLE postgres",
           "RESET ROLE",
           "DO $$ BEGIN END $$",
           "COPY t FROM STDIN",
           "CALL p()",
           "LISTEN x",
           "NOTIFY x",
           "EXPLAIN SELECT 1",
           "CREATE TABLE t (id int)",
           "TRUNCATE t",
           "LOCK TABLE t",
           "PREPARE p AS SELECT 1",
           "EXECUTE p",
           "SELECT 1; SELECT 2",
           "SELECT 1; SET ROLE x",
           "SELECT 1 /* ; */ ; -- x\n COMMIT",
           "SELECT 'it''s' ; COMMIT",
           "SELECT E'\\'' ; COMMIT --'",
           "SELECT set_config('role', 'postgres', false)",
           "SELECT pg_catalog . SET_CONFIG ('role', 'postgres', false)",
           "SELECT \"set_config\"('role', 'x', true)",
           "SELECT set_config/**/('role', 'x', true)",
           "SELECT U&\"s\\0065t_config\"('role', 'x', true)",
           "SELECT query_to_xml('select 1', true, true, '')",
           "SELECT ts_stat('select 1')",
           "SELECT pg_advisory_lock(1)",
           "SELECT pg_notify('a', 'b')",
           "SELECT pg_terminate_backend(1)",
           "SELECT id INTO copy FROM t",
           "SELECT 'unterminated",
           "SELECT \"unterminated",
           "SELECT $x$ unterminated",
           "SELECT /* unterminated",
           "SELECT $0",
           "SELECT $2",
           "SELECT $1, $3",
           "(SELECT 1)",
       }) {
    INFO(sql);
    CHECK_THROWS_AS(judge_statement(sql), StoreError);
  }
  CHECK_THROWS_AS(judge_statement(std::string_view{"SELECT 1\0", 9}), StoreError);
  CHECK_THROWS_AS(judge_statement("SELECT '" + std::string(kMaxStatementBytes, 'x') + "'"),
                  StoreError);
}

TEST_CASE("the shape tells parameters and whether data changes", "[persistence]") {
  CHECK(judge_statement("SELECT $1, $2, $1").parameter_count == 2);
  CHECK(judge_statement("SELECT '$9', $$ $8 $$").parameter_count == 0);
  CHECK(judge_statement("SELECT 1").reads_only);
  CHECK_FALSE(judge_statement("SELECT 1 FROM t FOR UPDATE").reads_only);
  CHECK_FALSE(judge_statement("WITH d AS (DELETE FROM t) SELECT 1").reads_only);
  CHECK(judge_statement("SELECT 'delete'").reads_only);
}

TEST_CASE("a port statement is one call of one own function", "[persistence]") {
  for (const char* sql : {
           "SELECT node_id, address FROM mesh.port_allocate($1, $2::uuid, 'x', 7, ARRAY[1])",
           "SELECT * FROM mesh.port_project($1) AS p",
           "SELECT FROM mesh.port_project($1);",
       }) {
    INFO(sql);
    CHECK_NOTHROW(judge_port_statement(sql, "mesh"));
  }
  for (const char* sql : {
           "SELECT * FROM identity.port_other($1)",
           "SELECT * FROM mesh.node",
           "SELECT * FROM mesh.allocate($1)",
           "SELECT secret() FROM mesh.port_allocate($1)",
           "SELECT (SELECT 1) FROM mesh.port_allocate($1)",
           "SELECT * FROM mesh.port_allocate((SELECT 1))",
           "SELECT * FROM mesh.port_allocate(f($1))",
           "SELECT * FROM mesh.port_allocate($1), identity.node",
           "SELECT * FROM mesh.port_allocate($1) WHERE true",
           "SELECT * FROM mesh.port_a($1) UNION SELECT 1",
           "SELECT mesh.port_allocate($1)",
           "INSERT INTO mesh.port_x VALUES ($1)",
           "SELECT * FROM mesh.port_allocate($1",
       }) {
    INFO(sql);
    CHECK_THROWS_AS(judge_port_statement(sql, "mesh"), StoreError);
  }
}

TEST_CASE("server messages become canonical codes with stable reasons", "[persistence]") {
  const auto unique = error_from_message(
      "ERROR:  23505: duplicate key value violates unique constraint \"node_address_key\"\n"
      "DETAIL:  Key (address)=(10.0.0.1) already exists.\nSCHEMA NAME:  mesh\nTABLE NAME:  node\n"
      "CONSTRAINT NAME:  node_address_key\nLOCATION:  _bt_check_unique, nbtinsert.c:664\n");
  CHECK(unique.status() == PX_ALREADY_EXISTS);
  CHECK(unique.reason() == "node_address_key");
  CHECK(unique.sqlstate() == "23505");
  CHECK(std::string{unique.what()}.find("10.0.0.1") == std::string::npos);
  CHECK(
      std::string{
          error_from_message("ERROR:  22P02: invalid input syntax for type uuid: \"hush\"").what()}
          .find("hush") == std::string::npos);
  const auto status_of = [](const char* state) {
    return error_from_message(std::string{"ERROR:  "} + state + ": x").status();
  };
  CHECK(status_of("23P01") == PX_ALREADY_EXISTS);
  CHECK(status_of("23503") == PX_FAILED_PRECONDITION);
  CHECK(status_of("23514") == PX_INVALID_ARGUMENT);
  CHECK(status_of("22P02") == PX_INVALID_ARGUMENT);
  CHECK(status_of("40001") == PX_ABORTED);
  CHECK(status_of("40P01") == PX_ABORTED);
  CHECK(error_from_message("ERROR:  55P03: x").reason() == "lock_timeout");
  CHECK(status_of("57014") == PX_DEADLINE_EXCEEDED);
  CHECK(status_of("57P01") == PX_UNAVAILABLE);
  CHECK(status_of("42501") == PX_PERMISSION_DENIED);
  const auto raised = error_from_message("ERROR:  PX001: token_consumed\nCONTEXT: f");
  CHECK(raised.status() == PX_FAILED_PRECONDITION);
  CHECK(raised.reason() == "token_consumed");
  CHECK(status_of("PX005") == PX_NOT_FOUND);
  CHECK(error_from_message("ERROR:  PX001: Some Sentence with 10.0.0.1").reason() == "raised");
  CHECK(error_from_message("something else").status() == PX_INTERNAL);
}

}  // namespace
}  // namespace plexsphere::host::persistence

// A migrated database with two contexts, alpha and beta, on the program's own server.
//
// alpha provides px.alpha/1 (role port_alpha) with one function; beta uses it and may append
// events.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "host/migration/runner.hpp"
#include "host/persistence/store.hpp"
#include "host/persistence/store_error.hpp"
#include "support/pg_cluster.hpp"

namespace plexsphere::host::testing {

struct Database {
  explicit Database(test_support::PgCluster::Options options = {}) : cluster(std::move(options)) {
    migration::ContextPlan alpha;
    alpha.context = "alpha";
    alpha.provides = {"port_alpha"};
    alpha.uses = {"port_outbox"};
    alpha.files = {migration::make_migration("0001_item.sql", R"sql(
      CREATE TABLE alpha.item (
        id int PRIMARY KEY CHECK (id > 0), label text CONSTRAINT item_label_key UNIQUE,
        data bytea, parent int CONSTRAINT item_parent REFERENCES alpha.item);
      GRANT SELECT, INSERT, UPDATE, DELETE ON alpha.item TO plexsphere_alpha;
      CREATE FUNCTION alpha.port_add(p_id int, p_label text) RETURNS int LANGUAGE plpgsql
        SECURITY DEFINER SET search_path = alpha, pg_temp AS $$
      BEGIN
        IF p_label = 'refuse' THEN RAISE EXCEPTION 'label_refused' USING ERRCODE = 'PX001'; END IF;
        INSERT INTO alpha.item (id, label) VALUES (p_id, p_label);
        RETURN p_id;
      END $$;
      REVOKE ALL ON FUNCTION alpha.port_add FROM PUBLIC;
      GRANT EXECUTE ON FUNCTION alpha.port_add TO port_alpha;
      GRANT EXECUTE ON FUNCTION alpha.port_add TO port_outbox;
    )sql")};
    migration::ContextPlan beta;
    beta.context = "beta";
    beta.uses = {"port_alpha", "port_outbox"};
    beta.files = {migration::make_migration("0001_note.sql", R"sql(
      CREATE TABLE beta.note (id int PRIMARY KEY, body text);
      GRANT SELECT, INSERT, UPDATE, DELETE ON beta.note TO plexsphere_beta;
    )sql")};
    migration::MigrateOptions migrate_options;
    migrate_options.admin_dsn = cluster.dsn();
    migration::migrate(migrate_options, {migration::platform_plan(), alpha, beta});
  }

  [[nodiscard]] persistence::StoreOptions options(std::size_t capacity = 4) const {
    persistence::StoreOptions out;
    out.pool.session.dsn = cluster.dsn("postgres", "plexsphere_core");
    out.pool.capacity = capacity;
    return out;
  }

  test_support::PgCluster cluster;
};

inline persistence::Client client(const std::string& context) {
  return {context, "plexsphere_" + context, false, false};
}

// Declares with a short syntax.
inline std::uint32_t declare(persistence::Store& store, const persistence::Client& who,
                             const std::string& sql, std::vector<px_type> parameters = {},
                             std::vector<px_type> results = {}, std::uint32_t flags = 0) {
  static int number = 0;
  const std::string name = "statement_" + std::to_string(++number);
  const px_statement statement{sizeof(px_statement),
                               flags,
                               {name.data(), name.size()},
                               {sql.data(), sql.size()},
                               parameters.data(),
                               parameters.size(),
                               results.data(),
                               results.size()};
  return store.catalog().declare(who, statement);
}

inline px_value integer(std::int64_t value) {
  px_value out{};
  out.type = PX_TYPE_INT64;
  out.v.integer = value;
  return out;
}

inline px_value text(std::string_view value) {
  px_value out{};
  out.type = PX_TYPE_TEXT;
  out.v.text = {value.data(), value.size()};
  return out;
}

// Runs one statement and returns its rows.
inline std::unique_ptr<px_rows> execute(persistence::Store& store, const persistence::Client& who,
                                        px_tx* tx, std::uint32_t statement,
                                        std::vector<px_value> parameters = {}) {
  std::unique_ptr<px_rows> rows;
  store.execute(who, tx, statement, parameters.data(), parameters.size(), &rows);
  return rows;
}

// The error of what must fail.
template <typename Work>
persistence::StoreError failure_of(Work&& work) {
  try {
    work();
  } catch (const persistence::StoreError& error) {
    return error;
  }
  return {PX_OK, "it_succeeded", "no error was thrown"};
}

}  // namespace plexsphere::host::testing

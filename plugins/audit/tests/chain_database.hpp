// A migrated database of the test's own, with the roles that production has: the audit context, a
// context "guest" that may use px.audit, and a context "stranger" that may not.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "app/entry.hpp"
#include "host/persistence/session.hpp"
#include "plexsphere/sdk/uuid.hpp"
#include "support/pg_cluster.hpp"

namespace plexsphere::audit::test {

class ChainDatabase {
 public:
  explicit ChainDatabase(const test_support::PgCluster::Options& options = {});

  // A session as the core's login role; begin({role}) puts on a context's role.
  host::persistence::Session session() const;
  std::string dsn(const std::string& user) const { return cluster_.dsn(name_, user); }
  // As the superuser; returns psql's text.
  std::string query(const std::string& sql) const { return cluster_.query(sql, name_); }
  // The same with every trigger off: what a hostile administrator of the database can do.
  std::string tamper(const std::string& sql) const;
  // Runs `sql` under a context's role; the reason of its refusal ("permission denied"), or "".
  std::string refusal(const std::string& role, const std::string& sql) const;

  test_support::PgCluster& cluster() { return cluster_; }

 private:
  test_support::PgCluster cluster_;
  std::string name_ = "chains";
};

// A row by the real encoder.
Row row_of(const sdk::Uuid& chain, std::string_view relation,
           std::string_view subject = "0190a1b2-c3d4-7e5f-8a6b-7c8d9e0f1a2b");

// The call of the append function with `rows` as literals, in the order given.
std::string append_call(const std::vector<Row>& rows);

// Walks the chain with PostgreSQL's rows and OpenSSL's SHA-256, by the contract's formula and
// nothing of ours: the number of entries, or -1 at the first that does not fit.
int independent_verification(const ChainDatabase& database, const sdk::Uuid& chain);

}  // namespace plexsphere::audit::test

#include "host/apps/plexsphere-bootstrap/rebuild_tree.hpp"

#include <pqxx/result_iterator.hxx>

#include "host/persistence/session.hpp"
#include "host/persistence/store_error.hpp"

namespace plexsphere::host::apps {
namespace {

using persistence::StoreError;

// 42883: no such function; 3F000: no such schema; 22P02: no such value of the type.
[[noreturn]] void explain(const StoreError& error, const std::string& chain) {
  if (error.sqlstate() == "42883" || error.sqlstate() == "3F000") {
    throw StoreError(
        PX_FAILED_PRECONDITION, "not_migrated",
        "the database's audit schema rebuilds no trees yet: enable the context and run "
        "plexsphere-bootstrap migrate first");
  }
  if (error.sqlstate() == "22P02") {
    throw StoreError(PX_INVALID_ARGUMENT, "chain",
                     "--domain takes the id of a Domain, not '" + chain + "'");
  }
  throw error;
}

}  // namespace

std::int64_t rebuild_tree(const std::string& admin_dsn, const std::string& chain) {
  persistence::SessionOptions options;
  options.dsn = admin_dsn;
  options.application_name = "plexsphere-bootstrap";
  persistence::Session session(options);
  session.begin({});
  try {
    const auto rows = session.run("SELECT audit.drop_tree($1::uuid)", {chain});
    session.commit();
    return rows[0][0].as<std::int64_t>();
  } catch (const StoreError& error) {
    session.rollback();
    explain(error, chain);
  }
}

}  // namespace plexsphere::host::apps

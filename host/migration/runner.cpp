#include "host/migration/runner.hpp"

#include <libpq-fe.h>

#include <pqxx/result_iterator.hxx>

#include <map>
#include <memory>
#include <utility>

#include "host/persistence/store_error.hpp"

namespace plexsphere::host::migration {
namespace {

using persistence::quote_identifier;
using persistence::Session;
using persistence::StoreError;

constexpr const char* kLedger = R"sql(
CREATE TABLE IF NOT EXISTS platform.schema_migration (
  context    text        NOT NULL,
  version    int         NOT NULL,
  name       text        NOT NULL,
  checksum   text        NOT NULL,
  applied_at timestamptz NOT NULL DEFAULT transaction_timestamp(),
  applied_by text        NOT NULL DEFAULT session_user,
  PRIMARY KEY (context, version)
);
ALTER TABLE platform.schema_migration OWNER TO plexsphere_platform_owner;
GRANT SELECT ON platform.schema_migration TO plexsphere_platform)sql";

struct LedgerEntry {
  std::string name;
  std::string checksum;
};
using Ledger = std::map<std::pair<std::string, std::uint32_t>, LedgerEntry>;

Ledger read_ledger(Session& session) {
  Ledger ledger;
  const auto rows =
      session.run("SELECT context, version, name, checksum FROM platform.schema_migration");
  for (const auto& row : rows) {
    ledger[{row[0].c_str(), row[1].as<std::uint32_t>()}] = {row[2].c_str(), row[3].c_str()};
  }
  return ledger;
}

std::string changed_text(const ContextPlan& plan, const MigrationFile& file,
                         const LedgerEntry& entry) {
  return "migration " + plan.context + "/" + file.name +
         " changed after it was applied: the file "
         "has SHA-256 " +
         file.checksum + ", the database recorded " + entry.checksum + " for " + entry.name +
         "; restore the file and put the change into a new one";
}

// Files that the ledger lacks, oldest first. Throws when the two tell different histories.
std::vector<const MigrationFile*> outstanding(const ContextPlan& plan, const Ledger& ledger) {
  std::vector<const MigrationFile*> out;
  std::map<std::uint32_t, const MigrationFile*> by_version;
  for (const MigrationFile& file : plan.files) {
    by_version[file.version] = &file;
    const auto entry = ledger.find({plan.context, file.version});
    if (entry == ledger.end()) {
      out.push_back(&file);
    } else if (entry->second.checksum != file.checksum) {
      throw StoreError(PX_FAILED_PRECONDITION, "migration_changed",
                       changed_text(plan, file, entry->second));
    }
  }
  const std::uint32_t newest = plan.files.empty() ? 0 : plan.files.back().version;
  for (auto it = ledger.lower_bound({plan.context, 0});
       it != ledger.end() && it->first.first == plan.context; ++it) {
    const std::uint32_t version = it->first.second;
    if (version <= newest && !by_version.contains(version)) {
      throw StoreError(PX_FAILED_PRECONDITION, "migration_missing",
                       "migration " + plan.context + "/" + it->second.name +
                           " is recorded in the database but its file is gone; restore it");
    }
    if (!out.empty() && version > out.front()->version) {
      throw StoreError(PX_FAILED_PRECONDITION, "migration_late",
                       "migration " + plan.context + "/" + out.front()->name + " comes before " +
                           it->second.name +
                           ", which was applied already; give it a higher number");
    }
  }
  return out;
}

void apply(Session& session, const ContextPlan& plan, const MigrationFile& file) {
  session.begin({plan.owner(), false, {}});
  try {
    session.run("SET LOCAL search_path = " + quote_identifier(plan.context));
    session.run(file.sql);
    session.run("RESET ROLE; SET LOCAL search_path = pg_catalog");
    session.run(
        "INSERT INTO platform.schema_migration (context, version, name, checksum) "
        "VALUES ($1, $2::int, $3, $4)",
        {plan.context, std::to_string(file.version), file.name, file.checksum});
    session.commit();
  } catch (const StoreError& error) {
    session.rollback();
    throw StoreError(error.status(), error.reason(),
                     "migration " + plan.context + "/" + file.name + ": " + error.what(),
                     error.sqlstate());
  }
}

struct Finish {
  void operator()(PGconn* connection) const { PQfinish(connection); }
  void operator()(PQconninfoOption* options) const { PQconninfoFree(options); }
  void operator()(char* text) const { PQfreemem(text); }
};

std::string password_of(const std::string& dsn) {
  if (dsn.empty()) {
    return {};
  }
  const std::unique_ptr<PQconninfoOption, Finish> parsed(PQconninfoParse(dsn.c_str(), nullptr));
  for (auto* option = parsed.get(); option != nullptr && option->keyword != nullptr; ++option) {
    if (std::string_view{option->keyword} == "password" && option->val != nullptr) {
      return option->val;
    }
  }
  return {};
}

// Computed here, so that the password itself never travels (RFC 5802, RFC 7677).
std::string scram_verifier(const std::string& admin_dsn, const std::string& role,
                           const std::string& password) {
  if (password.empty()) {
    return {};
  }
  const std::unique_ptr<PGconn, Finish> connection(PQconnectdb(admin_dsn.c_str()));
  const std::unique_ptr<char, Finish> verifier(
      PQencryptPasswordConn(connection.get(), password.c_str(), role.c_str(), "scram-sha-256"));
  if (!verifier) {
    throw StoreError(PX_UNAVAILABLE, "database_unavailable", PQerrorMessage(connection.get()));
  }
  return verifier.get();
}

// Roles belong to the whole cluster, so a migrator of another database may change them at the same
// moment; the loser repeats.
void establish_with_retry(Session& session, const std::vector<ContextPlan>& plans,
                          const LoginRole& login) {
  constexpr int kAttempts = 5;
  for (int attempt = 1;; ++attempt) {
    session.begin({});
    try {
      establish_roles(session, plans, login);
      session.run(kLedger);
      session.commit();
      return;
    } catch (const StoreError& error) {
      session.rollback();
      const bool raced = error.sqlstate() == "23505" || error.sqlstate() == "42710" ||
                         error.sqlstate() == "XX000" || error.status() == PX_ABORTED;
      if (!raced || attempt == kAttempts) {
        throw;
      }
    }
  }
}

void lock(Session& session, const MigrateOptions& options) {
  session.run("SET lock_timeout = " + std::to_string(options.lock_wait.count()));
  session.run("SELECT pg_catalog.pg_advisory_lock(7309447326401101)");  // any fixed number
  session.run("SET lock_timeout = 10000");  // a migration must not stall the traffic behind it
}

}  // namespace

MigrateReport migrate(const MigrateOptions& options, const std::vector<ContextPlan>& plans) {
  persistence::SessionOptions session_options;
  session_options.dsn = options.admin_dsn;
  session_options.application_name = "plexsphere-bootstrap";
  // Covers the wait for the lock as well as the longest statement of a file.
  session_options.statement_timeout = std::max(options.statement_timeout, options.lock_wait);
  Session session(session_options);
  lock(session, options);

  const LoginRole login{options.login_role,
                        scram_verifier(persistence::complete_dsn(session_options),
                                       options.login_role, password_of(options.core_dsn))};
  establish_with_retry(session, plans, login);
  const Ledger ledger = read_ledger(session);
  MigrateReport report;
  report.present = ledger.size();
  for (const ContextPlan& plan : plans) {
    for (const MigrationFile* file : outstanding(plan, ledger)) {
      apply(session, plan, *file);
      report.applied.push_back({plan.context, file->name});
    }
  }
  return report;  // the session's end releases the lock
}

std::vector<std::string> compare_with_ledger(Session& session,
                                             const std::vector<ContextPlan>& plans) {
  const Ledger ledger = read_ledger(session);
  std::vector<std::string> wrong;
  for (const ContextPlan& plan : plans) {
    try {
      const auto files = outstanding(plan, ledger);
      if (!files.empty()) {
        wrong.push_back(
            "schema '" + plan.context + "' lacks " + files.front()->name +
            (files.size() > 1 ? " and " + std::to_string(files.size() - 1) + " more" : "") +
            ": run plexsphere-bootstrap migrate");
      }
    } catch (const StoreError& error) {
      wrong.push_back(error.what());
    }
  }
  return wrong;
}

}  // namespace plexsphere::host::migration

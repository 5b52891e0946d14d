// Brings a database to the schema of this installation, and tells whether it is there.
//
// Thread safety: migrate may run in several processes at once; a session lock lets one work and the
// others wait. Ownership: opens and closes its own session.
// Invariants: one file, one transaction, recorded in platform.schema_migration in that transaction;
// a file that was applied never changes.
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "host/migration/plan.hpp"
#include "host/migration/roles.hpp"
#include "host/persistence/session.hpp"

namespace plexsphere::host::migration {

struct MigrateOptions {
  std::string admin_dsn;  // of a superuser
  // Where the core's password, if it has one, is read from; empty leaves the password alone.
  std::string core_dsn;
  std::string login_role = "plexsphere_core";
  std::chrono::milliseconds lock_wait{300'000};  // for another migrator to finish
  std::chrono::milliseconds statement_timeout{900'000};
};

struct AppliedFile {
  std::string context;
  std::string name;
};

struct MigrateReport {
  std::vector<AppliedFile> applied;  // by this run, in order
  std::size_t present = 0;           // applied by earlier runs
};

// Throws StoreError: PX_FAILED_PRECONDITION, "migration_changed", naming both checksums, or
// "migration_missing" / "migration_late" when files and ledger tell different histories;
// PX_UNAVAILABLE with "lock_timeout" when another migrator did not finish in time; whatever a
// file's statements raise, with the file's name.
MigrateReport migrate(const MigrateOptions& options, const std::vector<ContextPlan>& plans);

// One sentence per difference between the plans' files and the ledger; empty: the schema is right.
// A ledger that is ahead of the files is right too: the release before must run beside the one
// that migrates. Requires a session whose role may read the ledger.
[[nodiscard]] std::vector<std::string> compare_with_ledger(persistence::Session& session,
                                                           const std::vector<ContextPlan>& plans);

}  // namespace plexsphere::host::migration

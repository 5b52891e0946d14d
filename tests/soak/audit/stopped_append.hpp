// Appends that stand still between the chain's lock and the rows: all that takes place there is one
// call of a function in PostgreSQL, where no failpoint of ours is.
//
// Not thread-safe. Views the site; appends go on with its end.
#pragma once

#include <chrono>
#include <stdexcept>

#include "soak/audit/site.hpp"
#include "support/wait_until.hpp"

namespace plexsphere::soak {

class StoppedAppend {
 public:
  // Returns when an append has its lock and waits. Throws when none comes.
  explicit StoppedAppend(const AuditSite& site)
      : site_(site),
        holder_("/usr/bin/psql",
                {"-X", site.admin_dsn() + " application_name=soak_holder", "-c",
                 "BEGIN; LOCK TABLE audit.audit_log_entry IN SHARE MODE; SELECT pg_sleep(600)"}) {
    const bool stands = test_support::wait_until(std::chrono::seconds(30), [this] {
      return site_.sql(
                 "SELECT count(*) > 0 FROM pg_stat_activity a JOIN pg_locks l ON l.pid = a.pid "
                 "WHERE a.query LIKE '%audit.port_append%' AND l.locktype = 'relation' AND "
                 "l.relation = 'audit.audit_log_entry'::regclass AND NOT l.granted") == "t";
    });
    if (!stands) {
      throw std::runtime_error("no append stands between its lock and its rows");
    }
  }
  ~StoppedAppend() {
    try {
      (void)site_.sql(
          "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity "
          "WHERE application_name = 'soak_holder'");
    } catch (const std::exception&) {
      // The server is gone, and the lock with it.
    }
  }
  StoppedAppend(const StoppedAppend&) = delete;
  StoppedAppend& operator=(const StoppedAppend&) = delete;

 private:
  const AuditSite& site_;
  test_support::Process holder_;
};

}  // namespace plexsphere::soak

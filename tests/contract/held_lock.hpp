// Another database session holds an advisory lock while this lives.
#pragma once

#include <stdexcept>
#include <string>

#include "contract/site.hpp"
#include "support/process.hpp"
#include "support/wait_until.hpp"

namespace plexsphere::contract {

class HeldLock {
 public:
  // `key` is SQL text of the lock's bigint key. Throws when the lock is not got in time.
  HeldLock(Site& site, const std::string& key)
      : site_(site),
        holder_("/usr/bin/psql",
                {"-X", site.deployment().admin_dsn() + " application_name=holder", "-c",
                 "SELECT pg_advisory_lock(" + key + ")", "-c", "SELECT pg_sleep(600)"}) {
    const bool locked = test_support::wait_until(std::chrono::seconds(20), [&] {
      return site_.count(
                 "pg_stat_activity WHERE application_name = 'holder' AND query LIKE "
                 "'%pg_sleep(600)' AND state = 'active'") == 1;
    });
    if (!locked) {
      throw std::runtime_error("the advisory lock " + key + " was not got");
    }
  }
  ~HeldLock() {
    try {
      site_.sql(
          "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity "
          "WHERE application_name = 'holder'");
    } catch (const std::exception&) {
      // The deployment goes with the program.
    }
  }
  HeldLock(const HeldLock&) = delete;
  HeldLock& operator=(const HeldLock&) = delete;

 private:
  Site& site_;
  test_support::Process holder_;
};

}  // namespace plexsphere::contract

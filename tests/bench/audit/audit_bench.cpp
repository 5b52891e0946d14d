// What the audit log costs, each figure beside the machine's own limit in the same run,
// alternating, medians of five rounds:
//
//   decisions     recorded through the wire of px.audit by one caller with 256 outstanding, in one
//                 Domain; beside multi-row plain inserts of the same canonical bytes, 256 to a
//                 statement, into a table with a primary key and nothing around it: no filter
//                 columns and their indexes, no hashes, no salts, no chain. And in sixteen Domains,
//                 beside one.
//   verify        a chain in the database, entry by entry with all its checks; beside hashing the
//                 same bytes in a loop.
//   memory        resident memory that verifying a million entries takes, beside ten thousand.
//   export        `plexctl audit verify` of a directory; beside hashing the same bytes in a loop.
//   registration  the SQL of a registration (../enrol/registration.sql) with the call that appends
//                 its audit rows, by sixteen pgbench clients in sixteen Domains, with fsync; beside
//                 the same without that call.
//
// The first four without fsync: whoever writes pays for COMMIT whether it is audited or not, and a
// slow disk would hide what auditing itself costs.
//
//   bench_audit [--short | PART…]      --short: one quick round, whatever the figures
//                                      PART: decisions, verify, export or registration
#include <sodium.h>

#include <algorithm>
#include <iostream>
#include <string>
#include <vector>

#include "bench/audit/parts.hpp"

namespace {

using namespace plexsphere;

bool run(const bench::Plan& plan, const std::vector<std::string>& parts) {
  const auto wanted = [&](const char* part) {
    return parts.empty() || std::ranges::find(parts, part) != parts.end();
  };
  bool holds = true;
  if (wanted("decisions") || wanted("verify")) {
    audit::test::ChainDatabase database;
    holds = !wanted("decisions") || bench::decisions(plan, database);
    holds = (!wanted("verify") || bench::verification(plan, database)) && holds;
  }
  holds = (!wanted("export") || bench::exports(plan)) && holds;
  return (!wanted("registration") || bench::registrations(plan)) && holds;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    if (sodium_init() < 0) {
      return 1;
    }
    const std::vector<std::string> arguments(argv + 1, argv + argc);
    if (!arguments.empty() && arguments.front() == "--short") {
      using namespace std::chrono_literals;
      (void)run({.rounds = 1,
                 .round = 200ms,
                 .short_chain = 1'000,
                 .long_chain = 5'000,
                 .export_size = 1'000,
                 .registrations = 64},
                {});
      return 0;
    }
    return run({}, arguments) ? 0 : 1;
  } catch (const std::exception& e) {
    std::cerr << "audit: " << e.what() << std::endl;
    return 1;
  }
}

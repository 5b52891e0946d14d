// Tells the audit log, loudly, of operators that came from the administrator and not from the API.
//
// plexsphere-bootstrap cannot write the chain: there is one encoder, and it is in a plugin. So it
// notes the operator in the transaction that makes it, and the core writes the row
// `operator.create` of the platform's chain in the transaction that crosses the note off: once,
// whoever dies when. The job does so within seconds; a token that is presented before has its row
// written first, and opens nothing when that fails.
//
// Thread safety: any thread, after configure; run() on the job's. Blocks.
#pragma once

#include "plexsphere/sdk/jobs.hpp"
#include "plexsphere/sdk/ports/audit.hpp"
#include "plexsphere/sdk/services.hpp"
#include "store/break_glass_store.hpp"

namespace plexsphere::identity {

class BreakGlass {
 public:
  BreakGlass(const BreakGlassStore& operators, sdk::Store store, sdk::Clock clock, sdk::Audit audit,
             sdk::Log log)
      : operators_(operators), store_(store), clock_(clock), audit_(audit), log_(log) {}

  // Has the row of this token's operator written, if it is not there yet.
  sdk::Status tell(const sdk::Uuid& token_id) const;
  // The job: tells of whoever is left.
  sdk::Status run(const sdk::JobRun& job) const;

 private:
  sdk::Status conclude(sdk::Transaction& tx, const std::vector<BreakGlassOperator>& noted) const;

  const BreakGlassStore& operators_;
  sdk::Store store_;
  sdk::Clock clock_;
  sdk::Audit audit_;
  sdk::Log log_;
};

}  // namespace plexsphere::identity

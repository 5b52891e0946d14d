// Declares chains restored to an earlier point, as the database's administrator asks and the
// signer's operator permits.
//
//   [draft]   what the signer signed last, and the newest checkpoint that the chain still has, are
//             put into a statement, which waits in the request
//   [declare] the signer signs it, once its own operator has permitted it word for word; statement,
//             an entry audit.restored and the request's end are one commit
//
// A request alone is worth nothing: whoever can write to the database can make one, and the signer
// does not listen to them. The work of the job audit.declare_restores, which one replica does at a
// time. Everything handed in outlives it.
#pragma once

#include <chrono>
#include <string>
#include <utility>

#include "app/chain_tree.hpp"
#include "app/note_signer.hpp"
#include "app/peppers.hpp"
#include "app/rows.hpp"
#include "plexsphere/sdk/jobs.hpp"
#include "store/audit_store.hpp"
#include "store/epoch_store.hpp"

namespace plexsphere::audit {

class RestoreDeclarer {
 public:
  // Between two attempts, each of which leaves entries: doubled from the first to the last.
  static constexpr std::chrono::seconds kFirstRest{4};
  static constexpr std::chrono::seconds kLongestRest{32};

  struct Parts {
    AuditStore store;
    CheckpointStore checkpoints;
    EpochStore epochs;
    NoteSigner& signer;
    Peppers& peppers;
    sdk::Clock clock;
    sdk::Log log;
  };
  explicit RestoreDeclarer(Parts parts) : parts_(std::move(parts)), tree_(parts_.checkpoints) {}

  // One run of the job: a step of the oldest request.
  sdk::Status run(const sdk::JobRun& job);

 private:
  struct Drafted {
    std::string statement;
    std::string refusal;  // not empty: there is nothing to declare
  };
  sdk::Status draft(const sdk::JobRun& job, const EpochRequest& request);
  sdk::Result<Drafted> statement_about(const EpochRequest& request,
                                       const sdk::LastCheckpoint& last) const;
  // The newest checkpoint that the chain has and is; none of an empty tree. Else why not.
  sdk::Result<std::pair<TreeHead, std::string>> goes_on_from(const sdk::Uuid& chain) const;
  sdk::Status declare(const sdk::JobRun& job, const EpochRequest& request);
  sdk::Status keep(const sdk::JobRun& job, const EpochRequest& request,
                   const SignedText& signed_text, const sdk::RestoreStatement& statement) const;
  sdk::Status refuse(const sdk::JobRun& job, const EpochRequest& request,
                     const std::string& why) const;
  // Remembers what is in the way, and rests.
  sdk::Status wait(const sdk::JobRun& job, const EpochRequest& request, const std::string& why);
  sdk::Result<Row> own_row(const EpochRequest& request,
                           const sdk::RestoreStatement& statement) const;

  const Parts parts_;
  const ChainTree tree_;
  std::chrono::nanoseconds rests_until_{0};  // on the job's thread only, as the next
  std::chrono::seconds rest_ = kFirstRest;
};

}  // namespace plexsphere::audit

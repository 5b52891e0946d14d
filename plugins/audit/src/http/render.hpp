// Entries and verdicts as the API shows them. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "app/erasure.hpp"
#include "app/verifier.hpp"
#include "plexsphere/sdk/checkpoint.hpp"
#include "plexsphere/sdk/merkle.hpp"
#include "plexsphere/sdk/status.hpp"
#include "store/audit_store.hpp"
#include "store/checkpoint_store.hpp"
#include "store/epoch_store.hpp"

namespace plexsphere::audit {

// AuditEntryProof. DATA_LOSS "canonical_bytes": the stored bytes are no entry.
[[nodiscard]] sdk::Result<std::string> render_proof(const StoredEntry& entry);
// AuditEntryList; `next_cursor` is left out when empty.
[[nodiscard]] sdk::Result<std::string> render_list(const std::vector<StoredEntry>& entries,
                                                   const std::string& next_cursor);
// AuditChainVerifyResult.
[[nodiscard]] std::string render_verdict(const Verdict& verdict);

// AuditEraseIdentityResponse.
[[nodiscard]] std::string render_erasure(const Erasure::Outcome& outcome);

// AuditRecordList.
[[nodiscard]] std::string render_records(const std::vector<StoredEntry>& entries);

// Where a chain begins, and the roots of the whole subtrees over the entries before.
struct ChainBeginning {
  sdk::Beginning begins;
  std::vector<std::string> peaks;
};
// AuditCheckpointList. `origin` is that of every note of the chain, and the name of its keys. What
// there is none of is left out.
[[nodiscard]] std::string render_checkpoints(const std::string& origin,
                                             const std::vector<StoredCheckpoint>& checkpoints,
                                             const std::vector<StoredEpoch>& restores,
                                             const ChainBeginning& beginning,
                                             const std::string& next_cursor);

// Hashes are 32 raw bytes.
struct InclusionProof {
  std::string origin;
  std::int64_t seq = 0;
  std::int64_t size = 0;
  std::string entry_hash;
  std::string root;
  sdk::merkle::Proof hashes;
};
[[nodiscard]] std::string render_inclusion(const InclusionProof& proof);

struct ConsistencyProof {
  std::string origin;
  std::int64_t from = 0;
  std::int64_t to = 0;
  std::string from_root;
  std::string to_root;
  sdk::merkle::Proof hashes;
};
[[nodiscard]] std::string render_consistency(const ConsistencyProof& proof);

}  // namespace plexsphere::audit

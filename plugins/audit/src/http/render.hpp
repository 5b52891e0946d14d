// Entries and verdicts as the API shows them. Pure.
#pragma once

#include <string>
#include <vector>

#include "app/erasure.hpp"
#include "app/verifier.hpp"
#include "plexsphere/sdk/status.hpp"
#include "store/audit_store.hpp"

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

}  // namespace plexsphere::audit

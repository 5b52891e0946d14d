// Proofs about an audit chain, to be handed on: that an entry is in a signed checkpoint, and that
// the checkpoint begins with an earlier one. All throw Failure, with the codes of audit_check.hpp.
//
// A proof is one JSON object in a file of its own:
//   format       "plexsphere-audit-proof/1"
//   origin       of the chain
//   checkpoint   the signed note
//   entry, inclusion      the server's record, and RFC 6962's path from it; or both absent
//   earlier, consistency  the earlier note, and RFC 6962's proof; or both absent
//   restores     notes of declared restores; absent without any
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "host/apps/plexctl/client.hpp"
#include "host/apps/plexctl/commands.hpp"

namespace plexsphere::plexctl {

struct ProofRequest {
  std::filesystem::path file;     // to be made
  std::string domain;             // empty: the platform's chain
  std::vector<std::string> keys;  // verifier keys that are trusted
  std::uint64_t entry = 0;        // 0: none
  std::string in;                 // file with a note; empty: the chain's newest checkpoint
  std::string earlier;            // file with an older note; empty: none
};

// Asks the server for the proof, verifies it, and writes it.
std::string prove_audit(const Client& client, const ProofRequest& request, Format format);

// Verifies a proof that was written; asks nobody.
std::string verify_proof(const std::filesystem::path& file, const std::vector<std::string>& keys,
                         Format format);

}  // namespace plexsphere::plexctl

// Signed notes about an audit chain, and what they say: checkpoints, and restores to an earlier
// point that were declared. No network, no database. Findings are Failures, see audit_check.hpp.
//
// Not thread-safe; one chain.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "host/apps/plexctl/failure.hpp"
#include "plexsphere/sdk/checkpoint.hpp"
#include "plexsphere/sdk/restore_statement.hpp"

namespace plexsphere::plexctl {

// The anchor of an origin's chain: a Domain's id, or the platform's. Empty for no origin of ours.
[[nodiscard]] std::string chain_of(const std::string& origin);

[[nodiscard]] Failure tampered(const std::string& what);

// An entry as it is exported. Hashes are raw.
struct ExportedEntry {
  std::uint64_t seq = 0;
  std::string prev_hash;
  std::string entry_hash;
  std::string canonical_bytes;
  std::string content_hash;  // SHA-256 of the bytes, by whoever read the entry
};

// Whether its bytes begin with this chain and its number.
[[nodiscard]] bool names_itself(const ExportedEntry& entry, const std::string& chain);

// Throws where the entry is not what its hash says, or another chain's or number's.
void check_entry(const ExportedEntry& entry, const std::string& chain);

class ChainNotes {
 public:
  // `keys`: whose signatures count, at least one; those of other names are passed over. Throws for
  // an origin that is none.
  ChainNotes(std::string origin, std::vector<sdk::NoteKey> keys);

  const std::string& origin() const { return origin_; }
  const std::string& chain() const { return chain_; }

  // The note's text if a trusted key has signed it. Throws for one whose signature does not hold.
  [[nodiscard]] std::optional<std::string> text(std::string_view note,
                                                const std::string& name) const;
  [[nodiscard]] std::optional<sdk::Checkpoint> checkpoint(std::string_view note,
                                                          const std::string& name) const;

  // A declared restore, the next in order of epochs. One that no trusted key has signed is passed
  // over.
  void restore(std::string_view note);
  [[nodiscard]] const std::vector<sdk::RestoreStatement>& restores() const { return restores_; }
  // The epoch in which a checkpoint of so many entries of this chain is.
  [[nodiscard]] std::uint64_t epoch_at(std::uint64_t size) const;
  // The restore that a checkpoint was lost in, or null.
  [[nodiscard]] const sdk::RestoreStatement* lost_in(const sdk::Checkpoint& checkpoint) const;

 private:
  std::string origin_;
  std::string chain_;
  std::vector<sdk::NoteKey> keys_;
  std::vector<sdk::RestoreStatement> restores_;  // ascending
};

}  // namespace plexsphere::plexctl

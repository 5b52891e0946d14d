// What an export of an audit chain is worth: its entries against each other, and against
// checkpoints that are signed under keys one trusts. No network, no database; memory does not grow
// with the chain.
//
//   ChainCheck check(origin, chain, keys);
//   for (note) check.checkpoint(note);     // ascending
//   for (entry) check.entry(entry);        // from 1
//   Verified all = check.finish();
//
// Every finding is a Failure, with the code of its kind:
//   tampered    entries or notes are not what was signed, or no chain at all
//   truncated   entries that a checkpoint of the export covers are missing at the end
//   incomplete  something else is missing: an entry in between, or a checkpoint that is trusted
//   restored    all holds, and yet a note from before covers more: the chain was set back
//
// Not thread-safe; one chain.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "plexsphere/sdk/checkpoint.hpp"
#include "plexsphere/sdk/merkle.hpp"

namespace plexsphere::plexctl {

// An entry as it is exported. Hashes are raw.
struct ExportedEntry {
  std::uint64_t seq = 0;
  std::string prev_hash;
  std::string entry_hash;
  std::string canonical_bytes;
};

struct Verified {
  std::uint64_t entries = 0;
  std::uint64_t checkpoints = 0;  // that are trusted
  std::uint64_t covered = 0;      // entries that the newest of these covers
};

// The anchor of an origin's chain: a Domain's id, or the platform's. Empty for no origin of ours.
[[nodiscard]] std::string chain_of(const std::string& origin);

class ChainCheck {
 public:
  // `keys`: whose signatures count, at least one; those of other names are passed over.
  ChainCheck(std::string origin, std::vector<sdk::NoteKey> keys);

  // A note of the export, the next in order of sizes. One that no trusted key has signed is passed
  // over.
  void checkpoint(std::string_view note);
  // A note that was kept from before the export was made.
  void earlier(std::string_view note);
  // The next entry; after all notes.
  void entry(const ExportedEntry& entry);
  // After the last entry.
  [[nodiscard]] Verified finish() const;

 private:
  // The checkpoint if a trusted key has signed it. Throws Failure for one whose signature does not
  // hold, or of another chain.
  [[nodiscard]] std::vector<sdk::Checkpoint> trusted(std::string_view note,
                                                     const std::string& name) const;
  [[nodiscard]] bool names_itself(const ExportedEntry& entry) const;
  void hold_against_tree(const std::vector<sdk::Checkpoint>& checkpoints, std::size_t& next) const;

  std::string origin_;
  std::string chain_;
  std::string head_;  // of every entry's bytes, up to its number
  std::vector<sdk::NoteKey> keys_;
  std::vector<sdk::Checkpoint> checkpoints_;  // ascending, as earlier_
  std::vector<sdk::Checkpoint> earlier_;
  std::size_t next_checkpoint_ = 0;
  std::size_t next_earlier_ = 0;
  sdk::merkle::CompactRange tree_;
  std::string previous_;
};

}  // namespace plexsphere::plexctl

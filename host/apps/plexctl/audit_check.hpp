// What an export of an audit chain is worth: its entries against each other, and against
// checkpoints that are signed under keys one trusts. No network, no database; memory does not grow
// with the chain.
//
//   ChainCheck check(origin, chain, keys);
//   for (note) check.restore(note);        // ascending
//   for (note) check.checkpoint(note);     // ascending
//   for (entry) check.entry(entry);        // from 1
//   Verified all = check.finish();
//
// Every finding is a Failure, with the code of its kind:
//   tampered    entries or notes are not what was signed, or no chain at all
//   truncated   entries that a checkpoint of the export, or a note from before, covers are missing
//               at the end
//   incomplete  something else is missing: an entry in between, or a checkpoint that is trusted and
//               covers the last of them
//   restored    all holds, and the chain was set back to an earlier point, as its operator and the
//               signer have declared; unless a note from before is newer than that
//
// Not thread-safe; one chain.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "host/apps/plexctl/audit_notes.hpp"
#include "plexsphere/sdk/checkpoint.hpp"
#include "plexsphere/sdk/merkle.hpp"

namespace plexsphere::plexctl {

struct Verified {
  std::uint64_t entries = 0;
  std::uint64_t checkpoints = 0;  // that are trusted
  std::uint64_t covered = 0;      // entries that the newest of these covers
  std::uint64_t left = 0;         // of these, that had left before the export
};

class ChainCheck {
 public:
  // `keys`: whose signatures count, at least one; those of other names are passed over.
  ChainCheck(std::string origin, std::vector<sdk::NoteKey> keys);

  // What the export begins after: the number and hash of that entry, and the roots of the whole
  // subtrees over the entries up to it. Before anything else; whether they may have left is for the
  // newest checkpoint to say.
  void begin(const sdk::Beginning& begins, const std::vector<std::string>& peaks);
  // A declared restore of the export, the next in order of epochs. One that no trusted key has
  // signed is passed over.
  void restore(std::string_view note) { notes_.restore(note); }
  // A note of the export, the next in order of sizes; likewise.
  void checkpoint(std::string_view note);
  // A note that was kept from before the export was made.
  void earlier(std::string_view note);
  // The next entry; after all notes.
  void entry(const ExportedEntry& entry);
  // After the last entry.
  [[nodiscard]] Verified finish() const;

 private:
  struct Gap {
    std::uint64_t missing = 0;
    std::uint64_t came = 0;  // in its place
  };
  // An entry that is not the next. Throws Failure unless it may be missing.
  void out_of_order(const ExportedEntry& entry);
  // The newest restore that no note from before knows of, or null.
  [[nodiscard]] const sdk::RestoreStatement* news() const;
  void hold_against_tree(const std::vector<sdk::Checkpoint>& checkpoints, std::size_t& next) const;

  ChainNotes notes_;
  sdk::Beginning begins_;
  std::vector<sdk::Checkpoint> checkpoints_;  // ascending, as earlier_
  std::vector<sdk::Checkpoint> earlier_;
  // Where the order broke: from then on only the number that is missing is looked for.
  std::optional<Gap> gap_;
  bool lost_ = false;  // a note from before is of what a restore lost
  std::size_t next_checkpoint_ = 0;
  std::size_t next_earlier_ = 0;
  sdk::merkle::CompactRange tree_;
  std::string previous_;
};

}  // namespace plexsphere::plexctl

// Whether the files of an export agree with each other. What a note is signed over is said again
// beside it, and a checkpoint leaves an entry of its own in the chain; so a line that was changed,
// and a checkpoint that was left out, show although every signature that is left holds.
//
//   ExportAgreement files(about);          // chain.json
//   for (line) files.checkpoint(line);     // checkpoints.jsonl
//   for (entry) files.entry(entry);
//   files.finish(entries);
//
// Every finding is a Failure: tampered, or incomplete for a checkpoint that is not there. Not
// thread-safe; one export.
#pragma once

#include <cstdint>
#include <set>
#include <string>

#include "host/apps/plexctl/audit_check.hpp"
#include "host/apps/plexctl/json_text.hpp"

namespace plexsphere::plexctl {

class ExportAgreement {
 public:
  explicit ExportAgreement(std::uint64_t entries) : entries_(entries) {}

  // The next line of checkpoints.jsonl: size, root and key are those of its note.
  void checkpoint(const Json& line);
  void entry(const ExportedEntry& entry) const;
  // After `entries` entries.
  void finish(std::uint64_t entries) const;

 private:
  std::uint64_t entries_;
  std::set<std::uint64_t> sizes_;  // of checkpoints
};

}  // namespace plexsphere::plexctl

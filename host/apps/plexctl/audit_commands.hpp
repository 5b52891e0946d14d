// Taking an audit chain home, and verifying there what was taken. The texts end in a newline. All
// throw Failure.
//
// An export is a directory:
//   chain.json         {"format": "plexsphere-audit-export/1", "origin": …, "entries": …}; last
//   checkpoints.jsonl  the server's items, a line each: size, root_hash, key_id, verifier_key, note
//   restores.jsonl     the same of declared restores: epoch, verifier_key, note; absent without any
//   begins.json        where the chain begins, if not with entry 1: seq and entry_hash of the entry
//                      before, peaks
//   entries.jsonl      the same: seq, prev_hash, entry_hash, canonical_bytes
#pragma once

#include <filesystem>
#include <iosfwd>
#include <string>
#include <vector>

#include "host/apps/plexctl/client.hpp"
#include "host/apps/plexctl/commands.hpp"

namespace plexsphere::plexctl {

// The entries that the chain's newest checkpoint covers, and all checkpoints, into a new or empty
// directory. `domain` empty: the platform's chain. Tells the progress on `err`.
std::string export_audit(const Client& client, const std::filesystem::path& directory,
                         const std::string& domain, Format format, std::ostream& err);

// `keys`: verifier keys (C2SP signed-note) that are trusted. `earlier`: files with notes that were
// kept from before the export. `directory` may be the file of a proof. Asks nobody. Failure: see
// audit_check.hpp; `invalid` for a key that is none.
std::string verify_audit(const std::filesystem::path& directory,
                         const std::vector<std::string>& keys,
                         const std::vector<std::string>& earlier, Format format);

}  // namespace plexsphere::plexctl

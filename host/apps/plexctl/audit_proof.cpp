#include "host/apps/plexctl/audit_proof.hpp"

#include <fstream>
#include <functional>

#include "host/apps/plexctl/audit_files.hpp"
#include "host/apps/plexctl/audit_notes.hpp"
#include "host/apps/plexctl/digest.hpp"
#include "host/apps/plexctl/identity_commands.hpp"
#include "host/apps/plexctl/json_text.hpp"

namespace plexsphere::plexctl {
namespace {

namespace fs = std::filesystem;

constexpr const char* kFormat = "plexsphere-audit-proof/1";
constexpr const char* kChecked = "the checkpoint";
constexpr const char* kEarlier = "the earlier checkpoint";

std::string entries(std::uint64_t count) {
  return std::to_string(count) + " entries";
}

// The note's checkpoint, which a trusted key has signed and no declared restore has lost.
sdk::Checkpoint standing(const ChainNotes& notes, const std::string& note, const char* name) {
  const auto found = notes.checkpoint(note, name);
  if (!found) {
    throw Failure(ExitCode::incomplete,
                  "incomplete: " + std::string(name) + " is not signed under a key that you trust");
  }
  if (const auto* restore = notes.lost_in(*found)) {
    throw Failure(ExitCode::restored,
                  "restored: " + std::string(name) + ", of " + entries(found->size) +
                      ", is of before the chain was set back to " + entries(restore->after.size) +
                      ", as declared (epoch " + std::to_string(restore->epoch) + ", \"" +
                      restore->reason + "\"); there is no proof against it any more");
  }
  return *found;
}

ChainNotes notes_of(const Json& proof, const std::vector<std::string>& keys) {
  ChainNotes notes(text_at(proof, "origin"), trusted_keys(keys));
  if (const auto at = proof.find("restores"); at != proof.end() && at->is_array()) {
    for (const Json& note : *at) {
      notes.restore(note.is_string() ? note.get<std::string>() : std::string());
    }
  }
  return notes;
}

// What the proof proves; throws where it does not.
Json checked(const Json& proof, const std::vector<std::string>& keys) {
  const ChainNotes notes = notes_of(proof, keys);
  const sdk::Checkpoint checkpoint = standing(notes, text_at(proof, "checkpoint"), kChecked);
  Json out{{"origin", notes.origin()}, {"size", checkpoint.size}};
  if (proof.contains("entry")) {
    const ExportedEntry entry = entry_of(proof["entry"]);
    check_entry(entry, notes.chain());
    if (entry.seq == 0 ||
        !sdk::merkle::verify_inclusion(&sha256, sdk::merkle::leaf_hash(&sha256, entry.entry_hash),
                                       entry.seq - 1, checkpoint.size,
                                       hashes_at(proof, "inclusion"), checkpoint.root)) {
      throw tampered("entry " + std::to_string(entry.seq) +
                     " is not proved to be in the checkpoint");
    }
    out["entry"] = entry.seq;
  }
  if (proof.contains("earlier")) {
    const sdk::Checkpoint earlier = standing(notes, text_at(proof, "earlier"), kEarlier);
    if (!sdk::merkle::verify_consistency(&sha256, earlier.size, checkpoint.size,
                                         hashes_at(proof, "consistency"), earlier.root,
                                         checkpoint.root)) {
      throw tampered("the checkpoint of " + entries(checkpoint.size) +
                     " is not proved to begin with that of " + entries(earlier.size));
    }
    out["extends"] = earlier.size;
  }
  if (!out.contains("entry") && !out.contains("extends")) {
    throw Failure(ExitCode::incomplete, "incomplete: the proof is about nothing");
  }
  return out;
}

std::string told(const Json& proved, Format format) {
  if (format == Format::json) {
    return pretty(proved);
  }
  const std::string checkpoint = "the checkpoint of " + text_at(proved, "size") + " entries";
  std::string out;
  if (proved.contains("entry")) {
    out += "proved: entry " + text_at(proved, "entry") + " is in " + checkpoint + "\n";
  }
  if (proved.contains("extends")) {
    out += "proved: " + checkpoint + " begins with that of " + text_at(proved, "extends") +
           " entries\n";
  }
  return out;
}

// What the server answers about a checkpoint that is held; one that it has no longer covered is one
// whose end is gone.
Json ask(const Client& client, const std::string& path, const sdk::Checkpoint& checkpoint) {
  try {
    return client.get(path);
  } catch (const Failure& failure) {
    if (failure.code() != ExitCode::not_found) {
      throw;
    }
    throw Failure(ExitCode::truncated, "truncated: the server has no checkpoint that covers the " +
                                           entries(checkpoint.size) + " of the note you hold");
  }
}

void add_entry(const Client& client, const std::string& chain, std::uint64_t seq,
               const sdk::Checkpoint& checkpoint, Json& proof) {
  const std::string number = std::to_string(seq);
  if (seq > checkpoint.size) {
    throw Failure(
        ExitCode::invalid,
        "entry " + number + " is not in the checkpoint, which covers " + entries(checkpoint.size));
  }
  proof["inclusion"] =
      ask(client,
          chain + "/proofs/inclusion?seq=" + number + "&size=" + std::to_string(checkpoint.size),
          checkpoint)["hashes"];
  const Json records = client.get(chain + "/records?from=" + number + "&limit=1");
  const Json& items = items_of(records);
  if (items.empty() || number_at(items.front(), "seq") != seq) {
    throw Failure(ExitCode::incomplete, "incomplete: entry " + number + " is missing");
  }
  proof["entry"] = items.front();
}

void add_earlier(const Client& client, const std::string& chain, const std::string& note,
                 const sdk::Checkpoint& checkpoint, const ChainNotes& notes, Json& proof) {
  const sdk::Checkpoint earlier = standing(notes, note, kEarlier);
  if (earlier.size > checkpoint.size) {
    throw Failure(ExitCode::invalid, "the earlier checkpoint covers " + entries(earlier.size) +
                                         ", and the other " + std::to_string(checkpoint.size));
  }
  proof["earlier"] = note;
  proof["consistency"] = ask(client,
                             chain + "/proofs/consistency?from=" + std::to_string(earlier.size) +
                                 "&to=" + std::to_string(checkpoint.size),
                             checkpoint)["hashes"];
}

void write_new(const fs::path& file, const Json& proof) {
  if (fs::exists(file)) {
    throw Failure(ExitCode::invalid, "'" + file.string() + "' is there already");
  }
  std::ofstream out(file);
  out << proof.dump(2) << '\n';
  out.close();
  if (!out) {
    throw Failure(ExitCode::failed, "'" + file.string() + "' could not be written");
  }
}

}  // namespace

std::string prove_audit(const Client& client, const ProofRequest& request, Format format) {
  if (request.entry == 0 && request.earlier.empty()) {
    throw Failure(ExitCode::invalid, "--entry or --earlier says what is to be proved");
  }
  const std::string chain = chain_path(request.domain);
  const Json list = client.get(chain + "/checkpoints?limit=1");
  Json proof{{"format", kFormat}, {"origin", text_at(list, "origin")}};
  if (const auto at = list.find("restores"); at != list.end() && at->is_array()) {
    for (const Json& item : *at) {
      proof["restores"].push_back(text_at(item, "note"));
    }
  }
  const ChainNotes notes = notes_of(proof, request.keys);
  proof["checkpoint"] = request.in.empty() ? client.get_text(chain + "/checkpoint")
                                           : read_note(request.in, ExitCode::invalid);
  const sdk::Checkpoint checkpoint = standing(notes, text_at(proof, "checkpoint"), kChecked);
  if (request.entry != 0) {
    add_entry(client, chain, request.entry, checkpoint, proof);
  }
  if (!request.earlier.empty()) {
    add_earlier(client, chain, read_note(request.earlier, ExitCode::invalid), checkpoint, notes,
                proof);
  }
  const Json proved = checked(proof, request.keys);
  write_new(request.file, proof);
  return told(proved, format);
}

std::string verify_proof(const fs::path& file, const std::vector<std::string>& keys,
                         Format format) {
  std::ifstream in(file);
  const Json proof = Json::parse(in, nullptr, false);
  if (!proof.is_object() || text_at(proof, "format") != kFormat) {
    throw Failure(ExitCode::incomplete,
                  "incomplete: '" + file.string() + "' is no proof, and no export's directory");
  }
  return told(checked(proof, keys), format);
}

}  // namespace plexsphere::plexctl

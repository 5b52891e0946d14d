#include "host/apps/plexctl/audit_agreement.hpp"

#include <charconv>
#include <string_view>

#include "host/apps/plexctl/digest.hpp"
#include "host/apps/plexctl/failure.hpp"
#include "plexsphere/sdk/checkpoint.hpp"
#include "plexsphere/sdk/encoding.hpp"

namespace plexsphere::plexctl {
namespace {

bool signed_by(const sdk::SignedNote& note, const std::string& verifier_key) {
  const auto key = sdk::parse_verifier_key(&sha256, verifier_key);
  const auto* signature = key ? sdk::signature_by(&sha256, note, *key) : nullptr;
  return signature != nullptr && verify_ed25519(key->public_key, note.text, signature->signature);
}

// The size of the checkpoint whose own entry these bytes are; 0 for any other. Within a string
// every quote is escaped, so these members are found nowhere but in their place. Sought by the
// comma before them, for commas are few.
std::uint64_t told_by(std::string_view canonical) {
  constexpr std::string_view kOwn =
      R"(,"relation":"audit.checkpoint","object_type":"audit_checkpoint","object_id":")";
  const std::size_t at = canonical.find(kOwn);
  std::uint64_t size = 0;
  if (at != std::string_view::npos) {
    const std::string_view rest = canonical.substr(at + kOwn.size());
    std::from_chars(rest.data(), rest.data() + rest.size(), size);
  }
  return size;
}

}  // namespace

void ExportAgreement::checkpoint(const Json& line) {
  const auto note = sdk::parse_note(text_at(line, "note"));
  const auto checkpoint = note ? sdk::parse_checkpoint(note->text) : std::nullopt;
  const std::string name = "checkpoint " + std::to_string(sizes_.size() + 1);
  if (!checkpoint) {
    throw Failure(ExitCode::tampered, "tampered: " + name + " is no signed checkpoint");
  }
  if (number_at(line, "size") != checkpoint->size ||
      text_at(line, "root_hash") != sdk::hex_encode(checkpoint->root)) {
    throw Failure(ExitCode::tampered,
                  "tampered: what stands beside the note of " + name + " is not what it says");
  }
  if (!signed_by(*note, text_at(line, "verifier_key"))) {
    throw Failure(ExitCode::tampered,
                  "tampered: " + name + " is not signed under the key that stands beside it");
  }
  sizes_.insert(checkpoint->size);
}

void ExportAgreement::entry(const ExportedEntry& entry) const {
  const std::uint64_t size = told_by(entry.canonical_bytes);
  if (size > 0 && !sizes_.contains(size)) {
    throw Failure(ExitCode::incomplete, "incomplete: entry " + std::to_string(entry.seq) +
                                            " tells of a checkpoint of " + std::to_string(size) +
                                            " entries, and it is missing");
  }
}

void ExportAgreement::finish(std::uint64_t entries) const {
  if (entries != entries_) {
    throw Failure(ExitCode::tampered, "tampered: chain.json speaks of " + std::to_string(entries_) +
                                          " entries, and there are " + std::to_string(entries));
  }
}

}  // namespace plexsphere::plexctl

#include "host/apps/plexctl/audit_notes.hpp"

#include <algorithm>
#include <charconv>
#include <utility>

#include "host/apps/plexctl/digest.hpp"
#include "host/apps/plexctl/failure.hpp"

namespace plexsphere::plexctl {
namespace {

constexpr std::string_view kPlatformChain = "00000000-0000-7000-8000-000000000001";

}  // namespace

Failure tampered(const std::string& what) {
  return {ExitCode::tampered, "tampered: " + what};
}

std::string chain_of(const std::string& origin) {
  const std::string domain = sdk::checkpoint::origin_of("domain:");
  if (origin == sdk::checkpoint::origin_of("platform")) {
    return std::string(kPlatformChain);
  }
  return origin.starts_with(domain) ? origin.substr(domain.size()) : std::string();
}

ChainNotes::ChainNotes(std::string origin, std::vector<sdk::NoteKey> keys)
    : origin_(std::move(origin)), chain_(chain_of(origin_)), keys_(std::move(keys)) {
  if (chain_.empty()) {
    throw Failure(ExitCode::incomplete,
                  "incomplete: '" + origin_ + "' is no origin of an audit chain");
  }
}

std::optional<std::string> ChainNotes::text(std::string_view note, const std::string& name) const {
  const auto read = sdk::parse_note(note);
  if (!read) {
    throw tampered(name + " is no signed note");
  }
  for (const sdk::NoteKey& key : keys_) {
    const auto* signature = key.name == origin_ ? sdk::signature_by(&sha256, *read, key) : nullptr;
    if (signature == nullptr) {
      continue;
    }
    if (!verify_ed25519(key.public_key, read->text, signature->signature)) {
      throw tampered("the signature of " + name + " does not verify");
    }
    return read->text;
  }
  return std::nullopt;
}

std::optional<sdk::Checkpoint> ChainNotes::checkpoint(std::string_view note,
                                                      const std::string& name) const {
  const auto read = sdk::parse_note(note);
  const auto checkpoint = read ? sdk::parse_checkpoint(read->text) : std::nullopt;
  if (!checkpoint) {
    throw tampered(name + " is no signed checkpoint");
  }
  if (checkpoint->origin != origin_) {
    throw tampered(name + " is of '" + checkpoint->origin + "', not of '" + origin_ + "'");
  }
  return text(note, name) ? checkpoint : std::nullopt;
}

void ChainNotes::restore(std::string_view note) {
  const std::string name = "declared restore " + std::to_string(restores_.size() + 1);
  const auto signed_text = text(note, name);
  if (!signed_text) {
    return;
  }
  auto statement = sdk::parse_restore(*signed_text);
  if (!statement || statement->origin != origin_) {
    throw tampered(name + " is no statement about this chain");
  }
  if (!restores_.empty() && (statement->epoch <= restores_.back().epoch ||
                             statement->after.size < restores_.back().after.size)) {
    throw tampered(name + " does not come after the one before it");
  }
  restores_.push_back(std::move(*statement));
}

std::uint64_t ChainNotes::epoch_at(std::uint64_t size) const {
  std::uint64_t epoch = 1;
  for (const sdk::RestoreStatement& each : restores_) {
    epoch = each.after.size < size ? each.epoch : epoch;
  }
  return epoch;
}

const sdk::RestoreStatement* ChainNotes::lost_in(const sdk::Checkpoint& checkpoint) const {
  const auto at = std::find_if(restores_.begin(), restores_.end(), [&](const auto& each) {
    return each.epoch > checkpoint.epoch && each.after.size < checkpoint.size;
  });
  return at == restores_.end() ? nullptr : &*at;
}

bool names_itself(const ExportedEntry& entry, const std::string& chain) {
  char number[24];
  char* const end = std::to_chars(number, number + sizeof number - 1, entry.seq).ptr;
  *end = ',';
  std::string_view left = entry.canonical_bytes;
  for (const std::string_view part :
       {std::string_view(R"({"v":1,"chain":")"), std::string_view(chain),
        std::string_view(R"(","seq":)"), std::string_view(number, end + 1)}) {
    if (!left.starts_with(part)) {
      return false;
    }
    left.remove_prefix(part.size());
  }
  return true;
}

void check_entry(const ExportedEntry& entry, const std::string& chain) {
  const auto bytes = [&] { return "the bytes of entry " + std::to_string(entry.seq); };
  if (entry.entry_hash != sha256(entry.prev_hash + entry.content_hash)) {
    throw tampered(bytes() + " are not those of its hash");
  }
  if (!names_itself(entry, chain)) {
    throw tampered(bytes() + " are those of another entry or chain");
  }
}

}  // namespace plexsphere::plexctl

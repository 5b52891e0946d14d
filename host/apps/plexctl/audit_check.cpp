#include "host/apps/plexctl/audit_check.hpp"

#include <algorithm>
#include <utility>

#include "host/apps/plexctl/digest.hpp"
#include "host/apps/plexctl/failure.hpp"

namespace plexsphere::plexctl {
namespace {

constexpr std::string_view kPlatformChain = "00000000-0000-7000-8000-000000000001";

Failure tampered(const std::string& what) {
  return {ExitCode::tampered, "tampered: " + what};
}

std::string entry_name(std::uint64_t seq) {
  return "entry " + std::to_string(seq);
}

}  // namespace

std::string chain_of(const std::string& origin) {
  const std::string domain = sdk::checkpoint::origin_of("domain:");
  if (origin == sdk::checkpoint::origin_of("platform")) {
    return std::string(kPlatformChain);
  }
  return origin.starts_with(domain) ? origin.substr(domain.size()) : std::string();
}

ChainCheck::ChainCheck(std::string origin, std::vector<sdk::NoteKey> keys)
    : origin_(std::move(origin)),
      chain_(chain_of(origin_)),
      head_(R"({"v":1,"chain":")" + chain_ + R"(","seq":)"),
      keys_(std::move(keys)),
      tree_(&sha256),
      previous_(sdk::merkle::kHashSize, '\0') {
  if (chain_.empty()) {
    throw Failure(ExitCode::incomplete,
                  "incomplete: '" + origin_ + "' is no origin of an audit chain");
  }
}

std::vector<sdk::Checkpoint> ChainCheck::trusted(std::string_view note,
                                                 const std::string& name) const {
  const auto read = sdk::parse_note(note);
  auto checkpoint = read ? sdk::parse_checkpoint(read->text) : std::nullopt;
  if (!checkpoint) {
    throw tampered(name + " is no signed checkpoint");
  }
  if (checkpoint->origin != origin_) {
    throw tampered(name + " is of '" + checkpoint->origin + "', not of '" + origin_ + "'");
  }
  for (const sdk::NoteKey& key : keys_) {
    const auto* signature = key.name == origin_ ? sdk::signature_by(&sha256, *read, key) : nullptr;
    if (signature == nullptr) {
      continue;
    }
    if (!verify_ed25519(key.public_key, read->text, signature->signature)) {
      throw tampered("the signature of " + name + " does not verify");
    }
    return {std::move(*checkpoint)};
  }
  return {};
}

void ChainCheck::checkpoint(std::string_view note) {
  for (sdk::Checkpoint& each :
       trusted(note, "checkpoint " + std::to_string(checkpoints_.size() + 1))) {
    if (!checkpoints_.empty() && each.size <= checkpoints_.back().size) {
      throw tampered("a checkpoint of " + std::to_string(each.size) +
                     " entries comes after one of " + std::to_string(checkpoints_.back().size));
    }
    checkpoints_.push_back(std::move(each));
  }
}

void ChainCheck::earlier(std::string_view note) {
  const auto found = trusted(note, "the note from before");
  if (found.empty()) {
    throw Failure(ExitCode::incomplete,
                  "incomplete: the note from before is not signed under a key that you trust");
  }
  earlier_.insert(std::upper_bound(earlier_.begin(), earlier_.end(), found.front(),
                                   [](const auto& a, const auto& b) { return a.size < b.size; }),
                  found.front());
}

void ChainCheck::entry(const ExportedEntry& entry) {
  const std::uint64_t seq = tree_.size() + 1;
  if (entry.seq != seq) {
    throw Failure(ExitCode::incomplete, "incomplete: " + entry_name(seq) + " is missing; " +
                                            entry_name(entry.seq) + " comes in its place");
  }
  if (entry.prev_hash != previous_) {
    throw tampered(entry_name(seq) + " does not follow from the entry before it");
  }
  if (entry.entry_hash != sha256(previous_ + sha256(entry.canonical_bytes))) {
    throw tampered("the bytes of " + entry_name(seq) + " are not those of its hash");
  }
  if (!names_itself(entry)) {
    throw tampered("the bytes of " + entry_name(seq) + " are those of another entry or chain");
  }
  previous_ = entry.entry_hash;
  tree_.append(sdk::merkle::leaf_hash(&sha256, entry.entry_hash));
  hold_against_tree(checkpoints_, next_checkpoint_);
  hold_against_tree(earlier_, next_earlier_);
}

bool ChainCheck::names_itself(const ExportedEntry& entry) const {
  const std::string_view bytes = entry.canonical_bytes;
  return bytes.starts_with(head_) &&
         bytes.substr(head_.size()).starts_with(std::to_string(entry.seq) + ",");
}

void ChainCheck::hold_against_tree(const std::vector<sdk::Checkpoint>& checkpoints,
                                   std::size_t& next) const {
  for (; next < checkpoints.size() && checkpoints[next].size <= tree_.size(); ++next) {
    if (checkpoints[next].size == tree_.size() && checkpoints[next].root != tree_.root()) {
      throw tampered("the first " + std::to_string(tree_.size()) +
                     " entries are not those of a signed checkpoint");
    }
  }
}

Verified ChainCheck::finish() const {
  if (checkpoints_.empty()) {
    throw Failure(ExitCode::incomplete,
                  "incomplete: no checkpoint is signed under a key that you trust");
  }
  const std::uint64_t covered = checkpoints_.back().size;
  if (tree_.size() < covered) {
    throw Failure(ExitCode::truncated, "truncated: a checkpoint covers " + std::to_string(covered) +
                                           " entries, and there are " +
                                           std::to_string(tree_.size()));
  }
  if (!earlier_.empty() && earlier_.back().size > tree_.size()) {
    throw Failure(ExitCode::restored,
                  "restored: a note from before covers " + std::to_string(earlier_.back().size) +
                      " entries; what there is, " + std::to_string(tree_.size()) +
                      ", holds, so the chain was set back to an earlier point");
  }
  return {tree_.size(), checkpoints_.size(), covered};
}

}  // namespace plexsphere::plexctl

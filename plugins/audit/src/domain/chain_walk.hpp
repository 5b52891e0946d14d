// Walks a chain entry by entry and says where it stops being one.
//
//   entry_hash = sha256(prev_hash ‖ sha256(canonical_bytes)), genesis has 32 zero bytes before it.
//
// Pure: the hash is handed in. Not thread-safe; one walk per chain and segment.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace plexsphere::audit {

enum class Finding {
  missing_entry,        // a seq between two stored ones, or up to the head, is not there
  broken_link,          // prev_hash is not the hash of the entry before
  hash_mismatch,        // entry_hash is not the hash of prev_hash and canonical_bytes
  content_differs,      // canonical_bytes name another chain or seq, or the filter columns another
                        // value
  duplicate_entry,      // a seq is there more than once
  stray_entry,          // an entry below 1, or beyond the one that the head names
  context_differs,      // what is kept of where the request came from is not what was hashed
  subject_differs,      // who the entry's pseudonym is said to be is somebody else
  head_mismatch,        // the chain's head names another last entry
  rewritten,            // the entry is another than when it was read before, or is gone
  checkpoint_mismatch,  // the entries up to it are not those of a signed checkpoint, or of its tree
  set_back,             // what the signer signed last is not in the chain: it was cut, rewritten or
                        // restored without a declaration
  mirror_divergence,    // the entry's copy in the object store is gone or says something else
};

[[nodiscard]] std::string_view finding_name(Finding finding);

// One stored entry. Views live for the call.
struct Link {
  std::int64_t seq = 0;
  std::string_view prev_hash;  // 32 raw bytes, as entry_hash
  std::string_view entry_hash;
  std::string_view canonical_bytes;
  bool columns_match = true;  // the filter columns say what canonical_bytes say
};

struct Divergence {
  std::int64_t seq = 0;
  Finding finding = Finding::hash_mismatch;
  // Recomputed; none for an entry that is not there. Of a checkpoint_mismatch the root that was
  // signed.
  std::optional<std::string> expected;
  std::optional<std::string> observed;  // stored; of a checkpoint_mismatch the root as it is now
};

inline constexpr std::size_t kHashSize = 32;

class ChainWalk {
 public:
  // sha256(prev ‖ sha256(canonical)), 32 raw bytes.
  using Hash = std::string (*)(std::string_view prev, std::string_view canonical);

  // Begins at `first_seq` >= 1. `predecessor` is the stored hash of the entry before, or nothing
  // when it has left the hot store: then the first link is taken as it stands.
  ChainWalk(Hash hash, std::string head, std::int64_t first_seq,
            std::optional<std::string> predecessor);

  // The divergence at this entry, if there is one; the walk is over then.
  [[nodiscard]] std::optional<Divergence> step(const Link& link);
  // After the last entry: the walk must have reached `last`, and where that is the end of the
  // chain, with the hash that its head names.
  [[nodiscard]] std::optional<Divergence> finish(std::int64_t last,
                                                 const std::optional<std::string>& head_hash) const;

  // Of the last entry that fitted; first_seq - 1 before the first step.
  [[nodiscard]] std::int64_t last_seq() const { return next_seq_ - 1; }
  // Its hash, or the predecessor's; empty where that is unknown.
  [[nodiscard]] std::string last_hash() const { return previous_.value_or(std::string()); }
  [[nodiscard]] std::int64_t steps() const { return steps_; }

 private:
  [[nodiscard]] bool names_itself(const Link& link) const;

  Hash hash_;
  std::string head_;
  std::int64_t next_seq_;
  std::int64_t steps_ = 0;
  std::optional<std::string> previous_;
};

}  // namespace plexsphere::audit

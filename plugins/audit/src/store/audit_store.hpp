// The tables and the append function of the schema `audit`, in the shape the rest of the context
// uses. Declared once in configure; afterwards any thread, every call blocks on the database.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "app/entry.hpp"
#include "domain/chain_walk.hpp"
#include "plexsphere/sdk/store.hpp"

namespace plexsphere::audit {

struct SealedPepper {
  sdk::Uuid wrap_key_id;
  std::string blob;
};

// What an erasure deleted.
struct Erased {
  std::int64_t subjects = 0;
  std::int64_t contexts = 0;
};

struct ChainHead {
  std::int64_t seq = 0;
  std::string entry_hash;
};

// The filters of a list, AND-composed.
struct EntryFilter {
  std::optional<std::string> subject_pseudonym;  // 32 raw bytes
  std::optional<std::string> relation;
  std::optional<std::string> object_type;
  std::optional<std::string> object_id;
  std::optional<std::string> object_pseudonym;  // hex; what stands for object_id if it is a person
  std::optional<std::string> reason;
  std::optional<sdk::Instant> from;  // inclusive, as `to`
  std::optional<sdk::Instant> to;
  std::optional<std::string> correlation_id;
};

// A stored entry with its erasable siblings, which are absent after erasure.
struct StoredEntry {
  std::int64_t seq = 0;
  std::string canonical_bytes;
  std::string prev_hash;
  std::string entry_hash;
  std::optional<std::string> archive_etag;
  std::optional<sdk::Instant> archived_at;
  std::optional<std::string> subject_type;
  std::optional<std::string> subject_plaintext;
  std::optional<std::string> source_ip;
  std::optional<std::string> user_agent;
  std::optional<std::string> object_person;  // who the object is, where that is a person
};

// A chain whose last entry is not what its head says.
struct HeadFault {
  sdk::Uuid chain;
  std::int64_t seq = 0;  // of the head, or of the last entry where there is no head
  std::optional<std::string> head_hash;
  std::optional<std::string> last_hash;
};

// A checkpoint that covers more entries than its chain has.
struct CheckpointBeyond {
  sdk::Uuid chain;
  std::int64_t size = 0;
  std::string root;
};

// Who a pseudonym of a chain is said to be.
struct NamedSubject {
  std::string pseudonym;  // 32 raw bytes
  std::string type;
  std::string plaintext;
};

class AuditStore {
 public:
  AuditStore() = default;
  // [init]
  static sdk::Result<AuditStore> declare(const sdk::Store& store);

  const sdk::Store& store() const { return store_; }

  // Sorts `rows` by chain, keeping the order within one, and writes them in one call. Works in a
  // transaction of ours and in one that was handed to us.
  sdk::Status append(const sdk::Transaction& tx, std::vector<const Row*> rows) const;
  // The same in a transaction of its own.
  sdk::Status append_now(std::vector<const Row*> rows) const;

  // Deletes what stands beside the entries of a pseudonym (32 raw bytes) and keeps it away for
  // good; holds the chain's lock until the transaction ends.
  sdk::Result<Erased> erase(const sdk::Transaction& tx, const sdk::Uuid& chain,
                            std::string_view pseudonym) const;

  sdk::Result<std::optional<SealedPepper>> find_pepper(const sdk::Uuid& chain) const;
  // Does nothing where another replica was first.
  sdk::Status keep_pepper(const sdk::Uuid& chain, const SealedPepper& pepper) const;

  sdk::Result<std::optional<ChainHead>> head(const sdk::Transaction& tx,
                                             const sdk::Uuid& chain) const;
  // The hash of one entry, or nothing.
  sdk::Result<std::optional<std::string>> entry_hash(const sdk::Transaction& tx,
                                                     const sdk::Uuid& chain,
                                                     std::int64_t seq) const;
  // The same by itself.
  sdk::Result<std::optional<std::string>> entry_hash_now(const sdk::Uuid& chain,
                                                         std::int64_t seq) const;
  // Chains beyond `after` in the order of their ids, each with the number its head names.
  sdk::Result<std::vector<std::pair<sdk::Uuid, std::int64_t>>> heads(const sdk::Uuid& after,
                                                                     std::int64_t limit) const;
  // Entries after `after`, ascending, at most `limit`.
  sdk::Result<std::vector<StoredEntry>> list(const sdk::Uuid& chain, const EntryFilter& filter,
                                             std::int64_t after, std::int64_t limit) const;
  // Entries from `from` on, ascending, at most `limit`: numbers, canonical bytes and hashes alone.
  sdk::Result<std::vector<StoredEntry>> records(const sdk::Uuid& chain, std::int64_t from,
                                                std::int64_t limit) const;
  sdk::Result<std::optional<StoredEntry>> find(const sdk::Uuid& chain, std::int64_t seq) const;
  // Calls `each` for the entries from..to in order, in bounded memory, until it returns false, or
  // thousands of numbers in a row have no entry; it may not use `tx`. Several statements, so that
  // `tx` is a snapshot where entries may leave meanwhile.
  sdk::Status walk(const sdk::Transaction& tx, const sdk::Uuid& chain, std::int64_t from,
                   std::int64_t to, const std::function<bool(const Link&)>& each) const;
  // The same without a look at the filter columns, which costs as much as the rest.
  sdk::Status walk_links(const sdk::Transaction& tx, const sdk::Uuid& chain, std::int64_t from,
                         std::int64_t to, const std::function<bool(const Link&)>& each) const;

  // Of the entries from..to that something is kept beside of where their request came from: the
  // first of which that is not what was hashed. `digest_of` tells what was, as context_digest.
  sdk::Result<std::optional<Divergence>> context_fault(
      const sdk::Transaction& tx, const sdk::Uuid& chain, std::int64_t from, std::int64_t to,
      const std::function<std::string_view(std::int64_t seq)>& digest_of) const;
  // Subjects of a chain whose pseudonyms are beyond `after`, in their order.
  sdk::Result<std::vector<NamedSubject>> subjects(const sdk::Uuid& chain, std::string_view after,
                                                  std::int64_t limit) const;
  // The first entry of that pseudonym (32 raw bytes), as its subject or its object; 0 for none.
  sdk::Result<std::int64_t> first_of(const sdk::Uuid& chain, std::string_view pseudonym) const;
  // Entries that are none of a chain's: the first below 1, and the first beyond its head.
  sdk::Result<std::vector<Divergence>> strays(const sdk::Transaction& tx,
                                              const sdk::Uuid& chain) const;

  // Every chain whose head and last entry disagree, at most 100. One index probe a chain.
  sdk::Result<std::vector<HeadFault>> head_faults() const;
  // Every chain whose newest checkpoint lies beyond its head, at most 100. As cheap.
  sdk::Result<std::vector<CheckpointBeyond>> checkpoints_beyond() const;
  // Remembers a finding once.
  sdk::Status quarantine(const sdk::Uuid& chain, const Divergence& divergence) const;

 private:
  sdk::Store store_;
  sdk::Statement append_;
  sdk::Statement erase_;
  sdk::Statement find_pepper_;
  sdk::Statement keep_pepper_;
  sdk::Statement head_;
  sdk::Statement heads_;
  sdk::Statement entry_hash_;
  sdk::Statement list_;
  sdk::Statement list_of_subject_;
  sdk::Statement list_of_correlation_;
  sdk::Statement records_;
  sdk::Statement find_;
  sdk::Statement walk_;
  sdk::Statement walk_links_;
  sdk::Statement contexts_;
  sdk::Statement subjects_;
  sdk::Statement first_of_;
  sdk::Statement strays_;
  sdk::Statement head_faults_;
  sdk::Statement checkpoints_beyond_;
  sdk::Statement quarantine_;
};

}  // namespace plexsphere::audit

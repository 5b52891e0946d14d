// What the archiver reads of the entries and writes to them. Declared once in configure; afterwards
// any thread, every call blocks on the database.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "plexsphere/sdk/store.hpp"

namespace plexsphere::audit {

// An entry with what proves it; no person's data.
struct ArchivedEntry {
  sdk::Uuid chain;
  std::int64_t seq = 0;
  std::string prev_hash;  // 32 raw bytes, as entry_hash
  std::string entry_hash;
  std::string canonical_bytes;

  bool operator==(const ArchivedEntry&) const = default;
};

// One that is in the mirror.
struct ArchivedCopy {
  ArchivedEntry entry;
  std::string etag;  // what the mirror called it then
  // No earlier than the entry itself: a stamp set back does not end the retention of its object.
  sdk::Instant archived_at;
};

// What is in the mirror of an entry.
struct Stamp {
  std::int64_t seq = 0;
  std::string etag;
};

struct ArchiveLag {
  std::int64_t entries = 0;  // of all chains
  std::int64_t seconds = 0;  // since the oldest of them was made
};

class ArchiveStore {
 public:
  ArchiveStore() = default;
  // [init]
  static sdk::Result<ArchiveStore> declare(const sdk::Store& store);

  // Chains beyond `after` in the order of their ids that have entries beyond their position, with
  // that position.
  sdk::Result<std::vector<std::pair<sdk::Uuid, std::int64_t>>> behind(const sdk::Uuid& after,
                                                                      std::int64_t limit) const;
  // Entries of a chain after `after` that are not archived, ascending.
  sdk::Result<std::vector<ArchivedEntry>> unarchived(const sdk::Uuid& chain, std::int64_t after,
                                                     std::int64_t limit) const;
  // The same of those that are.
  sdk::Result<std::vector<ArchivedCopy>> archived(const sdk::Uuid& chain, std::int64_t after,
                                                  std::int64_t limit) const;
  // Archived entries whose object was once found wrong, newest findings first.
  sdk::Result<std::vector<ArchivedCopy>> suspects(std::int64_t limit) const;
  // Stamps entries that are not stamped yet, and moves the chain's position on.
  sdk::Status stamp(const sdk::Transaction& tx, const sdk::Uuid& chain,
                    const std::vector<Stamp>& stamps) const;
  sdk::Result<ArchiveLag> lag() const;

 private:
  sdk::Store store_;
  sdk::Statement behind_;
  sdk::Statement unarchived_;
  sdk::Statement archived_;
  sdk::Statement suspects_;
  sdk::Statement stamp_;
  sdk::Statement advance_;
  sdk::Statement lag_;
};

}  // namespace plexsphere::audit

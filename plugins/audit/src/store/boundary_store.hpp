// The table of retention boundaries, and how entries leave behind one. Declared once in configure;
// afterwards any thread, every call blocks on the database.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "plexsphere/sdk/store.hpp"

namespace plexsphere::audit {

// What a chain begins after.
struct Boundary {
  std::int64_t seq = 0;    // the last entry that may have left; 0: none
  std::string entry_hash;  // of that one, 32 raw bytes
  friend bool operator==(const Boundary&, const Boundary&) = default;
};

// 256 entries of a chain.
struct Tile {
  std::int64_t last = 0;
  std::string entry_hash;  // of the last
  bool whole = false;      // all of them are there
  bool may_leave = false;  // all of them are archived, and older than was asked for
};

class BoundaryStore {
 public:
  BoundaryStore() = default;
  // [init]
  static sdk::Result<BoundaryStore> declare(const sdk::Store& store);

  sdk::Result<Boundary> find(const sdk::Uuid& chain) const;
  // Of every chain that has one.
  sdk::Result<std::map<sdk::Uuid, Boundary>> all() const;
  // At most `limit` tiles after the entry `after`, in order. How old an entry is say the bytes that
  // are hashed.
  sdk::Result<std::vector<Tile>> tiles(const sdk::Uuid& chain, std::int64_t after,
                                       sdk::Instant older_than, std::int64_t limit) const;
  // FAILED_PRECONDITION "audit_boundary_not_covered".
  sdk::Status move(const sdk::Transaction& tx, const sdk::Uuid& chain,
                   const Boundary& boundary) const;
  // How many entries left, at most `most`.
  sdk::Result<std::int64_t> prune(const sdk::Transaction& tx, const sdk::Uuid& chain,
                                  std::int64_t most) const;

 private:
  sdk::Store store_;
  sdk::Statement find_;
  sdk::Statement all_;
  sdk::Statement tiles_;
  sdk::Statement move_;
  sdk::Statement prune_;
};

}  // namespace plexsphere::audit

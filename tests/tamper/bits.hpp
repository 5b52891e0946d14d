// Single bits of the chain turned over, one at a time, and whether each is found where it is.
//
// In PostgreSQL a turned bit costs milliseconds, so there it is one of every entry, and every one
// of the head and of a checkpoint. Every bit of an entry is turned in memory, in the very row that
// the database gave, and judged by the code that judges it there. That is sound because
// verification is a walk: of the database it sees one row after the other, in the order of their
// numbers, and what it says of a row depends on nothing but the row and the hash of the one before.
// So
// - a walk that begins at the row, with the true hash before it, says of it what a walk from the
//   first entry would say, which a whole pass over some shows;
// - where in a column the bit is makes no difference to how PostgreSQL stores and gives it.
// The export is read line by line in the same way.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "tamper/site.hpp"

namespace plexsphere::tamper {

struct Tally {
  static constexpr std::size_t kMostTold = 20;

  std::uint64_t turned = 0;
  std::uint64_t missed = 0;       // not found, or under another name or number
  std::vector<std::string> told;  // of what was missed

  void add(const std::string& what, const std::string& expected, const std::string& found);
  void add(const Tally& other);
};

// Every bit of the entries first..last, in memory.
Tally turn_stored(Site& site, std::int64_t first, std::int64_t last);
// One bit of every entry of the chain, in the database; which one follows from the seed.
Tally turn_one_of_each(Site& site, unsigned seed);
// Every bit of the head, in the database.
Tally turn_head(Site& site);
// Every bit of a checkpoint that its signature, or its own entry in the chain, vouches for.
Tally turn_checkpoint(Site& site, std::int64_t size);

// Every bit of these lines of the export, in memory.
Tally turn_exported(const Origin& origin, std::size_t first, std::size_t last);
// Every bit of every line of its checkpoints.
Tally turn_exported_notes(const Origin& origin);
// Every bit of chain.json.
Tally turn_exported_about(const Origin& origin);

}  // namespace plexsphere::tamper

// The chains as they were found after each crash: read once and remembered, so that whatever was
// there must be there the next time, and held against what clients were told.
//
// Not thread-safe. Views the site.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "soak/audit/ledger.hpp"
#include "soak/audit/site.hpp"

namespace plexsphere::soak {

class Chains {
 public:
  explicit Chains(const AuditSite& site) : site_(&site) {}

  // Reads what was appended since the last call. Throws where a chain does not go on from where it
  // was: a gap, a fork, an entry or an end gone or other than before, a hash that is none.
  void read();
  // Holds what clients were told against what was read. Throws at the first difference.
  void compare(const Ledger::Page& page);
  // Reads everything again and compares it one by one with what is remembered.
  void read_again() const;

  // Hash of each entry, 64 hex digits, entry 1 first; by chain.
  const std::map<std::string, std::vector<std::string>>& hashes() const { return hashes_; }
  std::uint64_t entries() const;
  std::uint64_t acknowledged() const { return acknowledged_; }
  std::uint64_t numbers_compared() const { return numbers_compared_; }

 private:
  struct Entry {
    std::string chain;
    std::int64_t seq = 0;
    std::string relation;
    std::string object;
    std::string reason;
  };
  // A line of what `read` asks for.
  struct Line;

  std::string positions() const;
  void take(const Line& line);
  void check_end(const Line& line) const;
  void compare(const Attempt& attempt);
  void compare(const Ledger::Seen& seen);
  const std::vector<Entry>& entries_of(const std::string& correlation) const;

  const AuditSite* site_;
  std::map<std::string, std::vector<std::string>> hashes_;
  std::unordered_map<std::string, std::vector<Entry>> by_correlation_;  // of clients
  std::uint64_t acknowledged_ = 0;
  std::uint64_t numbers_compared_ = 0;
};

// Rules over the whole database: what is broken, in words; empty when all is well.
std::string broken_rules(const AuditSite& site);
// The first damage that no rule notices, tried in a transaction that is rolled back; empty when
// each is noticed.
std::string blind_rules(const AuditSite& site);

}  // namespace plexsphere::soak

// Keeps one principal's refusals from flooding a chain: beyond `limit` of them in a minute,
// refusals are counted instead of written, and the count becomes a row.
//
// In each window of a minute, for each chain and principal: `limit` refusals are rows of their own;
// the next is written as "audit.denials_capped", which says that the counting begins; what follows
// is counted; when the window is over, "audit.denials_counted" tells how many. So a crash loses a
// count of at most one window, and never the fact that there is one. Grants and changes are never
// capped.
//
// A principal is a subject; those who share one (the anonymous, and jobs that act for strangers)
// are told apart by address. At most kMostPrincipals are followed: the refusals of further ones are
// rows.
//
// Time is that of the entries and of whoever collects: no clock of its own. Thread-safe.
#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "app/entry.hpp"
#include "plexsphere/sdk/services.hpp"

namespace plexsphere::audit {

class DenialCap {
 public:
  static constexpr std::chrono::seconds kWindow{60};
  static constexpr std::size_t kMostPrincipals = 4'096;

  // What becomes of one entry in one chain.
  enum class Verdict {
    kWrite,     // as it is
    kAnnounce,  // as announcement() makes it
    kCount,     // not at all: it is in the count
  };

  // `limit` >= 1. `counted`: refusals that got no row of their own.
  DenialCap(std::int64_t limit, sdk::Metric counted) : limit_(limit), counted_(counted) {}

  // Call once an entry and chain. Always kWrite for a grant.
  [[nodiscard]] Verdict judge(const Entry& entry, const sdk::Uuid& chain);
  // What is written in place of an entry judged kAnnounce.
  [[nodiscard]] Entry announcement(const Entry& entry) const;

  // Rows about the windows that are over at `now`, and of all of them where there is none; each is
  // yielded once. Their chain is named, never to be resolved.
  [[nodiscard]] std::vector<Entry> collect(std::optional<sdk::Instant> now);
  // Takes back a count that could not be written; it is yielded again.
  void put_back(const Entry& count);

 private:
  using Key = std::pair<sdk::Uuid, std::string>;
  struct Window {
    sdk::Instant from;
    std::int64_t refusals = 0;
    std::optional<Entry> first_counted;
  };

  [[nodiscard]] Entry count_of(const sdk::Uuid& chain, const Window& window) const;

  const std::int64_t limit_;
  const sdk::Metric counted_;
  std::mutex mutex_;
  std::map<Key, Window> windows_;  // both under mutex_
  std::vector<Entry> unwritten_;
};

}  // namespace plexsphere::audit

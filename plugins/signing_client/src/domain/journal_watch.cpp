#include "domain/journal_watch.hpp"

#include <algorithm>

namespace plexsphere::signing_client {

JournalWatch::Before JournalWatch::before() const {
  Before out;
  for (const auto& [instance, seen] : seen_) {
    out.emplace(instance, seen.places.rbegin()->first);
  }
  return out;
}

JournalWatch::Verdict JournalWatch::observe(const Before& before, const JournalMark& mark) {
  const auto known = seen_.find(mark.instance);
  if (known == seen_.end()) {
    if (seen_.size() >= kMaxJournals) {
      forget_one();
    }
    seen_.emplace(mark.instance, Seen{{{mark.seq, mark.head}}, ++uses_});
    return Verdict::kNew;
  }
  Seen& seen = known->second;
  seen.last_use = ++uses_;
  const auto floor = before.find(mark.instance);
  if (floor != before.end() && mark.seq <= floor->second) {
    return Verdict::kRegressed;
  }
  if (!seen.places.emplace(mark.seq, mark.head).second) {
    return Verdict::kTwice;
  }
  if (seen.places.size() > kMaxPlaces) {
    seen.places.erase(seen.places.begin());
  }
  return Verdict::kForward;
}

void JournalWatch::forget_one() {
  seen_.erase(std::min_element(seen_.begin(), seen_.end(), [](const auto& a, const auto& b) {
    return a.second.last_use < b.second.last_use;
  }));
}

}  // namespace plexsphere::signing_client

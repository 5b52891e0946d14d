#include "app/denial_cap.hpp"

#include <utility>

namespace plexsphere::audit {
namespace {

std::string principal_of(const Entry& entry) {
  const bool shared = entry.subject_id.empty() || entry.subject_type == "system";
  return entry.subject_type + ":" + entry.subject_id + (shared ? "@" + entry.remote_ip : "");
}

bool is_over(sdk::Instant from, sdk::Instant now) {
  return now < from || now - from >= DenialCap::kWindow;  // a clock set back begins anew
}

// About the subject's refusals in a chain, whatever they were of.
Entry about(const Entry& refusal, std::string relation, std::vector<std::string> steps) {
  Entry entry = refusal;
  entry.relation = std::move(relation);
  entry.object_type = "audit";
  entry.object_id = "denials";
  entry.object_bytes.reset();
  entry.relation_path = std::move(steps);
  entry.caveats.clear();
  return entry;
}

}  // namespace

DenialCap::Verdict DenialCap::judge(const Entry& entry, const sdk::Uuid& chain) {
  if (entry.reason == PX_REASON_GRANTED) {
    return Verdict::kWrite;
  }
  const std::lock_guard lock(mutex_);
  const Key key{chain, principal_of(entry)};
  auto at = windows_.find(key);
  if (at == windows_.end()) {
    if (windows_.size() >= kMostPrincipals) {
      return Verdict::kWrite;
    }
    at = windows_.emplace(key, Window{entry.occurred_at, 0, {}}).first;
  }
  Window& window = at->second;
  if (is_over(window.from, entry.occurred_at)) {
    if (window.first_counted) {
      unwritten_.push_back(count_of(chain, window));
    }
    window = Window{entry.occurred_at, 0, {}};
  }
  if (++window.refusals <= limit_) {
    return Verdict::kWrite;
  }
  counted_.add();
  if (window.first_counted) {
    return Verdict::kCount;
  }
  window.first_counted = entry;
  return Verdict::kAnnounce;
}

Entry DenialCap::announcement(const Entry& entry) const {
  return about(entry, "audit.denials_capped", {"limit:" + std::to_string(limit_)});
}

Entry DenialCap::count_of(const sdk::Uuid& chain, const Window& window) const {
  const Entry& first = *window.first_counted;
  Entry entry = about(
      first, "audit.denials_counted",
      {"count:" + std::to_string(window.refusals - limit_),
       "from:" + sdk::rfc3339(first.occurred_at), "until:" + sdk::rfc3339(window.from + kWindow)});
  entry.chain = chain == platform_anchor() ? PX_CHAIN_PLATFORM : PX_CHAIN_DOMAIN;
  entry.domain_id = chain;
  return entry;
}

std::vector<Entry> DenialCap::collect(std::optional<sdk::Instant> now) {
  const std::lock_guard lock(mutex_);
  std::vector<Entry> counts = std::exchange(unwritten_, {});
  for (auto at = windows_.begin(); at != windows_.end();) {
    if (now && !is_over(at->second.from, *now)) {
      ++at;
      continue;
    }
    if (at->second.first_counted) {
      counts.push_back(count_of(at->first.first, at->second));
    }
    at = windows_.erase(at);
  }
  return counts;
}

void DenialCap::put_back(const Entry& count) {
  const std::lock_guard lock(mutex_);
  unwritten_.push_back(count);
}

}  // namespace plexsphere::audit

#include "app/tag_keys.hpp"

namespace plexsphere::identity {

sdk::Status TagKeys::note(const sdk::JobRun& run) {
  auto known = since();
  if (!known.ok()) {
    return known.error();
  }
  if (*known) {
    return {};
  }
  auto tx = run.begin();
  if (!tx.ok()) {
    return tx.error();
  }
  auto noted = versions_.note(*tx, version_);
  return noted.ok() ? tx->commit() : noted;
}

sdk::Result<bool> TagKeys::takes_previous() {
  auto known = since();
  if (!known.ok()) {
    return known.error();
  }
  return !*known || clock_.now() < **known + kPreviousTaken;
}

sdk::Result<std::optional<sdk::Instant>> TagKeys::since() {
  const std::lock_guard lock(mutex_);
  if (!since_) {
    auto read = versions_.first_used_at(version_);
    if (!read.ok()) {
      return read.error();
    }
    since_ = *read;
  }
  return since_;
}

}  // namespace plexsphere::identity

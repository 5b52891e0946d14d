#include "host/services/plugin_states.hpp"

#include <algorithm>

namespace plexsphere::host {

const char* plugin_state_name(PluginState state) noexcept {
  switch (state) {
    case PluginState::kDiscovered:
      return "discovered";
    case PluginState::kRejected:
      return "rejected";
    case PluginState::kDisabled:
      return "disabled";
    case PluginState::kFailed:
      return "failed";
    case PluginState::kRunning:
      return "running";
    case PluginState::kDraining:
      return "draining";
  }
  return "unknown";
}

void PluginStates::put(PluginRecord record) {
  const std::lock_guard lock(mutex_);
  for (auto& old : records_) {
    if (old.id == record.id) {
      old = std::move(record);
      return;
    }
  }
  records_.push_back(std::move(record));
}

void PluginStates::set(const std::string& id, PluginState state, std::string reason) {
  const std::lock_guard lock(mutex_);
  for (auto& record : records_) {
    if (record.id == id) {
      record.state = state;
      record.reason = std::move(reason);
    }
  }
}

void PluginStates::order(const std::vector<std::string>& ids) {
  const auto rank = [&ids](const PluginRecord& record) {
    return std::find(ids.begin(), ids.end(), record.id) - ids.begin();
  };
  const std::lock_guard lock(mutex_);
  std::stable_sort(records_.begin(), records_.end(),
                   [&rank](const auto& a, const auto& b) { return rank(a) < rank(b); });
}

std::vector<PluginRecord> PluginStates::all() const {
  const std::lock_guard lock(mutex_);
  return records_;
}

}  // namespace plexsphere::host

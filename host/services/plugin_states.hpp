// What became of every plugin that was found, for px.info, readiness, metrics and operators.
//
// Thread safety: all members from any thread. Ownership: owns its records.
#pragma once

#include <mutex>
#include <string>
#include <vector>

namespace plexsphere::host {

enum class PluginState { kDiscovered, kRejected, kDisabled, kFailed, kRunning, kDraining };

inline constexpr PluginState kAllPluginStates[] = {
    PluginState::kDiscovered, PluginState::kRejected, PluginState::kDisabled,
    PluginState::kFailed,     PluginState::kRunning,  PluginState::kDraining};

const char* plugin_state_name(PluginState state) noexcept;  // "running"

struct PluginRecord {
  std::string id;
  std::string version;
  PluginState state = PluginState::kDiscovered;
  std::string reason;   // why rejected or failed: cause and remedy; empty otherwise
  std::string openapi;  // its API fragment as shipped, or empty
};

class PluginStates {
 public:
  // Adds or replaces the record of that id, keeping its place.
  void put(PluginRecord record);
  void set(const std::string& id, PluginState state, std::string reason = {});
  // Puts those ids first, in that order.
  void order(const std::vector<std::string>& ids);
  std::vector<PluginRecord> all() const;

 private:
  mutable std::mutex mutex_;
  std::vector<PluginRecord> records_;
};

}  // namespace plexsphere::host

// Where the mirror is and how entries are kept there, as configured. Pure; any thread.
#pragma once

#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "plexsphere/sdk/services.hpp"
#include "plexsphere/sdk/uuid.hpp"

namespace plexsphere::audit {

struct ArchiveSettings {
  std::string endpoint;  // "https://s3.example:443", nothing after it
  std::string bucket;
  std::string region;
  std::string lock_mode;  // "GOVERNANCE", "COMPLIANCE", or empty: objects are not locked
  std::chrono::days retention{2557};
  std::map<sdk::Uuid, std::chrono::days> retention_of;  // Domains that have their own
  std::chrono::milliseconds interval{0};                // between looks for entries
  std::chrono::milliseconds scan_interval{0};           // between rounds over what is there
  std::chrono::milliseconds deadline{0};                // of one request to the store

  std::chrono::days retention_for(const sdk::Uuid& chain) const {
    const auto own = retention_of.find(chain);
    return own == retention_of.end() ? retention : own->second;
  }
};

// Of items "<Domain id>=<days>d"; `key` is whose they are. INVALID_ARGUMENT names it.
sdk::Result<std::map<sdk::Uuid, std::chrono::days>> read_days(const std::vector<std::string>& items,
                                                              const std::string& key);

// Nothing when no endpoint is set: there is no mirror then. INVALID_ARGUMENT names the key.
sdk::Result<std::optional<ArchiveSettings>> read_archive_settings(const sdk::Config& config);

}  // namespace plexsphere::audit

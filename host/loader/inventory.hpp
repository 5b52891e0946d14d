// Which plugins lie in the plugin directory, and what their manifests say. Loads no code.
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <string>
#include <vector>

#include "host/config/configuration.hpp"
#include "host/config/manifest.hpp"

namespace plexsphere::host::loader {

struct InventoryOptions {
  std::filesystem::path directory;
  uid_t trusted_owner = 0;
  // Ids this process may load; empty: any. The signer's is compiled in.
  std::vector<std::string> allowed;
};

struct Found {
  std::string id;  // the directory's name
  bool allowed = true;
  bool enabled = false;
  config::Manifest manifest;  // meaningful only if `rejection` is empty
  config::Settings settings;  // checked; meaningful only if enabled
  std::string openapi;        // its API fragment, or empty
  std::string rejection;      // why it cannot be used: cause and remedy; empty: usable
};

struct Inventory {
  std::vector<Found> plugins;  // by id
  config::Issues issues;       // wrong settings, contexts enabled that cannot be
};

// Every directory `<directory>/<id>/` with a plugin.toml, read with the same distrust as the code.
Inventory take_inventory(const InventoryOptions& options,
                         const config::Configuration& configuration);

}  // namespace plexsphere::host::loader

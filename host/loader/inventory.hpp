// Which plugins lie in the plugin directory, and what their manifests say. Loads no code.
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <string>
#include <vector>

#include "host/config/configuration.hpp"
#include "host/config/manifest.hpp"

namespace plexsphere::host::loader {

// Which ids a process may load, whatever its configuration says. Compiled into each binary, because
// keys and everything else are kept apart by it.
struct LoadPolicy {
  std::vector<std::string> only;   // empty: any
  std::vector<std::string> never;  // these belong into another process

  // Why the id is refused; empty: it may be loaded.
  std::string refusal(const std::string& id) const;
};

struct InventoryOptions {
  std::filesystem::path directory;
  uid_t trusted_owner = 0;
  LoadPolicy policy;
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

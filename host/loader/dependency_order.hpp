// In which order plugins are configured and started.
#pragma once

#include <string>
#include <vector>

#include "host/config/manifest.hpp"

namespace plexsphere::host::loader {

struct Order {
  std::vector<const config::Manifest*> sequence;  // providers before those who require them
  std::vector<std::string> errors;                // each with cause and remedy; empty: usable
};

// `enabled` are to run; `installed` are all there are, for the remedy of a missing port.
// `host_services` are names the host itself offers. Wanted ports order plugins where they can, and
// are given up, alphabetically last first, where they would close a cycle. Errors: a required port
// that nothing enabled provides, a port with two providers, a cycle of required ports.
Order dependency_order(const std::vector<const config::Manifest*>& enabled,
                       const std::vector<const config::Manifest*>& installed,
                       const std::vector<std::string>& host_services);

}  // namespace plexsphere::host::loader

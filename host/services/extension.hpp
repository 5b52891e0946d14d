// What a binary links in besides the common runtime: its own sections, checks and services.
//
// The core adds persistence this way; the signer adds nothing and so cannot reach a database.
#pragma once

#include <functional>
#include <vector>

#include "host/config/configuration.hpp"
#include "host/services/provider.hpp"

namespace plexsphere::host {

struct Extension {
  // Tables of the configuration file that this part understands, e.g. [database].
  std::vector<config::SectionSpec> sections;
  // What types and bounds cannot say (either dsn or dsn_file, not both). Pure: --check-config runs
  // it too. May be empty.
  std::function<config::Issues(const config::Configuration&)> validate;
  // Makes the services. Called once, before ServiceProvider::prepare; the configuration and the
  // context outlive them. Must not fail for what may come back later, such as a database.
  std::function<Result<ServiceProviders>(const config::Configuration&, HostContext&)> make;
};

}  // namespace plexsphere::host

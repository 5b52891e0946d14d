// The host's own sections of the configuration file.
#pragma once

#include <string>
#include <vector>

#include "host/config/configuration.hpp"
#include "host/loader/plugin_manager.hpp"
#include "host/telemetry/log.hpp"

namespace plexsphere::host::apps {

// [http], [tls], [log] and [plugins]. `essential` is the default of [plugins] essential.
std::vector<config::SectionSpec> host_sections(const std::string& default_addr,
                                               const std::vector<std::string>& essential);

// What types and bounds cannot say: log level names and what check_http_sections knows. `addr` is
// that of the command line, or empty.
config::Issues check_host_sections(const config::Configuration& configuration,
                                   const std::string& addr);

// Each requires that check_host_sections found nothing.
telemetry::Level log_level(const config::Configuration& configuration);
loader::ManagerOptions manager_options(const config::Configuration& configuration,
                                       const loader::LoadPolicy& policy);

}  // namespace plexsphere::host::apps

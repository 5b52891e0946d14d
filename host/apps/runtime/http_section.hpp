// [http] and [tls] of the configuration file, and what the HTTP rooms are given of them.
//
// Thread safety: free functions over values.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "host/config/configuration.hpp"
#include "host/http/engine.hpp"
#include "host/http/pipeline/router.hpp"
#include "host/http/stream/hub.hpp"
#include "host/http/tls/certificates.hpp"

namespace plexsphere::host::apps {

config::SectionSpec http_section(const std::string& default_addr);
config::SectionSpec tls_section();

// What types and bounds cannot say. `addr` is that of the command line; empty when it names none.
config::Issues check_http_sections(const config::Configuration& configuration,
                                   const std::string& addr);

// Each of these requires that check_http_sections found nothing.

// Where to listen, in order: `addr` of the command line or else [http] addr, then more_addrs.
std::vector<std::string> listen_addresses(const config::Configuration& configuration,
                                          const std::string& addr);
// Nothing when [tls] is empty.
std::optional<http::tls::CertificateFiles> certificate_files(
    const config::Configuration& configuration);
// Without `certificates`, which have to be loaded first.
http::EngineOptions engine_options(const config::Configuration& configuration);
http::RouterOptions router_options(const config::Configuration& configuration);
http::StreamHubOptions hub_options(const config::Configuration& configuration);

}  // namespace plexsphere::host::apps

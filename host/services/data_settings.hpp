// The configuration tables of what only the core has: [database], [seal] and [egress].
//
// Thread safety: values and pure functions.
#pragma once

#include <string>
#include <vector>

#include "host/base/result.hpp"
#include "host/config/configuration.hpp"
#include "host/egress/engine.hpp"
#include "host/persistence/store.hpp"
#include "host/seal/root_key.hpp"

namespace plexsphere::host {

// Connections outside the pool: the leader's, the listener's and the readiness probe's.
inline constexpr std::size_t kConnectionsOutsidePool = 3;

[[nodiscard]] config::SectionSpec database_section();
[[nodiscard]] config::SectionSpec seal_section();
[[nodiscard]] config::SectionSpec egress_section();

// What types and bounds cannot say: exactly one of dsn and dsn_file, a root key that can be used.
[[nodiscard]] config::Issues check_data_settings(const config::Configuration& configuration);

// Reads dsn_file when that is what is set.
[[nodiscard]] Result<persistence::StoreOptions> store_options(const config::Settings& database);
// The same for `admin_dsn` and `admin_dsn_file`, which only plexsphere-bootstrap uses.
[[nodiscard]] Result<std::string> core_dsn(const config::Settings& database);
[[nodiscard]] Result<std::string> admin_dsn(const config::Settings& database);

[[nodiscard]] egress::EngineOptions egress_options(const config::Settings& egress);

[[nodiscard]] seal::RootKeySource root_key_source(const config::Settings& seal);

}  // namespace plexsphere::host

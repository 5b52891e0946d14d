// Everything of the core that stands on PostgreSQL, as one extension: [database], [seal], and the
// services px.store, px.outbox, px.jobs and px.seal.
#pragma once

#include "host/services/extension.hpp"

namespace plexsphere::host {

// Linked into the core only; the signer has no database.
[[nodiscard]] Extension data_extension();

}  // namespace plexsphere::host

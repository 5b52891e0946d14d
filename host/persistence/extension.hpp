// Everything of the core that stands on PostgreSQL, as one extension: [database], [seal], and the
// services px.store, px.outbox, px.jobs and px.seal. Built in host/services/data_extension.cpp.
#pragma once

#include "host/services/extension.hpp"

namespace plexsphere::host::persistence {

// Linked into the core only; the signer has no database.
[[nodiscard]] Extension extension();

}  // namespace plexsphere::host::persistence

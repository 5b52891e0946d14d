// Everything of the core that stands on PostgreSQL, and px.verify beside it, as one extension:
// [database], [seal], and the services px.store, px.outbox, px.jobs, px.seal and px.verify. Built
// in host/services/data_extension.cpp.
#pragma once

#include "host/services/extension.hpp"

namespace plexsphere::host::persistence {

// Linked into the core only; the signer has no database.
[[nodiscard]] Extension extension();

}  // namespace plexsphere::host::persistence

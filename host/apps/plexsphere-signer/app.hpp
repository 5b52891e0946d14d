// plexsphere-signer: the process that holds the signing keys, and nothing else.
#pragma once

#include "host/apps/runtime/app.hpp"

namespace plexsphere::host::apps {

// Loads the plugin `signing` only; the list is compiled in. No database, no outgoing connections.
Profile signer_profile();

}  // namespace plexsphere::host::apps

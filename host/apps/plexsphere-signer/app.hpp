// plexsphere-signer: the process that holds the signing keys, and nothing else.
#pragma once

#include "host/apps/runtime/app.hpp"

namespace plexsphere::host::apps {

// Loads the plugin `signing` only; the list is compiled in. No database, no outgoing connections.
Profile signer_profile();

// Keeps key material out of core dumps and away from ptrace by others of the same user. Errors
// name what the kernel refused.
Status harden_process();

}  // namespace plexsphere::host::apps

// How many descriptors the process may open, and how many of them connections may take.
#pragma once

#include <cstddef>

#include "host/base/result.hpp"

namespace plexsphere::host::apps {

// Kept for what is no connection of a client: database, signer, logs, plugins, probes; and for
// clients that are being told that there is no room for them.
inline constexpr std::size_t kReservedDescriptors = 512;

// Raises the soft limit of open files (RLIMIT_NOFILE) to the hard one and returns it. Any thread.
Result<std::size_t> raise_descriptor_limit();

// The most connections that fit below `limit`, at least one: all but the reserve, or half of the
// limit where that is more.
std::size_t connections_within(std::size_t limit);

}  // namespace plexsphere::host::apps

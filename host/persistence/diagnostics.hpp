// Where the persistence layer says what it must not tell its callers.
//
// Thread safety: the sink is called from any thread and must bear it. Ownership: the sink is a
// value; what it captures must outlive the component it was given to.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "plexsphere/abi/log.h"

namespace plexsphere::host::persistence {

using LogFields = std::vector<std::pair<std::string_view, std::string>>;
using LogSink = std::function<void(px_log_level level, std::string_view event, const LogFields&)>;

}  // namespace plexsphere::host::persistence

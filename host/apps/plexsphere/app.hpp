// plexsphere: the core. Carries every enabled context.
#pragma once

#include "host/apps/runtime/app.hpp"

namespace plexsphere::host::apps {

Profile core_profile();

}  // namespace plexsphere::host::apps

// From argv to exit code: flags, version line, signals.
#pragma once

#include "host/apps/runtime/app.hpp"

namespace plexsphere::host::apps {

// What main does. Never returns after a forced close.
int main_with(const Profile& profile, int argc, char** argv);

}  // namespace plexsphere::host::apps

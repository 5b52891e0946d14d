// plexctl: the control plane's API from a shell.
//
//   plexctl plugins list     what became of every plugin
//   plexctl whoami           who the token says we are
//   plexctl version          this build
//   plexctl node deregister  ends a Node
//   plexctl nsk rewrap       wraps Node secret keys under a new wrap key
//   plexctl nsk status       how far that is
//   plexctl bootstrap-token show   how a bootstrap token ended, and which Node used it
//
// Thread safety: none needed.
#pragma once

#include <iosfwd>
#include <string>
#include <vector>

#include "host/apps/plexctl/settings.hpp"

namespace plexsphere::plexctl {

// Runs one command. `arguments` are those after the program's name. Results go to `out`, everything
// else to `err`. Returns an ExitCode (failure.hpp). The token is printed to neither.
int run_plexctl(const std::vector<std::string>& arguments, const Environment& environment,
                std::ostream& out, std::ostream& err);

}  // namespace plexsphere::plexctl

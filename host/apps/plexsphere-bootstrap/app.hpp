// plexsphere-bootstrap: what an administrator does before and between runs of the core.
//
//   migrate           brings roles, schemas and tables to this installation's state
//   operator create   makes an operator with the platform's administration and shows its token once
//
// It is the only program that uses [database] admin_dsn. Thread safety: none needed.
#pragma once

#include <iosfwd>
#include <string>
#include <vector>

namespace plexsphere::host::apps {

// Runs one verb. `arguments` are those after the program's name. The token and lists of applied
// files go to `out`, everything else to `err`. Returns the exit code: 0 done, 1 failed, 2 wrong
// usage.
int run_bootstrap(const std::vector<std::string>& arguments, std::ostream& out, std::ostream& err);

}  // namespace plexsphere::host::apps

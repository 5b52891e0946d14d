// What is wrong in a configuration file or manifest, where, and what to do about it.
#pragma once

#include <string>
#include <vector>

#include "host/config/settings.hpp"

namespace plexsphere::host::config {

struct Issue {
  Location where;
  std::string what;   // what is wrong, naming the key
  std::string value;  // what was written, as the operator wrote it; empty when nothing was
  std::string fix;    // what to do next

  // "file:line: what (value): fix", one line.
  std::string text() const;
};

using Issues = std::vector<Issue>;

}  // namespace plexsphere::host::config

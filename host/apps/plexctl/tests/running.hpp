// plexctl run inside the test.
#pragma once

#include <sstream>
#include <string>
#include <vector>

#include "host/apps/plexctl/app.hpp"

namespace plexsphere::plexctl {

struct Run {
  int code = 0;
  std::string out;
  std::string err;
};

inline Run plexctl(const std::vector<std::string>& arguments, const Environment& environment = {}) {
  std::ostringstream out;
  std::ostringstream err;
  const int code = run_plexctl(arguments, environment, out, err);
  return {code, out.str(), err.str()};
}

inline bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

}  // namespace plexsphere::plexctl

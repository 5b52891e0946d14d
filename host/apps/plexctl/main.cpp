#include <sys/prctl.h>

#include <cstdlib>
#include <iostream>
#include <string>
#include <vector>

#include "host/apps/plexctl/app.hpp"

namespace {

// Empty counts as not set.
std::string variable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? std::string() : value;
}

}  // namespace

int main(int argc, char** argv) {
  ::prctl(PR_SET_DUMPABLE, 0);  // it holds an operator's token
  return plexsphere::plexctl::run_plexctl(
      std::vector<std::string>(argv + 1, argv + argc),
      {variable("PLEXSPHERE_URL"), variable("PLEXSPHERE_TOKEN")}, std::cout, std::cerr);
}

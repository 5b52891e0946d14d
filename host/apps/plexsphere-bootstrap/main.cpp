#include <sys/prctl.h>

#include <iostream>
#include <string>
#include <vector>

#include "host/apps/plexsphere-bootstrap/app.hpp"

int main(int argc, char** argv) {
  ::prctl(PR_SET_DUMPABLE, 0);  // it holds an administrator's login and a fresh token
  return plexsphere::host::apps::run_bootstrap(std::vector<std::string>(argv + 1, argv + argc),
                                               std::cout, std::cerr);
}

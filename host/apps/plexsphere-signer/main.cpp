#include <iostream>

#include "host/apps/plexsphere-signer/app.hpp"
#include "host/apps/runtime/process.hpp"

int main(int argc, char** argv) {
  using namespace plexsphere::host::apps;  // NOLINT: main only
  if (const auto status = harden_process(); !status) {
    std::cerr << status.message() << '\n';
    return kExitFailed;
  }
  return main_with(signer_profile(), argc, argv);
}

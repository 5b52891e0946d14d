#include "host/apps/plexsphere-signer/app.hpp"
#include "host/apps/runtime/process.hpp"

int main(int argc, char** argv) {
  return plexsphere::host::apps::main_with(plexsphere::host::apps::signer_profile(), argc, argv);
}

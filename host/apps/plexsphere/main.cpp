#include "host/apps/plexsphere/app.hpp"
#include "host/apps/runtime/process.hpp"

int main(int argc, char** argv) {
  return plexsphere::host::apps::main_with(plexsphere::host::apps::core_profile(), argc, argv);
}

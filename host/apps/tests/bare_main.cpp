// The core without its data services: the host's own behaviour, testable without a database.
#include "host/apps/runtime/process.hpp"

int main(int argc, char** argv) {
  plexsphere::host::apps::Profile profile;
  profile.service = "plexsphere";
  profile.default_addr = ":8080";
  profile.default_config = "/nonexistent/plexsphere.toml";
  profile.dropin_directory = "conf.d";
  return plexsphere::host::apps::main_with(profile, argc, argv);
}

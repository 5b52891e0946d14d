#include "host/apps/plexsphere/app.hpp"

#if __has_include("host/persistence/extension.hpp")
#include "host/persistence/extension.hpp"
#endif

namespace plexsphere::host::apps {

Profile core_profile() {
  Profile profile;
  profile.service = "plexsphere";
  profile.default_addr = ":8080";
  profile.default_config = "/etc/plexsphere/plexsphere.toml";
  profile.dropin_directory = "conf.d";
  profile.essential_plugins = {"tenancy", "identity", "authz", "audit"};
#if __has_include("host/persistence/extension.hpp")
  profile.extension = persistence::extension();
#endif
  return profile;
}

}  // namespace plexsphere::host::apps

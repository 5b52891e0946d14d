#include "host/apps/plexsphere/app.hpp"

#include "host/persistence/extension.hpp"

namespace plexsphere::host::apps {

Profile core_profile() {
  Profile profile;
  profile.service = "plexsphere";
  profile.default_addr = ":8080";
  profile.default_config = "/etc/plexsphere/plexsphere.toml";
  profile.dropin_directory = "conf.d";
  profile.load_policy.never = {"signing"};  // private keys exist in plexsphere-signer only
  profile.essential_plugins = {"tenancy", "identity", "authz", "audit"};
  profile.extension = persistence::extension();
  profile.holds_secrets = true;
  return profile;
}

}  // namespace plexsphere::host::apps

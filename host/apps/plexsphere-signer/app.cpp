#include "host/apps/plexsphere-signer/app.hpp"

namespace plexsphere::host::apps {

Profile signer_profile() {
  Profile profile;
  profile.service = "plexsphere-signer";
  profile.default_addr = ":8081";
  profile.default_config = "/etc/plexsphere/plexsphere-signer.toml";
  profile.dropin_directory = "signer.conf.d";
  profile.load_policy.only = {"signing"};
  profile.essential_plugins = {"signing"};
  profile.streams = false;  // its HTTP side is for probes only
  profile.holds_secrets = true;
  return profile;
}

}  // namespace plexsphere::host::apps

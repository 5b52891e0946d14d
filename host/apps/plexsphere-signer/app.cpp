#include "host/apps/plexsphere-signer/app.hpp"

#include <sys/prctl.h>
#include <sys/resource.h>

#include <cerrno>

#include "host/base/file.hpp"

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
  return profile;
}

Status harden_process() {
  if (::prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0) {
    return {Code::kFailedPrecondition,
            "the kernel refused to make the process undumpable: " + error_text(errno)};
  }
  const rlimit none{0, 0};
  if (::setrlimit(RLIMIT_CORE, &none) != 0) {
    return {Code::kFailedPrecondition,
            "the kernel refused to switch core dumps off: " + error_text(errno)};
  }
  return {};
}

}  // namespace plexsphere::host::apps

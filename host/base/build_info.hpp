// What this build is. Injected by the build system; an unlabelled build says so.
#pragma once

#include <string_view>

namespace plexsphere::host {

struct BuildInfo {
  std::string_view version;  // semantic version, "0.0.0-dev" when not given
  std::string_view commit;   // "unknown" when not given
  std::string_view date;     // RFC 3339, "unknown" when not given
};

const BuildInfo& build_info() noexcept;

}  // namespace plexsphere::host

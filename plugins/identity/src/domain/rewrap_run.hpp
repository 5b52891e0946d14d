// The life of a run that wraps a Domain's Node secret keys under a newer wrap key.
//
// requested → running: the new version is active. running → resting: no key named an older version.
// resting → done: nor did any that another replica wrapped meanwhile, and the older versions are
// retired; resting → running, when one did. Pure; any thread.
#pragma once

#include <optional>
#include <string_view>

namespace plexsphere::identity {

enum class RewrapState { requested, running, resting, done };

std::string_view text_of(RewrapState state);
std::optional<RewrapState> rewrap_state(std::string_view text);

// What a resting run does next. `settled`: so long after the rotation that no replica can still
// wrap under an older version; `left`: keys that name one.
enum class RestOutcome { wait, run_again, retire };
RestOutcome rest_outcome(bool settled, bool left);

}  // namespace plexsphere::identity

#include "domain/rewrap_run.hpp"

#include <array>

namespace plexsphere::identity {
namespace {

// In the order of RewrapState.
constexpr std::array<std::string_view, 4> kTexts{"requested", "running", "resting", "done"};

}  // namespace

std::string_view text_of(RewrapState state) {
  return kTexts.at(static_cast<std::size_t>(state));
}

std::optional<RewrapState> rewrap_state(std::string_view text) {
  for (std::size_t i = 0; i < kTexts.size(); ++i) {
    if (kTexts.at(i) == text) {
      return static_cast<RewrapState>(i);
    }
  }
  return std::nullopt;
}

RestOutcome rest_outcome(bool settled, bool left) {
  if (left) {
    return RestOutcome::run_again;
  }
  return settled ? RestOutcome::retire : RestOutcome::wait;
}

}  // namespace plexsphere::identity

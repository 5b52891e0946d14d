// The 429 of routes that mint API tokens, before anything else of the request is looked at. Any
// thread. Views of the rate, which outlives it.
#pragma once

#include "app/mint_rate.hpp"
#include "plexsphere/sdk/router.hpp"
#include "plexsphere/sdk/services.hpp"

namespace plexsphere::identity {

class MintGate {
 public:
  MintGate(MintRate& rate, sdk::Clock clock, sdk::Metric refused)
      : rate_(rate), clock_(clock), refused_(refused) {}

  // Nothing when the caller may go on.
  std::optional<sdk::Problem> refuse(const sdk::Request& request) const {
    const auto wait = rate_.refuse(request.principal().id, clock_.steady());
    if (!wait) {
      return std::nullopt;
    }
    refused_.add();
    const auto seconds = std::chrono::ceil<std::chrono::seconds>(*wait).count();
    return sdk::Problem{429,
                        "rate_limited",
                        "This identity asks for API tokens too often; try again later.",
                        {},
                        {{"Retry-After", std::to_string(seconds)}}};
  }

 private:
  MintRate& rate_;
  sdk::Clock clock_;
  sdk::Metric refused_;
};

}  // namespace plexsphere::identity

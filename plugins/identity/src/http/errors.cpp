#include "http/errors.hpp"

#include <algorithm>
#include <array>
#include <string_view>

#include "plexsphere/sdk/problems.hpp"

namespace plexsphere::identity {
namespace {

struct Known {
  std::string_view reason;
  int status;
};

constexpr std::array kKnown{
    Known{"nsk_revoked", 401},
    Known{"node_not_found", 404},
    Known{"public_key_invalid", 400},
    Known{"bootstrap_token_invalid", 422},
    Known{"token_invalid", 403},
    Known{"token_revoked", 403},
    Known{"token_consumed", 403},
    Known{"token_expired", 403},
    Known{"project_mismatch", 403},
    Known{"kind_mismatch", 403},
    Known{"nonce_collision", 403},
    Known{"domain_not_found", 404},
    Known{"nsk_wrap_key_not_found", 404},
    Known{"nsk_rewrap_not_found", 404},
    Known{"resource_not_found", 404},
    Known{"project_not_found", 404},
    Known{"not_found", 404},
    Known{"pool_exhausted", 503},
    Known{"subrange_exhausted", 503},
    Known{"allocator_contention", 503},
    Known{"signing_unavailable", 503},
    Known{"audit_unavailable", 503},
    Known{"authz_unavailable", 503},
    Known{"registration_overloaded", 503},
};

}  // namespace

sdk::Problem problem_of(const sdk::Error& error) {
  const auto known = std::find_if(kKnown.begin(), kKnown.end(),
                                  [&](const Known& k) { return k.reason == error.reason; });
  if (known == kKnown.end()) {
    return sdk::store_problem(error);
  }
  if (known->status == 503) {
    return sdk::unavailable(error.reason, error.detail);
  }
  return {known->status, error.reason, error.detail, {}, {}};
}

}  // namespace plexsphere::identity

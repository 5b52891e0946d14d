// Who presents an operator's bearer: a user's or service identity's API token, or an access token.
//
// Thread safety: any thread, after configure. Blocks on the database when the cache is cold. What
// the database cannot tell is UNAVAILABLE, never a refusal.
#pragma once

#include <optional>
#include <string_view>

#include "app/bearer_text.hpp"
#include "app/break_glass.hpp"
#include "app/credential_cache.hpp"
#include "app/last_use.hpp"
#include "plexsphere/sdk/ports/authn.hpp"
#include "plexsphere/sdk/services.hpp"
#include "store/operator_store.hpp"

namespace plexsphere::identity {

class OperatorAuthentication {
 public:
  static constexpr std::chrono::milliseconds kTimeToLive{900};
  static constexpr std::size_t kCapacity = 65'536;

  OperatorAuthentication(const OperatorStore& operators, const BreakGlass& break_glass,
                         LastUse& uses, sdk::Clock clock)
      : operators_(operators), break_glass_(break_glass), uses_(uses), clock_(clock) {}

  // UNAUTHENTICATED "unauthenticated", or UNAVAILABLE.
  sdk::Result<px_principal> identify(std::string_view bearer);
  // The record behind a bearer that is good now; nothing for any other. UNAVAILABLE.
  sdk::Result<std::optional<BearerRecord>> resolve(std::string_view bearer);
  // Asks the database again, the next time the token is presented here.
  void forget(const sdk::Uuid& token_id) { known_.erase(token_id); }

 private:
  sdk::Result<std::optional<BearerRecord>> find(const PresentedBearer& presented);

  const OperatorStore& operators_;
  const BreakGlass& break_glass_;
  LastUse& uses_;
  sdk::Clock clock_;
  CredentialCache<BearerRecord> known_{kTimeToLive, kCapacity};
};

}  // namespace plexsphere::identity

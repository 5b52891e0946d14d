// px.authn/1: who presents this bearer? Node secret keys (nsk_…) here; API tokens (psk_…) and
// access tokens (svc_…) by OperatorAuthentication.
//
// Both carry 256 bits of entropy, so a SHA-256 digest is stored and compared in constant time; no
// wrapped key is opened to authenticate. A first use of a Node's key is on record before the first
// answer it authenticates. What is not known for certain is UNAVAILABLE, never a refusal: agents
// throw a refused credential away.
//
// Thread safety: any thread, after configure. Blocks on the database when the cache is cold.
#pragma once

#include "app/credential_cache.hpp"
#include "app/operator_authentication.hpp"
#include "plexsphere/sdk/ports/authn.hpp"
#include "plexsphere/sdk/services.hpp"
#include "store/node_store.hpp"

namespace plexsphere::identity {

class Authentication final : public sdk::AuthnProvider {
 public:
  static constexpr std::chrono::milliseconds kTimeToLive{900};
  static constexpr std::size_t kCapacity = 65'536;

  Authentication(const NodeStore& nodes, OperatorAuthentication& operators, sdk::Clock clock)
      : nodes_(nodes), operators_(operators), clock_(clock) {}

  // The principal of a bearer; UNAUTHENTICATED with the contract's code, or UNAVAILABLE.
  sdk::Result<px_principal> identify(const sdk::Credential& credential);
  // Asks the database about the Node's keys again, the next time one is presented here.
  void forget_node(const sdk::Uuid& node_id) { keys_.erase(node_id); }

 private:
  void authenticate(const sdk::Credential& credential, Done done) override;

  sdk::Result<px_principal> identify_node(std::string_view bearer);
  // The key of the Node with this digest, used now at the latest.
  sdk::Result<KeyCandidate> find_key(const sdk::Uuid& node_id, std::string_view digest);
  sdk::Result<KeyCandidate> use_key(const sdk::Uuid& node_id, KeyCandidate key);

  const NodeStore& nodes_;
  OperatorAuthentication& operators_;
  sdk::Clock clock_;
  CredentialCache<KeyCandidate> keys_{kTimeToLive, kCapacity};
};

}  // namespace plexsphere::identity

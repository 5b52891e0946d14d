// POST /v1/auth/service/token: a service identity trades what it signs in with for an access token.
//
// The order of the gates is the contract's: the client, the grant against the identity's kind,
// whether its verifier is there at all, the assertion, the assertion's subject. Which kind can be
// verified here: `api_token` by the identity's own API token, `spiffe_svid` by the trust bundle.
// `oidc_cc` needs its identity provider to be asked, and this context reaches no network.
//
// Thread safety: any thread, after configure. Blocks.
#pragma once

#include <chrono>
#include <optional>
#include <string>

#include "app/api_token_service.hpp"
#include "app/operator_authentication.hpp"
#include "app/trust_bundle.hpp"
#include "plexsphere/sdk/verify.hpp"
#include "store/service_identity_store.hpp"

namespace plexsphere::identity {

struct SignInOrder {
  Grant grant = Grant::client_credentials;
  std::string client_id;
  SecretText credential;  // client_secret or client_assertion
  CallContext call;
};

struct AccessToken {
  SecretText plaintext;
  std::chrono::seconds lives_for{};
};

struct SignInPolicy {
  std::chrono::milliseconds access_token_ttl{};
  std::int64_t most_live = 0;  // access tokens of one identity
};

struct SignInPorts {
  sdk::Store store;
  sdk::Outbox outbox;
  sdk::Clock clock;
  sdk::Log log;
  sdk::Audit audit;
  sdk::Verify verify;
};

class ServiceSignIn {
 public:
  ServiceSignIn(SignInPorts ports, const ServiceIdentityStore& identities,
                OperatorAuthentication& bearers, TrustBundle& bundle, SignInPolicy policy)
      : ports_(std::move(ports)),
        identities_(identities),
        bearers_(bearers),
        bundle_(bundle),
        policy_(policy) {}

  // UNAUTHENTICATED "invalid_client", "spiffe_verification_failed"; PERMISSION_DENIED
  // "federation_kind_mismatch", "spiffe_subject_mismatch"; UNIMPLEMENTED "not_provisioned";
  // UNAVAILABLE "spiffe_bundle_unreachable"; FAILED_PRECONDITION "spiffe_bundle_unconfigured";
  // RESOURCE_EXHAUSTED "access_token_limit_reached"; those of the store.
  sdk::Result<AccessToken> sign_in(const SignInOrder& order) const;

 private:
  // The API token that was traded, if that is how the identity signs in.
  struct Proof {
    std::optional<BearerRecord> api_token;
  };
  sdk::Result<ServiceIdentityRow> find_client(const SignInOrder& order) const;
  sdk::Result<Proof> prove(const SignInOrder& order, const ServiceIdentityRow& identity) const;
  sdk::Result<Proof> prove_by_api_token(const SignInOrder& order,
                                        const ServiceIdentityRow& identity) const;
  sdk::Result<Proof> prove_by_svid(const SignInOrder& order,
                                   const ServiceIdentityRow& identity) const;
  sdk::Status check_signature(std::string_view algorithm, const std::string& key_id,
                              std::string_view input, std::string_view signature) const;
  sdk::Result<AccessToken> mint(const SignInOrder& order, const ServiceIdentityRow& identity,
                                const Proof& proof) const;
  sdk::Status store(const AccessTokenRow& token, const SignInOrder& order,
                    const ServiceIdentityRow& identity) const;

  SignInPorts ports_;
  const ServiceIdentityStore& identities_;
  OperatorAuthentication& bearers_;
  TrustBundle& bundle_;
  const SignInPolicy policy_;
};

}  // namespace plexsphere::identity

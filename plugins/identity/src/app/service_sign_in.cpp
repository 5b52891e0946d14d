#include "app/service_sign_in.hpp"

#include <nlohmann/json.hpp>

#include "app/jwt_svid.hpp"

namespace plexsphere::identity {
namespace {

using sdk::Code;
using sdk::Error;

Error invalid_client() {
  return {Code::unauthenticated, "invalid_client", "The client or its secret is not known."};
}

Error verification_failed(std::string_view what) {
  return {Code::unauthenticated, "spiffe_verification_failed",
          "The assertion is refused: " + std::string(what) + "."};
}

Error kind_mismatch() {
  return {Code::permission_denied, "federation_kind_mismatch",
          "This service identity signs in another way."};
}

Error not_provisioned() {
  return {Code::unimplemented, "not_provisioned",
          "This deployment cannot verify how this service identity signs in."};
}

sdk::Event signed_in(const ServiceIdentityRow& identity, const AccessTokenRow& token,
                     const SignInOrder& order) {
  const nlohmann::json payload{
      {"id", identity.id.text()},
      {"domain_id", identity.domain_id.text()},
      {"federation_kind", text_of(identity.federation)},
      {"grant", order.grant == Grant::jwt_bearer ? "jwt_bearer" : "client_credentials"},
      {"access_token_id", token.id.text()},
      {"expires_at", sdk::rfc3339(token.expires_at)}};
  return {{},
          identity.domain_id,
          "identity.ServiceIdentityAuthenticated",
          "service_identity",
          identity.id,
          payload.dump(),
          order.call.correlation_id};
}

}  // namespace

sdk::Result<AccessToken> ServiceSignIn::sign_in(const SignInOrder& order) const {
  auto identity = find_client(order);
  if (!identity.ok()) {
    return identity.error();
  }
  auto proof = prove(order, *identity);
  if (!proof.ok()) {
    // Not audited: anybody may call this, and could fill the Domain's chain.
    ports_.log.warn("service_sign_in_refused", {{"service_identity_id", identity->id.text()},
                                                {"reason", proof.error().reason},
                                                {"correlation_id", order.call.correlation_id}});
    return proof.error();
  }
  return mint(order, *identity, *proof);
}

sdk::Result<ServiceIdentityRow> ServiceSignIn::find_client(const SignInOrder& order) const {
  const auto id = sdk::Uuid::parse(order.client_id);
  if (!id) {
    return invalid_client();
  }
  auto found = identities_.find(*id);
  if (!found.ok()) {
    return found.error();
  }
  return *found ? sdk::Result<ServiceIdentityRow>(std::move(**found))
                : sdk::Result<ServiceIdentityRow>(invalid_client());
}

sdk::Result<ServiceSignIn::Proof> ServiceSignIn::prove(const SignInOrder& order,
                                                       const ServiceIdentityRow& identity) const {
  const bool api_token = order.credential.view().starts_with("psk_");
  if (!grant_fits(identity.federation, order.grant, api_token)) {
    return kind_mismatch();
  }
  switch (identity.federation) {
    case FederationKind::api_token:
      return prove_by_api_token(order, identity);
    case FederationKind::spiffe_svid:
      return prove_by_svid(order, identity);
    case FederationKind::oidc_cc:
      break;
  }
  return not_provisioned();
}

sdk::Result<ServiceSignIn::Proof> ServiceSignIn::prove_by_api_token(
    const SignInOrder& order, const ServiceIdentityRow& identity) const {
  auto found = bearers_.resolve(order.credential.view());
  if (!found.ok()) {
    return found.error();
  }
  const bool own =
      *found && (*found)->owner_kind == OwnerKind::service && (*found)->owner_id == identity.id;
  return own ? sdk::Result<Proof>(Proof{std::move(*found)}) : sdk::Result<Proof>(invalid_client());
}

sdk::Result<ServiceSignIn::Proof> ServiceSignIn::prove_by_svid(
    const SignInOrder& order, const ServiceIdentityRow& identity) const {
  if (!bundle_.configured()) {
    return not_provisioned();
  }
  if (trust_domain_of(identity.subject) != bundle_.trust_domain()) {
    return Error{Code::failed_precondition, "spiffe_bundle_unconfigured",
                 "No bundle is configured for the trust domain of this service identity."};
  }
  const auto svid = parse_jwt_svid(order.credential.view());
  if (!svid) {
    return verification_failed("it is not a well-formed JWT-SVID");
  }
  auto signed_by =
      check_signature(svid->algorithm, svid->key_id, svid->signing_input, svid->signature);
  if (!signed_by.ok()) {
    return signed_by.error();
  }
  const auto now = std::chrono::floor<std::chrono::seconds>(ports_.clock.now());
  if (const auto refused = refuse_claims(svid->claims, identity.audience, bundle_.trust_domain(),
                                         now.time_since_epoch())) {
    return verification_failed(*refused);
  }
  if (svid->claims.subject != identity.subject) {
    return Error{Code::permission_denied, "spiffe_subject_mismatch",
                 "The assertion is about another subject than this service identity."};
  }
  return Proof{};
}

sdk::Status ServiceSignIn::check_signature(std::string_view algorithm, const std::string& key_id,
                                           std::string_view input,
                                           std::string_view signature) const {
  auto key = bundle_.key(key_id);
  if (!key.ok()) {
    return key.error();
  }
  if (!*key) {
    return verification_failed("its key is not in the trust bundle");
  }
  if (!(*key)->algorithm.empty() && (*key)->algorithm != algorithm) {
    return verification_failed("its key is for another algorithm");
  }
  const auto verified = ports_.verify.check(algorithm, (*key)->key, input, signature);
  return verified.ok() ? sdk::Status{}
                       : sdk::Status(verification_failed("its signature does not verify"));
}

sdk::Result<AccessToken> ServiceSignIn::mint(const SignInOrder& order,
                                             const ServiceIdentityRow& identity,
                                             const Proof& proof) const {
  const sdk::Instant now = ports_.clock.now();
  const sdk::Uuid id = sdk::Uuid::v7(sdk::to_ms(now));
  MintedBearer minted = mint_access_token(id);
  AccessTokenRow token{
      id, identity.id, {}, minted.secret_sha256, now, now + policy_.access_token_ttl};
  if (proof.api_token) {
    token.api_token_id = proof.api_token->id;
    // It does not outlive what was traded for it: the first secret is the token's present one.
    token.expires_at = std::min(token.expires_at, proof.api_token->secrets.front().until);
  }
  const auto lives_for = std::chrono::floor<std::chrono::seconds>(token.expires_at - now);
  if (lives_for < std::chrono::seconds(1)) {
    return invalid_client();
  }
  auto stored = store(token, order, identity);
  return stored.ok() ? sdk::Result<AccessToken>({std::move(minted.plaintext), lives_for})
                     : sdk::Result<AccessToken>(stored.error());
}

sdk::Status ServiceSignIn::store(const AccessTokenRow& token, const SignInOrder& order,
                                 const ServiceIdentityRow& identity) const {
  auto tx = ports_.store.begin();
  if (!tx.ok()) {
    return tx.error();
  }
  auto enabled = identities_.sign_in(*tx, identity.id, token.created_at);
  if (!enabled.ok() || !*enabled) {
    return enabled.ok() ? sdk::Status(invalid_client()) : sdk::Status(enabled.error());
  }
  auto live = identities_.count_access_tokens(*tx, identity.id, token.created_at);
  if (!live.ok()) {
    return live.error();
  }
  if (*live >= policy_.most_live) {
    return Error{Code::resource_exhausted, "access_token_limit_reached",
                 "The service identity has " + std::to_string(policy_.most_live) +
                     " live access tokens, which is the most: use them until they expire."};
  }
  if (auto done = identities_.insert_access_token(*tx, token); !done.ok()) {
    return done;
  }
  if (auto done = ports_.outbox.append(*tx, signed_in(identity, token, order)); !done.ok()) {
    return done;
  }
  const Caller self{{"service-identity", identity.id, identity.domain_id}, token.id, order.call};
  auto staged =
      ports_.audit.stage(*tx, owner_entry(self, identity.domain_id, "service_identity.authenticate",
                                          "service-identity", identity.id));
  return staged.ok() ? tx->commit() : staged;
}

}  // namespace plexsphere::identity

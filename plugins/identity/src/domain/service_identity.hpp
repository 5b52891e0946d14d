// The rules of service identities: the one way each signs in, and what a SPIFFE id is.
// Pure; any thread.
#pragma once

#include <optional>
#include <string_view>

namespace plexsphere::identity {

// Pinned for the identity's life.
enum class FederationKind { oidc_cc, spiffe_svid, api_token };
std::optional<FederationKind> federation_kind(std::string_view text);
std::string_view text_of(FederationKind kind);

// A SPIFFE id (SPIFFE-ID, 2): spiffe://<trust domain>/<path>, at most 2048 bytes; the trust domain
// of a-z, 0-9, '.', '-' and '_', at most 255; path segments not empty, not "." or "..", of letters,
// digits, '.', '-' and '_'. A workload's id has a path.
bool valid_spiffe_id(std::string_view text);
bool valid_trust_domain(std::string_view text);
// The trust domain of a valid SPIFFE id.
std::string_view trust_domain_of(std::string_view spiffe_id);

// How somebody asks for an access token.
enum class Grant { client_credentials, jwt_bearer };
std::optional<Grant> grant_of(std::string_view grant_type);

// Whether an identity of this kind may sign in so. A client secret that is an API token is the
// credential of `api_token`, any other is one that an identity provider would know, of `oidc_cc`.
bool grant_fits(FederationKind kind, Grant grant, bool secret_is_api_token);

}  // namespace plexsphere::identity

// What the routes of API tokens and service identities answer alike. Pure, any thread.
#pragma once

#include "app/api_token_service.hpp"
#include "plexsphere/sdk/json.hpp"
#include "plexsphere/sdk/router.hpp"

namespace plexsphere::identity {

// By reason where these routes have a code, else as the rest of the context does.
sdk::Problem credential_problem(const sdk::Error& error);

Caller caller_of(const sdk::Request& request);

// An answer that holds a secret once: `public_part` with `name` added. The plaintext is spliced
// into the finished text, so that the JSON library keeps no copy, and the body is zeroed once it is
// sent.
void send_once(sdk::Responder& responder, int status, const sdk::Json& public_part,
               std::string_view name, std::string_view plaintext, sdk::Headers headers);

// APITokenIssueResponse with 201, or APITokenRotateResponse with 200 and its Sunset; or the
// problem.
void send_fresh_token(sdk::Responder& responder, const sdk::Result<FreshApiToken>& outcome);
// [APITokenSummary]
sdk::Answer token_list(const sdk::Result<std::vector<ApiTokenRow>>& tokens);
sdk::Answer revoked(const sdk::Status& outcome);

// APITokenIssueRequest, yet without its owner's row. INVALID_ARGUMENT "invalid_body".
struct IssueRequest {
  OwnerKind owner_kind = OwnerKind::user;
  sdk::Uuid owner_id;
  std::string env_prefix;
  std::optional<std::int64_t> ttl_seconds;
};
sdk::Result<IssueRequest> decode_issue_request(std::string_view body);
// "user:<uuid>" or "service:<uuid>"; nothing for anything else.
std::optional<std::pair<OwnerKind, sdk::Uuid>> decode_identity_ref(std::string_view text);

}  // namespace plexsphere::identity

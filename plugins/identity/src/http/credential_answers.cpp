#include "http/credential_answers.hpp"

#include <algorithm>
#include <array>

#include "http/actor.hpp"
#include "http/errors.hpp"
#include "http/http_date.hpp"
#include "plexsphere/sdk/problems.hpp"
#include "plexsphere/sdk/secret.hpp"

namespace plexsphere::identity {
namespace {

using sdk::Json;

struct Known {
  std::string_view reason;
  int status;
};

constexpr std::array kKnown{
    Known{"invalid_body", 400},
    Known{"identity_ref_mismatch", 400},
    Known{"unauthenticated", 401},
    Known{"ttl_too_long", 400},
    Known{"federated_identity", 400},
    Known{"identity_disabled", 400},
    Known{"api_token_limit_reached", 400},
    Known{"identity_overloaded", 503},
    Known{"domain_not_found", 404},
    Known{"service_identity_already_exists", 409},
    Known{"invalid_client", 401},
    Known{"spiffe_verification_failed", 401},
    Known{"federation_kind_mismatch", 403},
    Known{"spiffe_subject_mismatch", 403},
    Known{"access_token_limit_reached", 429},
    Known{"not_provisioned", 501},
    Known{"spiffe_bundle_unreachable", 502},
    Known{"spiffe_bundle_unconfigured", 502},
};

sdk::Headers advice(int status) {
  if (status == 503) {
    return {{"Retry-After", "1"}};
  }
  return status == 429 ? sdk::Headers{{"Retry-After", "60"}} : sdk::Headers{};
}

Json summary(const ApiTokenRow& token) {
  Json out{{"id", token.id.text()},
           {"env_prefix", token.env_prefix},
           {"created_at", sdk::rfc3339(token.created_at)},
           {"expires_at", sdk::rfc3339(token.expires_at)}};
  if (token.last_used_at) {
    out["last_used_at"] = sdk::rfc3339(*token.last_used_at);
  }
  if (token.rotated_at) {
    out["rotated_at"] = sdk::rfc3339(*token.rotated_at);
  }
  return out;
}

}  // namespace

sdk::Problem credential_problem(const sdk::Error& error) {
  const auto* known =
      std::ranges::find_if(kKnown, [&](const Known& k) { return k.reason == error.reason; });
  return known == kKnown.end()
             ? problem_of(error)
             : sdk::Problem{known->status, error.reason, error.detail, {}, advice(known->status)};
}

Caller caller_of(const sdk::Request& request) {
  return {actor_of(request), request.principal().credential_id, CallContext::of(request)};
}

void send_once(sdk::Responder& responder, int status, const Json& public_part,
               std::string_view name, std::string_view plaintext, sdk::Headers headers) {
  const std::string rest = public_part.dump();
  std::string body;
  body.reserve(rest.size() + name.size() + plaintext.size() + 8);
  body.append(rest, 0, rest.size() - 1).append(",\"").append(name).append("\":\"");
  body.append(plaintext).append("\"}");
  headers.emplace_back("Cache-Control", "no-store");
  sdk::Answer out = sdk::Response{status, std::move(body), "application/json", std::move(headers)};
  responder.send(out);
  sdk::zero(std::get<sdk::Response>(out).body);
}

void send_fresh_token(sdk::Responder& responder, const sdk::Result<FreshApiToken>& outcome) {
  if (!outcome.ok()) {
    responder.send(credential_problem(outcome.error()));
    return;
  }
  const FreshApiToken& fresh = outcome.value();
  Json body{{"id", fresh.token.id.text()},
            {"env_prefix", fresh.token.env_prefix},
            {"expires_at", sdk::rfc3339(fresh.token.expires_at)}};
  sdk::Headers headers;
  if (fresh.rotation_deadline) {
    body["rotation_deadline"] = sdk::rfc3339(*fresh.rotation_deadline);
    headers.emplace_back("Sunset", http_date(*fresh.rotation_deadline));
  }
  send_once(responder, fresh.rotation_deadline ? 200 : 201, body, "plaintext",
            fresh.plaintext.view(), std::move(headers));
}

sdk::Answer token_list(const sdk::Result<std::vector<ApiTokenRow>>& tokens) {
  if (!tokens.ok()) {
    return credential_problem(tokens.error());
  }
  Json out = Json::array();
  for (const ApiTokenRow& token : tokens.value()) {
    out.push_back(summary(token));
  }
  return sdk::Response::json(200, out.dump());
}

sdk::Answer revoked(const sdk::Status& outcome) {
  return outcome.ok() ? sdk::Answer(sdk::Response::empty(204))
                      : sdk::Answer(credential_problem(outcome.error()));
}

std::optional<std::pair<OwnerKind, sdk::Uuid>> decode_identity_ref(std::string_view text) {
  const auto ref = parse_identity_ref(text);
  const auto id = ref ? sdk::Uuid::parse(ref->id) : std::nullopt;
  return id && !id->is_zero() ? std::optional(std::pair(ref->kind, *id)) : std::nullopt;
}

sdk::Result<IssueRequest> decode_issue_request(std::string_view body) {
  auto json = sdk::parse_json(body);
  if (!json.ok()) {
    return json.error();
  }
  sdk::BodyReader reader(*json);
  IssueRequest out;
  const auto owner = decode_identity_ref(reader.text("identity_ref", 1, 128));
  out.env_prefix = reader.text("env_prefix", 1, 16);
  out.ttl_seconds = reader.optional_integer("ttl_seconds", 1, kLongestApiTokenSeconds);
  if (!owner) {
    reader.fail("\"identity_ref\" must be user:<uuid> or service:<uuid>");
  }
  if (!api_env_prefix(out.env_prefix)) {
    reader.fail("\"env_prefix\" must be dev, stage or prod");
  }
  if (const auto fault = reader.fault()) {
    return sdk::Error{sdk::Code::invalid_argument, "invalid_body",
                      "The body is refused: " + *fault + "."};
  }
  out.owner_kind = owner->first;
  out.owner_id = owner->second;
  return out;
}

}  // namespace plexsphere::identity

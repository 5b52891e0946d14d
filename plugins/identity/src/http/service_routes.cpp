#include "http/service_routes.hpp"

#include "http/credential_answers.hpp"
#include "plexsphere/sdk/encoding.hpp"
#include "plexsphere/sdk/problems.hpp"

namespace plexsphere::identity {
namespace {

using sdk::Code;
using sdk::Error;
using sdk::Json;

constexpr std::size_t kLongestText = 4096;
// Four texts of 4096 characters, each of which JSON may write with six bytes and more.
constexpr std::uint64_t kSignInBody = 65'536;

Error refused(std::string code, const std::string& what) {
  return {Code::invalid_argument, std::move(code), "The body is refused: " + what + "."};
}

sdk::Problem bad_body(const Error& error) {
  return sdk::bad_request(error.reason, error.detail);
}

Json summary(const ServiceIdentityRow& row) {
  return {{"id", row.id.text()},
          {"kind", "service-identity"},
          {"domain_id", row.domain_id.text()},
          {"display_name", row.display_name},
          {"external_subject_pseudonym", sdk::hex_encode(row.pseudonym)},
          {"created_at", sdk::rfc3339(row.created_at)}};
}

sdk::Answer create(const sdk::Request& request, const ServiceIdentities& identities) {
  auto order = detail::decode_service_identity(request.body());
  if (!order.ok()) {
    return bad_body(order.error());
  }
  order->domain_id = request.uuid("id");
  auto row = identities.create(*order, caller_of(request));
  if (!row.ok()) {
    return credential_problem(row.error());
  }
  sdk::Response out = sdk::Response::json(201, summary(*row).dump());
  out.headers.emplace_back(
      "Location", "/v1/domains/" + row->domain_id.text() + "/identities/" + row->id.text());
  return out;
}

void sign_in(const sdk::Request& request, const ServiceSignIn& service, sdk::Responder responder) {
  bool scoped = false;
  auto order = detail::decode_sign_in(request.body(), scoped);
  if (!order.ok()) {
    responder.send(bad_body(order.error()));
    return;
  }
  order->call = CallContext::of(request);
  auto token = service.sign_in(*order);
  if (!token.ok()) {
    responder.send(credential_problem(token.error()));
    return;
  }
  Json body{{"token_type", "Bearer"}, {"expires_in", token->lives_for.count()}};
  if (scoped) {
    body["scope"] = "";  // none was granted: relations decide what the identity may do
  }
  send_once(responder, 200, body, "access_token", token->plaintext.view(), {});
}

// Whether the member is there; its bounds are checked, and no copy of it is left.
bool bounded_text(sdk::BodyReader& reader, const char* name) {
  auto text = reader.optional_text(name, 0, kLongestText);
  if (text) {
    sdk::zero(*text);
  }
  return text.has_value();
}

// Moves the member's text out of the document, and leaves none of it behind there.
SecretText take_secret(Json& body, const char* name) {
  const auto at = body.find(name);
  if (at == body.end() || !at->is_string()) {
    return {};
  }
  auto& text = at->get_ref<std::string&>();
  SecretText out{std::string(text)};
  sdk::zero(text.data(), text.size());
  return out;
}

bool blank(std::string_view text) {
  return text.find_first_not_of(" \t\r\n") == std::string_view::npos;
}

}  // namespace

namespace detail {

sdk::Result<NewServiceIdentity> decode_service_identity(std::string_view body) {
  const char* const code = "invalid_service_identity";
  const auto json = sdk::parse_json(body);
  if (!json.ok()) {
    return Error{Code::invalid_argument, code, json.error().detail};
  }
  sdk::BodyReader reader(*json);
  NewServiceIdentity out;
  out.display_name = reader.text("display_name", 1, 256);
  out.subject = reader.text("subject", 1, 2048);
  out.audience = reader.text("audience", 1, 256);
  const auto kind = federation_kind(reader.text("federation_kind", 1, 32));
  if (blank(out.display_name) || blank(out.subject) || blank(out.audience)) {
    reader.fail("\"display_name\", \"subject\" and \"audience\" must not be blank");
  }
  if (!kind) {
    reader.fail("\"federation_kind\" must be oidc_cc, spiffe_svid or api_token");
  }
  if (kind == FederationKind::spiffe_svid && !valid_spiffe_id(out.subject)) {
    reader.fail("\"subject\" must be a SPIFFE id: spiffe://<trust domain>/<path>");
  }
  if (const auto fault = reader.fault()) {
    return refused(code, *fault);
  }
  out.federation = *kind;
  return out;
}

sdk::Result<SignInOrder> decode_sign_in(std::string_view body, bool& scoped) {
  auto json = sdk::parse_json(body);
  if (!json.ok()) {
    return json.error();
  }
  sdk::BodyReader reader(*json);
  const std::string grant_type = reader.text("grant_type", 1, kLongestText);
  SignInOrder out;
  out.client_id = reader.optional_text("client_id", 0, kLongestText).value_or("");
  scoped = reader.optional_text("scope", 0, kLongestText).has_value();
  const bool has_secret = bounded_text(reader, "client_secret");
  const bool has_assertion = bounded_text(reader, "client_assertion");
  const auto fault = reader.fault();
  SecretText given = take_secret(*json, "client_secret");
  SecretText asserted = take_secret(*json, "client_assertion");
  if (fault) {
    return refused("invalid_body", *fault);
  }
  const auto grant = grant_of(grant_type);
  if (!grant) {
    return refused("unsupported_grant_type",
                   "\"grant_type\" must be client_credentials or "
                   "urn:ietf:params:oauth:grant-type:jwt-bearer");
  }
  const bool by_assertion = *grant == Grant::jwt_bearer;
  const SecretText& wanted = by_assertion ? asserted : given;
  if (out.client_id.empty() || wanted.view().empty() ||
      (by_assertion ? has_secret : has_assertion)) {
    return refused("invalid_body", by_assertion
                                       ? "this grant takes \"client_id\" and \"client_assertion\""
                                       : "this grant takes \"client_id\" and \"client_secret\"");
  }
  out.grant = *grant;
  out.credential = by_assertion ? std::move(asserted) : std::move(given);
  return out;
}

}  // namespace detail

sdk::Status add_service_routes(const sdk::Router& router, const ServiceIdentities& identities,
                               const ServiceSignIn& sign_in_service) {
  sdk::Route made{"POST", "/v1/domains/{id}/service-identities"};
  made.permission = "manage";
  made.object_type = "domain";
  made.object_parameter = "id";
  made.not_found_code = "domain_not_found";
  made.bad_id_code = "invalid_domain_id";
  auto added = router.add(
      made, [&identities](const sdk::Request& request) { return create(request, identities); });
  if (!added.ok()) {
    return added;
  }
  sdk::Route token{"POST", "/v1/auth/service/token", PX_AUTH_NONE};
  token.body_limit = kSignInBody;
  return router.add_async(
      token, [&sign_in_service](const sdk::Request& request, sdk::Responder responder) {
        sign_in(request, sign_in_service, std::move(responder));
      });
}

}  // namespace plexsphere::identity

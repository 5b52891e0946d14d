// Service identities and their sign-in: every status and code of the contract but 500, except the
// two that need an identity provider on the network.
#include <catch2/catch.hpp>
#include <fstream>

#include "contract/site.hpp"
#include "contract/specification.hpp"
#include "contract/workload.hpp"
#include "support/wait_until.hpp"

using namespace plexsphere;
using namespace std::chrono_literals;
using contract::Client;
using contract::hold;
using contract::IssuerKey;
using contract::kNobody;
using contract::Site;
using contract::with;
using contract::without;
using nlohmann::json;

namespace {

const std::string kSignIn = "/v1/auth/service/token";
const std::string kBig = json{{"x", std::string(70'000, 'x')}}.dump();
constexpr const char* kJwtBearer = "urn:ietf:params:oauth:grant-type:jwt-bearer";

std::string identities_of(const std::string& domain) {
  return "/v1/domains/" + domain + "/service-identities";
}

json identity(const std::string& subject, const std::string& kind = "api_token") {
  return {{"display_name", "Build robot"},
          {"subject", subject},
          {"audience", "plexsphere"},
          {"federation_kind", kind}};
}

std::string make(Site& site, const std::string& subject, const std::string& kind = "api_token") {
  const auto made = site.op().call("POST", identities_of(site.domain()), identity(subject, kind));
  REQUIRE(made.outcome() == "201");
  return made.body.at("id");
}

// The identity's API token, from the platform's operator.
json give_token(Site& site, const std::string& id) {
  const auto made = site.op().call("POST", "/v1/admin/tokens",
                                   {{"identity_ref", "service:" + id}, {"env_prefix", "prod"}});
  REQUIRE(made.outcome() == "201");
  return made.body;
}

json by_secret(const std::string& id, const std::string& secret) {
  return {{"grant_type", "client_credentials"}, {"client_id", id}, {"client_secret", secret}};
}
json by_assertion(const std::string& id, const std::string& assertion) {
  return {{"grant_type", kJwtBearer}, {"client_id", id}, {"client_assertion", assertion}};
}

std::string whoami(const Client& client, const std::string& bearer) {
  return client.as(bearer).call("GET", "/v1/auth/whoami").outcome();
}

std::int64_t unix_now() {
  return std::chrono::duration_cast<std::chrono::seconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

json claims(const std::string& subject) {
  return {
      {"sub", subject}, {"aud", {"plexsphere"}}, {"iat", unix_now()}, {"exp", unix_now() + 300}};
}

// A replica that trusts `example.org` by the bundle in a file of its own.
class Trusting {
 public:
  explicit Trusting(Site& site, const std::string& file = "bundle.json")
      : file_(site.deployment().directory() / file),
        client_(contract::published_by(site.url()),
                site.deployment()
                    .start_core("[context.identity]\nspiffe_bundle_file = \"" + file_.string() +
                                "\"\nspiffe_trust_domain = \"example.org\"\n")
                    .url(),
                "") {}

  void publish(const std::vector<const IssuerKey*>& keys) const {
    json bundle{{"keys", json::array()}, {"spiffe_sequence", 1}};
    for (const IssuerKey* key : keys) {
      bundle["keys"].push_back(key->jwk());
    }
    const auto fresh = file_.string() + ".new";
    std::ofstream(fresh) << bundle.dump();
    std::filesystem::rename(fresh, file_);
  }
  std::string outcome(const json& body) const {
    return client_.call("POST", kSignIn, body).outcome();
  }
  const Client& client() const { return client_; }

 private:
  std::filesystem::path file_;
  Client client_;
};

int events(Site& site, const std::string& type, const std::string& id) {
  return site.count("platform.outbox WHERE event_type = '" + type + "' AND aggregate_id = '" + id +
                    "'");
}
// In the Domain's chain, which knows persons and machines by pseudonyms only.
int audited(Site& site, const std::string& action) {
  return site.count("audit.audit_log_entry WHERE relation = '" + action + "' AND domain_id = '" +
                    site.domain() + "'");
}

}  // namespace

TEST_CASE("CreateServiceIdentity", "[contract][service]") {
  Site& site = Site::shared();
  const auto op = site.op();
  const std::string path = identities_of(site.domain());
  const json good = identity("the robot's subject");
  hold({
      {"401 unauthenticated", site.anybody(), "POST", path, good.dump()},
      {"403 permission_denied", site.stranger(), "POST", path, good.dump()},
      {"403 permission_denied", site.stranger(), "POST", identities_of(kNobody), good.dump()},
      {"404 domain_not_found", op, "POST", identities_of(kNobody), good.dump()},
      {"400 invalid_domain_id", op, "POST", identities_of("x"), good.dump()},
      {"413 request_body_too_large", op, "POST", path, kBig},
      {"400 invalid_service_identity", op, "POST", path, "{"},
      {"400 invalid_service_identity", op, "POST", path, without(good, "subject")},
      {"400 invalid_service_identity", op, "POST", path, without(good, "audience")},
      {"400 invalid_service_identity", op, "POST", path, with(good, "display_name", "")},
      {"400 invalid_service_identity", op, "POST", path, with(good, "federation_kind", "saml")},
      {"400 invalid_service_identity", op, "POST", path,
       with(good, "federation_kind", "spiffe_svid")},
      {"400 invalid_service_identity", op, "POST", path, with(good, "surprise", 1)},
      {"201", op, "POST", path, identity("spiffe://example.org/made", "spiffe_svid").dump()},
      {"201", op, "POST", path, identity("an IdP's subject", "oidc_cc").dump()},
      {"201", op, "POST", path, with(good, "subject", std::string(2048, 's'))},
  });
  const int before = audited(site, "service_identity.create");
  const auto made = op.call("POST", path, good);
  REQUIRE(made.outcome() == "201");
  const std::string id = made.body.at("id");
  CHECK(made.headers.at("Location") == "/v1/domains/" + site.domain() + "/identities/" + id);
  CHECK(made.body.at("kind") == "service-identity");
  CHECK_THAT(made.body.dump(), !Catch::Contains("robot's"));
  CHECK(op.send("POST", path, good.dump()).outcome() == "409 service_identity_already_exists");

  CHECK(events(site, "ServiceIdentityProvisioned", id) == 1);
  CHECK(audited(site, "service_identity.create") == before + 1);
  CHECK(site.count("platform.outbox WHERE payload::text LIKE '%the robot%'") == 0);
  CHECK(
      site.count("authz.relation_tuples WHERE object_type = 'service-identity' AND object_id = '" +
                 id + "' AND relation = 'parent' AND subject_id = '" + site.domain() + "'") == 1);

  const std::string other = site.deployment().op().create_domain("other", "10.8.0.0/16");
  const auto twin = op.call("POST", identities_of(other), good);
  REQUIRE(twin.outcome() == "201");  // unique within its Domain
  CHECK(twin.body.at("external_subject_pseudonym") != made.body.at("external_subject_pseudonym"));
}

TEST_CASE("a service identity signs in with its API token", "[contract][service]") {
  Site& site = Site::shared();
  const auto anybody = site.anybody();
  const std::string id = make(site, "token robot");
  const std::string another = make(site, "another token robot");
  const json token = give_token(site, id);
  const std::string secret = token.at("plaintext");
  const json good = by_secret(id, secret);
  std::string forged = secret;
  forged[forged.size() - 5] = forged[forged.size() - 5] == 'a' ? 'b' : 'a';
  const std::string operators = site.deployment().operator_token();
  hold({
      {"413 request_body_too_large", anybody, "POST", kSignIn, kBig},
      {"400 invalid_body", anybody, "POST", kSignIn, "{"},
      {"400 invalid_body", anybody, "POST", kSignIn, without(good, "client_id")},
      {"400 invalid_body", anybody, "POST", kSignIn, without(good, "client_secret")},
      {"400 invalid_body", anybody, "POST", kSignIn, with(good, "client_assertion", "a.b.c")},
      {"400 unsupported_grant_type", anybody, "POST", kSignIn,
       with(good, "grant_type", "password")},
      {"401 invalid_client", anybody, "POST", kSignIn, with(good, "client_id", kNobody)},
      {"401 invalid_client", anybody, "POST", kSignIn, with(good, "client_id", "robot")},
      {"401 invalid_client", anybody, "POST", kSignIn, by_secret(id, forged).dump()},
      {"401 invalid_client", anybody, "POST", kSignIn, by_secret(id, operators).dump()},
      {"401 invalid_client", anybody, "POST", kSignIn, by_secret(another, secret).dump()},
      {"403 federation_kind_mismatch", anybody, "POST", kSignIn,
       with(good, "client_secret", "an IdP's secret")},
      {"403 federation_kind_mismatch", anybody, "POST", kSignIn, by_assertion(id, "a.b.c").dump()},
  });
  CHECK(events(site, "identity.ServiceIdentityAuthenticated", id) == 0);
  const int before = audited(site, "service_identity.authenticate");
  const auto in = anybody.call("POST", kSignIn, good);
  REQUIRE(in.outcome() == "200");
  CHECK(in.body.at("token_type") == "Bearer");
  CHECK(in.body.at("expires_in") == 900);
  CHECK_FALSE(in.body.contains("scope"));
  CHECK(events(site, "identity.ServiceIdentityAuthenticated", id) == 1);
  CHECK(audited(site, "service_identity.authenticate") == before + 1);

  const std::string access = in.body.at("access_token");
  const json who = anybody.as(access).call("GET", "/v1/auth/whoami").body;
  CHECK(who == json{{"principal_type", "service"},
                    {"principal_scope", "domain"},
                    {"subject", "token robot"},
                    {"domain_id", site.domain()}});
  CHECK(whoami(anybody, secret) == "200");  // the API token is a bearer by itself, too
  const std::string project = site.in_project("");
  CHECK(anybody.as(access).call("GET", project).outcome() == "403 permission_denied");
  site.sql(
      "INSERT INTO authz.relation_tuples (object_type, object_id, relation, subject_type, "
      "subject_id) VALUES ('project', '" +
      site.project() + "', 'member', 'service-identity', '" + id + "')");
  CHECK(anybody.as(access).call("GET", project).outcome() == "200");

  auto scoped = good;
  scoped["scope"] = "everything";
  CHECK(anybody.call("POST", kSignIn, scoped).body.at("scope") == "");
}

TEST_CASE("an access token ends with what it was traded for", "[contract][service]") {
  Site& site = Site::shared();
  const auto anybody = site.anybody();
  const auto refused = [&](const std::string& bearer) {
    return test_support::wait_until(
        5s, [&] { return whoami(anybody, bearer) == "401 unauthenticated"; });
  };
  const std::string id = make(site, "short robot");
  const auto sign_in = [&](const json& token) -> std::string {
    const auto in = anybody.call("POST", kSignIn, by_secret(id, token.at("plaintext")));
    REQUIRE(in.outcome() == "200");
    return in.body.at("access_token");
  };
  const json token = give_token(site, id);
  const std::string first = sign_in(token);
  CHECK(whoami(anybody, first) == "200");
  REQUIRE(
      site.op().call("DELETE", "/v1/admin/tokens/" + token.at("id").get<std::string>()).outcome() ==
      "204");
  CHECK(refused(first));
  CHECK(anybody.call("POST", kSignIn, by_secret(id, token.at("plaintext"))).outcome() ==
        "401 invalid_client");

  const auto brief = site.op().call(
      "POST", "/v1/admin/tokens",
      {{"identity_ref", "service:" + id}, {"env_prefix", "prod"}, {"ttl_seconds", 300}});
  const auto in = anybody.call("POST", kSignIn, by_secret(id, brief.body.at("plaintext")));
  REQUIRE(in.outcome() == "200");
  CHECK(in.body.at("expires_in").get<int>() <= 300);
  const std::string access = in.body.at("access_token");
  CHECK(whoami(anybody, access) == "200");
  site.sql(
      "UPDATE identity.service_access_token SET expires_at = now() WHERE "
      "service_identity_id = '" +
      id + "'");
  CHECK(refused(access));

  const std::string last = sign_in(brief.body);
  CHECK(whoami(anybody, last) == "200");
  site.sql("UPDATE identity.service_identity SET disabled_at = now() WHERE id = '" + id + "'");
  CHECK(refused(last));
  CHECK(refused(brief.body.at("plaintext")));
  CHECK(anybody.call("POST", kSignIn, by_secret(id, brief.body.at("plaintext"))).outcome() ==
        "401 invalid_client");
}

TEST_CASE("kinds that this deployment cannot verify are answered 501, after their own gate",
          "[contract][service]") {
  Site& site = Site::shared();
  const std::string oidc = make(site, "idp robot", "oidc_cc");
  const std::string spiffe = make(site, "spiffe://example.org/unwired", "spiffe_svid");
  const auto anybody = site.anybody();
  hold({
      {"501 not_provisioned", anybody, "POST", kSignIn, by_secret(oidc, "a secret").dump()},
      {"403 federation_kind_mismatch", anybody, "POST", kSignIn, by_secret(oidc, "psk_x").dump()},
      {"403 federation_kind_mismatch", anybody, "POST", kSignIn,
       by_assertion(oidc, "a.b.c").dump()},
      {"501 not_provisioned", anybody, "POST", kSignIn, by_assertion(spiffe, "a.b.c").dump()},
      {"403 federation_kind_mismatch", anybody, "POST", kSignIn,
       by_secret(spiffe, "a secret").dump()},
      {"400 federated_identity", site.op(), "POST", "/v1/admin/tokens",
       json{{"identity_ref", "service:" + spiffe}, {"env_prefix", "dev"}}.dump()},
  });
}

TEST_CASE("a workload signs in with its JWT-SVID", "[contract][service]") {
  Site& site = Site::shared();
  const Trusting trusting(site);
  const std::string subject = "spiffe://example.org/ns/prod/sa/web";
  const std::string id = make(site, subject, "spiffe_svid");
  const std::string foreign = make(site, "spiffe://example.com/web", "spiffe_svid");
  const IssuerKey key("k1");
  const IssuerKey stranger("k1");
  const json good = claims(subject);
  CHECK(trusting.outcome(by_assertion(id, key.sign(good))) == "502 spiffe_bundle_unreachable");
  trusting.publish({&key});
  CHECK(test_support::wait_until(
      10s, [&] { return trusting.outcome(by_assertion(id, key.sign(good))) == "200"; }));
  CHECK(trusting.outcome(by_assertion(foreign, key.sign(good))) ==
        "502 spiffe_bundle_unconfigured");

  const std::string failed = "401 spiffe_verification_failed";
  const auto altered = [&](const char* claim, const json& value) {
    return trusting.outcome(by_assertion(id, key.sign(json::parse(with(good, claim, value)))));
  };
  CHECK(altered("exp", unix_now() - 1) == failed);
  CHECK(altered("nbf", unix_now() + 3600) == failed);
  CHECK(altered("aud", "another") == failed);
  CHECK(altered("sub", "spiffe://example.com/web") == failed);
  CHECK(altered("sub", "web") == failed);
  CHECK(altered("sub", "spiffe://example.org/another") == "403 spiffe_subject_mismatch");
  CHECK(trusting.outcome(by_assertion(id, stranger.sign(good))) == failed);
  CHECK(trusting.outcome(by_assertion(id, key.sign(good, {{"kid", "k9"}}))) == failed);
  CHECK(trusting.outcome(by_assertion(id, key.sign(good, {{"alg", "none"}}))) == failed);
  CHECK(trusting.outcome(by_assertion(id, key.sign(good, {{"alg", "RS256"}}))) == failed);
  CHECK(trusting.outcome(by_assertion(id, "not a token")) == failed);

  const int before = events(site, "identity.ServiceIdentityAuthenticated", id);
  const auto in = trusting.client().call("POST", kSignIn, by_assertion(id, key.sign(good)));
  REQUIRE(in.outcome() == "200");
  CHECK(events(site, "identity.ServiceIdentityAuthenticated", id) == before + 1);
  CHECK(whoami(trusting.client(), in.body.at("access_token")) == "200");
  CHECK(whoami(site.anybody(), in.body.at("access_token")) == "200");  // any replica's
  CHECK(site.op()
            .as(in.body.at("access_token"))
            .call("POST", "/v1/auth/tokens",
                  {{"identity_ref", "service:" + id}, {"env_prefix", "dev"}})
            .outcome() == "400 federated_identity");

  const IssuerKey next("k2");
  trusting.publish({&key, &next});
  CHECK(test_support::wait_until(
      10s, [&] { return trusting.outcome(by_assertion(id, next.sign(good))) == "200"; }));
}

TEST_CASE("an identity has a bounded number of live access tokens", "[contract][service]") {
  Site& site = Site::shared();
  const auto& core =
      site.deployment().start_core("[context.identity]\nservice_access_token_limit = 2\n");
  const Client client(contract::published_by(site.url()), core.url(), "");
  const std::string id = make(site, "greedy robot");
  const json order = by_secret(id, give_token(site, id).at("plaintext"));
  CHECK(client.call("POST", kSignIn, order).outcome() == "200");
  CHECK(client.call("POST", kSignIn, order).outcome() == "200");
  const auto third = client.call("POST", kSignIn, order);
  CHECK(third.outcome() == "429 access_token_limit_reached");
  CHECK(third.headers.contains("Retry-After"));
  CHECK(events(site, "identity.ServiceIdentityAuthenticated", id) == 2);
}

TEST_CASE("sign-in is limited by address, before anything is looked up", "[contract][service]") {
  Site& site = Site::shared();
  const auto& core =
      site.deployment().start_core("[http]\nunauthenticated_rate = 1\nunauthenticated_burst = 3\n");
  const Client client(contract::published_by(site.url()), core.url(), "");
  std::vector<std::string> seen;
  for (int i = 0; i < 10; ++i) {
    seen.push_back(client.call("POST", kSignIn, by_secret(kNobody, "psk_x")).outcome());
  }
  CHECK(seen.front() == "401 invalid_client");
  CHECK(std::count(seen.begin(), seen.end(), "429 rate_limited") >= 5);
  CHECK(client.call("DELETE", "/v1/auth/whoami").outcome() == "429 rate_limited");
  CHECK(client.as(site.deployment().operator_token()).call("GET", "/v1/auth/whoami").outcome() ==
        "200");
}

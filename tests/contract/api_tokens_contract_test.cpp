// API tokens, one's own and anybody's, and whoami: every status and code of the contract but 500,
// and what an issue, a rotation and a revocation mean for the plaintexts.
#include <time.h>

#include <algorithm>
#include <array>
#include <catch2/catch.hpp>
#include <future>
#include <thread>

#include "contract/held_lock.hpp"
#include "contract/site.hpp"
#include "contract/specification.hpp"
#include "plexsphere/sdk/time.hpp"
#include "support/wait_until.hpp"

using namespace plexsphere;
using namespace std::chrono_literals;
using contract::Client;
using contract::hold;
using contract::kNobody;
using contract::Site;
using contract::with;
using contract::without;
using nlohmann::json;

namespace {

const std::string kOwn = "/v1/auth/tokens";
const std::string kAdmin = "/v1/admin/tokens";
const std::string kBig = json{{"x", std::string(9000, 'x')}}.dump();

json order_for(const std::string& reference) {
  return {{"identity_ref", reference}, {"env_prefix", "dev"}};
}

// A user, and a client with the token that the bootstrap gave it.
struct Owner {
  explicit Owner(Site& site, const std::string& name) {
    auto [user_id, token] = site.make_user(name);
    id = user_id;
    client = std::make_unique<Client>(site.op().as(token));
  }
  std::string reference() const { return "user:" + id; }
  json issue() const {
    const auto made = client->call("POST", kOwn, order_for(reference()));
    REQUIRE(made.outcome() == "201");
    return made.body;
  }

  std::string id;
  std::unique_ptr<Client> client;
};

std::string path_of(const std::string& collection, const json& token) {
  return collection + "/" + token.at("id").get<std::string>();
}
std::string plaintext(const json& token) {
  return token.at("plaintext");
}
std::string whoami(const Client& client) {
  return client.call("GET", "/v1/auth/whoami").outcome();
}
std::string known(const Client& like, const json& token) {
  return whoami(like.as(plaintext(token)));
}

sdk::Instant instant(const json& body, const char* name) {
  return sdk::parse_rfc3339(body.at(name).get<std::string>()).value();
}
sdk::Instant now() {
  return std::chrono::time_point_cast<std::chrono::microseconds>(std::chrono::system_clock::now());
}

// Audit rows and events about a token.
int rows_of(Site& site, const std::string& action, const json& token) {
  return site.count("audit.audit_log_entry WHERE relation = '" + action + "' AND object_id = '" +
                    token.at("id").get<std::string>() + "'");
}
int events_of(Site& site, const std::string& type, const json& token) {
  return site.count("platform.outbox WHERE event_type = 'identity." + type +
                    "' AND aggregate_id = '" + token.at("id").get<std::string>() + "'");
}

// A user who belongs to the site's Domain: sign-in is what makes them, and it is not built.
Owner domain_user(Site& site, const std::string& name) {
  Owner out(site, name);
  site.sql("UPDATE identity.user_account SET domain_id = '" + site.domain() + "' WHERE id = '" +
           out.id + "'");
  return out;
}

}  // namespace

TEST_CASE("PostAuthTokens", "[contract][tokens]") {
  Site& site = Site::shared();
  const Owner owner(site, "issuer");
  const Client& self = *owner.client;
  const json good = order_for(owner.reference());
  hold({
      {"401 unauthenticated", site.anybody(), "POST", kOwn, good.dump()},
      {"413 request_body_too_large", self, "POST", kOwn, kBig},
      {"400 invalid_body", self, "POST", kOwn, "{"},
      {"400 invalid_body", self, "POST", kOwn, without(good, "identity_ref")},
      {"400 invalid_body", self, "POST", kOwn, without(good, "env_prefix")},
      {"400 invalid_body", self, "POST", kOwn, with(good, "identity_ref", "user:me")},
      {"400 invalid_body", self, "POST", kOwn, with(good, "identity_ref", "node:" + owner.id)},
      {"400 invalid_body", self, "POST", kOwn, with(good, "env_prefix", "test")},
      {"400 invalid_body", self, "POST", kOwn, with(good, "ttl_seconds", 0)},
      {"400 invalid_body", self, "POST", kOwn, with(good, "ttl_seconds", 31'536'001)},
      {"400 invalid_body", self, "POST", kOwn, with(good, "surprise", 1)},
      {"400 identity_ref_mismatch", self, "POST", kOwn,
       with(good, "identity_ref", std::string("user:") + kNobody)},
      {"400 identity_ref_mismatch", self, "POST", kOwn,
       with(good, "identity_ref", "service:" + owner.id)},
      {"201", self, "POST", kOwn, with(good, "env_prefix", "prod")},
      {"201", self, "POST", kOwn, with(good, "ttl_seconds", 31'536'000)},
  });
  const auto made = self.call("POST", kOwn, json::parse(with(good, "ttl_seconds", 600)));
  REQUIRE(made.outcome() == "201");
  CHECK_FALSE(made.headers.contains("Sunset"));
  CHECK_THAT(plaintext(made.body), Catch::StartsWith("psk_dev_"));
  CHECK(std::chrono::abs(instant(made.body, "expires_at") - now() - 600s) < 60s);
  CHECK(std::chrono::abs(instant(owner.issue(), "expires_at") - now() - 90 * 24h) < 60s);
  CHECK(known(self, made.body) == "200");
  CHECK(rows_of(site, "api_token.issue", made.body) == 1);
  CHECK(events_of(site, "APITokenIssued", made.body) == 1);
}

TEST_CASE("GetAuthTokens lists the caller's live tokens, and when each was last used",
          "[contract][tokens]") {
  Site& site = Site::shared();
  const Owner owner(site, "lister");
  const Client& self = *owner.client;
  CHECK(site.anybody().call("GET", kOwn).outcome() == "401 unauthenticated");
  const json first = owner.issue();
  const json second = owner.issue();
  const auto entry = [&](const json& token) -> json {
    for (const json& each : self.call("GET", kOwn).body) {
      if (each.at("id") == token.at("id")) {
        return each;
      }
    }
    return nullptr;
  };
  CHECK(self.call("GET", kOwn).body.size() == 3);  // with the bootstrap's
  CHECK_THAT(self.call("GET", kOwn).body.dump(), !Catch::Contains("psk_"));
  CHECK_FALSE(entry(first).contains("last_used_at"));
  CHECK_FALSE(entry(first).contains("rotated_at"));
  CHECK(known(self, first) == "200");
  CHECK(test_support::wait_until(20s, [&] { return entry(first).contains("last_used_at"); }));
  CHECK_FALSE(entry(second).contains("last_used_at"));
  // Used again within the minute, it is not written again.
  const json before = entry(first);
  CHECK(known(self, first) == "200");
  CHECK(known(self, second) == "200");
  CHECK(test_support::wait_until(20s, [&] { return entry(second).contains("last_used_at"); }));
  CHECK(entry(first) == before);

  REQUIRE(self.call("DELETE", path_of(kOwn, second)).outcome() == "204");
  CHECK(entry(second).is_null());
  site.sql("UPDATE identity.api_token SET expires_at = now() WHERE id = '" +
           first.at("id").get<std::string>() + "'");
  CHECK(entry(first).is_null());
}

TEST_CASE("DeleteAuthTokenByID ends a token at once, on every replica", "[contract][tokens]") {
  Site& site = Site::shared();
  const Owner owner(site, "revoker");
  const Owner other(site, "another");
  const Client& self = *owner.client;
  const json token = owner.issue();
  const Client elsewhere(contract::published_by(site.url()), site.deployment().start_core().url(),
                         plaintext(token));
  CHECK(known(self, token) == "200");
  CHECK(whoami(elsewhere) == "200");
  const std::string path = path_of(kOwn, token);
  hold({
      {"401 unauthenticated", site.anybody(), "DELETE", path},
      {"404 not_found", *other.client, "DELETE", path},
      {"404 not_found", self, "DELETE", kOwn + "/" + kNobody},
      {"400 invalid_token_id", self, "DELETE", kOwn + "/x"},
      {"204", self, "DELETE", path},
      {"404 not_found", self, "DELETE", path},
  });
  CHECK(known(self, token) == "401 unauthenticated");
  CHECK(test_support::wait_until(5s, [&] { return whoami(elsewhere) == "401 unauthenticated"; }));
  CHECK(rows_of(site, "api_token.revoke", token) == 1);
  CHECK(events_of(site, "APITokenRevoked", token) == 1);
}

TEST_CASE("PostAuthTokenRotate gives a new plaintext, and the old one until its Sunset",
          "[contract][tokens]") {
  Site& site = Site::shared();
  const Owner owner(site, "rotator");
  const Owner other(site, "stranger-to-it");
  const Client& self = *owner.client;
  const json token = owner.issue();
  const std::string path = path_of(kOwn, token) + "/rotate";
  hold({
      {"401 unauthenticated", site.anybody(), "POST", path},
      {"404 not_found", *other.client, "POST", path},
      {"404 not_found", self, "POST", kOwn + "/" + kNobody + "/rotate"},
      {"400 invalid_token_id", self, "POST", kOwn + "/x/rotate"},
  });
  const auto first = self.call("POST", path);
  REQUIRE(first.outcome() == "200");
  CHECK(first.body.at("id") == token.at("id"));
  CHECK(first.body.at("expires_at") == token.at("expires_at"));
  CHECK(plaintext(first.body) != plaintext(token));
  const sdk::Instant deadline = instant(first.body, "rotation_deadline");
  CHECK(std::chrono::abs(deadline - now() - 24h) < 60s);
  std::tm sunset{};
  REQUIRE(::strptime(first.headers.at("Sunset").c_str(), "%a, %d %b %Y %H:%M:%S GMT", &sunset) !=
          nullptr);
  CHECK(std::chrono::seconds(::timegm(&sunset)) == deadline.time_since_epoch());

  const auto second = self.call("POST", path);
  REQUIRE(second.outcome() == "200");
  for (const json& each : {token, first.body, second.body}) {
    CHECK(known(self, each) == "200");  // the first deadline holds after a second rotation
  }
  CHECK(rows_of(site, "api_token.rotate", token) == 2);
  CHECK(events_of(site, "APITokenRotated", token) == 2);
  CHECK(site.count("identity.api_token_retired_secret WHERE token_id = '" +
                   token.at("id").get<std::string>() + "'") == 2);
  for (int i = 0; i < 5; ++i) {
    REQUIRE(self.call("POST", path).outcome() == "200");
  }
  CHECK(site.count("identity.api_token_retired_secret WHERE token_id = '" +
                   token.at("id").get<std::string>() + "'") == 5);
  REQUIRE(self.call("DELETE", path_of(kOwn, token)).outcome() == "204");
  CHECK(known(self, second.body) == "401 unauthenticated");
  CHECK(self.call("POST", path).outcome() == "404 not_found");
}

TEST_CASE("past the deadline the old plaintext is refused and the new one taken",
          "[contract][tokens]") {
  Site& site = Site::shared();
  const Owner owner(site, "late");
  const auto& quick =
      site.deployment().start_core("[context.identity]\napi_token_rotation_grace = \"2s\"\n");
  const Client self(contract::published_by(site.url()), quick.url(), "");
  const json token = owner.issue();
  const auto rotated = self.as(plaintext(token)).call("POST", path_of(kOwn, token) + "/rotate");
  REQUIRE(rotated.outcome() == "200");
  CHECK(test_support::wait_until(20s, [&] { return known(self, token) == "401 unauthenticated"; }));
  CHECK(now() >= instant(rotated.body, "rotation_deadline"));
  CHECK(known(self, rotated.body) == "200");
}

TEST_CASE("an identity has a bounded number of live tokens, whoever asks at once",
          "[contract][tokens]") {
  Site& site = Site::shared();
  const Owner owner(site, "hoarder");
  const auto& core = site.deployment().start_core(
      "[context.identity]\napi_token_limit = 4\napi_token_longest_ttl = \"1h\"\n");
  const Client self = Client(contract::published_by(site.url()), core.url(), "");
  const json bootstrap = owner.issue();  // two with the bootstrap's own
  const Client own = self.as(plaintext(bootstrap));
  const Client boss = self.as(site.deployment().operator_token());
  const std::string order = order_for(owner.reference()).dump();
  std::atomic<int> made{0};
  std::vector<std::thread> clients;
  for (int i = 0; i < 8; ++i) {
    clients.emplace_back([&] { made += own.send("POST", kOwn, order).status == 201 ? 1 : 0; });
  }
  for (std::thread& client : clients) {
    client.join();
  }
  CHECK(made == 2);
  hold({
      {"400 api_token_limit_reached", own, "POST", kOwn, order},
      {"400 ttl_too_long", own, "POST", kOwn,
       with(order_for(owner.reference()), "ttl_seconds", 3601)},
      {"400 api_token_limit_reached", boss, "POST", kAdmin, order},
      {"400 ttl_too_long", boss, "POST", kAdmin,
       with(order_for(owner.reference()), "ttl_seconds", 3601)},
  });
  CHECK(own.call("GET", kOwn).body.size() == 4);
}

TEST_CASE("a user who was disabled gets no token any more", "[contract][tokens]") {
  Site& site = Site::shared();
  const Owner owner(site, "dismissed");
  const auto set_disabled = [&](const std::string& when) {
    site.sql("UPDATE identity.user_account SET disabled_at = " + when + " WHERE id = '" + owner.id +
             "'");
  };
  // Within the second in which the credential is still known for good.
  CHECK(test_support::wait_until(20s, [&] {
    set_disabled("NULL");
    const bool warm = whoami(*owner.client) == "200";
    set_disabled("now()");
    const auto asked = owner.client->call("POST", kOwn, order_for(owner.reference()));
    return warm && asked.outcome() == "400 identity_disabled";
  }));
  CHECK(
      test_support::wait_until(5s, [&] { return whoami(*owner.client) == "401 unauthenticated"; }));
}

TEST_CASE("admin routes beyond the checks that may wait are answered at once",
          "[contract][tokens]") {
  Site& site = Site::shared();
  const Owner member = domain_user(site, "crowded");
  const json token = member.issue();
  const auto& core = site.deployment().start_core("[context.identity]\nadmin_check_capacity = 1\n");
  const Client op(contract::published_by(site.url()), core.url(),
                  site.deployment().operator_token());
  const auto twice_each = [&] {
    const std::string order = order_for(member.reference()).dump();
    std::vector<std::future<std::string>> asked;
    for (int i = 0; i < 2; ++i) {
      for (const auto& [method, target, body] :
           {std::array<std::string, 3>{"GET", kAdmin + "?identity_ref=" + member.reference(), ""},
            {"POST", kAdmin, order},
            {"POST", path_of(kAdmin, token) + "/rotate", ""},
            {"DELETE", path_of(kAdmin, token), ""}}) {
        asked.push_back(std::async(std::launch::async, [&op, m = method, t = target, b = body] {
          return op.send(m, t, b).outcome();
        }));
      }
    }
    return asked;
  };
  std::vector<std::future<std::string>> asked;
  {
    // One check waits for its row in the audit log, and the others for nothing.
    const contract::HeldLock held(site,
                                  "hashtextextended('plexsphere.audit." + site.domain() + "', 0)");
    asked = twice_each();
    CHECK(test_support::wait_until(20s, [&] {
      return std::ranges::count_if(asked, [](const std::future<std::string>& one) {
               return one.wait_for(0s) == std::future_status::ready;
             }) == 7;
    }));
  }
  int busy = 0;
  for (std::future<std::string>& one : asked) {
    busy += one.get() == "503 identity_overloaded" ? 1 : 0;
  }
  CHECK(busy == 7);
}

TEST_CASE("PostAdminTokens, GetAdminTokens", "[contract][tokens]") {
  Site& site = Site::shared();
  const Owner member = domain_user(site, "member-of-acme");
  const Owner manager = domain_user(site, "manager-of-acme");
  site.grant("domain", site.domain(), "admin", manager.id);
  const Owner platform(site, "of-the-platform");
  const Client& boss = *manager.client;
  const json good = order_for(member.reference());
  const std::string list = kAdmin + "?identity_ref=" + member.reference();
  const std::string nobody = std::string("user:") + kNobody;
  hold({
      {"401 unauthenticated", site.anybody(), "POST", kAdmin, good.dump()},
      {"403 permission_denied", *member.client, "POST", kAdmin, good.dump()},
      {"403 permission_denied", site.stranger(), "POST", kAdmin, good.dump()},
      {"403 permission_denied", boss, "POST", kAdmin, order_for(platform.reference()).dump()},
      {"403 permission_denied", boss, "POST", kAdmin, order_for(nobody).dump()},
      {"400 identity_not_found", site.op(), "POST", kAdmin, order_for(nobody).dump()},
      {"400 invalid_body", boss, "POST", kAdmin, with(good, "env_prefix", "x")},
      {"413 request_body_too_large", boss, "POST", kAdmin, kBig},
      {"201", boss, "POST", kAdmin, good.dump()},
      {"201", site.op(), "POST", kAdmin, good.dump()},
      {"201", site.op(), "POST", kAdmin, order_for(platform.reference()).dump()},
      {"401 unauthenticated", site.anybody(), "GET", list},
      {"403 permission_denied", *member.client, "GET", list},
      {"403 permission_denied", boss, "GET", kAdmin + "?identity_ref=" + platform.reference()},
      {"403 permission_denied", boss, "GET", kAdmin + "?identity_ref=" + nobody},
      {"400 identity_not_found", site.op(), "GET", kAdmin + "?identity_ref=" + nobody},
      {"400 invalid_identity_ref", boss, "GET", kAdmin},
      {"400 invalid_identity_ref", boss, "GET", kAdmin + "?identity_ref=user:x"},
      {"200", boss, "GET", list},
      {"200", site.op(), "GET", list},
  });
  const json made = boss.call("POST", kAdmin, good).body;
  CHECK(known(boss, made) == "200");
  CHECK(boss.as(plaintext(made)).call("GET", "/v1/auth/whoami").body.at("domain_id") ==
        site.domain());
  CHECK(rows_of(site, "api_token.issue", made) == 1);
  CHECK(boss.call("GET", list).body.size() == 4);
  site.sql("UPDATE identity.user_account SET disabled_at = now() WHERE id = '" + member.id + "'");
  CHECK(boss.send("POST", kAdmin, good.dump()).outcome() == "400 identity_disabled");
}

TEST_CASE("DeleteAdminTokenByID, PostAdminTokenRotate", "[contract][tokens]") {
  Site& site = Site::shared();
  const Owner member = domain_user(site, "second-member");
  const Owner manager = domain_user(site, "second-manager");
  site.grant("domain", site.domain(), "admin", manager.id);
  const Owner platform(site, "second-of-the-platform");
  const Client& boss = *manager.client;
  const json token = member.issue();
  const json theirs = platform.issue();
  const std::string path = path_of(kAdmin, token);
  const std::string none = kAdmin + "/" + kNobody;
  hold({
      {"401 unauthenticated", site.anybody(), "POST", path + "/rotate"},
      {"403 permission_denied", *member.client, "POST", path + "/rotate"},
      {"403 permission_denied", boss, "POST", path_of(kAdmin, theirs) + "/rotate"},
      {"403 permission_denied", boss, "POST", none + "/rotate"},
      {"404 not_found", site.op(), "POST", none + "/rotate"},
      {"400 invalid_token_id", boss, "POST", kAdmin + "/x/rotate"},
      {"401 unauthenticated", site.anybody(), "DELETE", path},
      {"403 permission_denied", *member.client, "DELETE", path},
      {"403 permission_denied", boss, "DELETE", path_of(kAdmin, theirs)},
      {"403 permission_denied", boss, "DELETE", none},
      {"404 not_found", site.op(), "DELETE", none},
      {"400 invalid_token_id", boss, "DELETE", kAdmin + "/x"},
  });
  const auto rotated = boss.call("POST", path + "/rotate");
  REQUIRE(rotated.outcome() == "200");
  CHECK(known(boss, token) == "200");
  CHECK(known(boss, rotated.body) == "200");
  CHECK(boss.call("DELETE", path).outcome() == "204");
  CHECK(known(boss, token) == "401 unauthenticated");
  CHECK(known(boss, rotated.body) == "401 unauthenticated");
  CHECK(site.op().call("DELETE", path).outcome() == "404 not_found");
  CHECK(site.op().call("DELETE", path_of(kAdmin, theirs)).outcome() == "204");
  CHECK(site.count("audit.audit_log_entry WHERE relation = 'manage' AND reason <> 'granted' AND "
                   "object_type = 'domain' AND object_id = '" +
                   site.domain() + "'") >= 2);
}

TEST_CASE("GetAuthWhoami, DeleteAuthSession", "[contract][tokens]") {
  Site& site = Site::shared();
  const Owner owner = domain_user(site, "somebody");
  CHECK(whoami(site.anybody()) == "401 unauthenticated");
  CHECK(test_support::wait_until(
      5s, [&] { return owner.client->call("GET", "/v1/auth/whoami").body.contains("domain_id"); }));
  const json who = owner.client->call("GET", "/v1/auth/whoami").body;
  CHECK(who.at("principal_type") == "user");
  CHECK(who.at("principal_scope") == "domain");
  CHECK_FALSE(who.contains("acr"));
  CHECK_FALSE(who.contains("amr"));
  for (const std::string& bearer :
       {std::string(), std::string("nonsense"), plaintext(owner.issue())}) {
    const auto out = site.op().as(bearer).call("DELETE", "/v1/auth/whoami");
    CHECK(out.outcome() == "204");
    CHECK_THAT(out.headers.at("Set-Cookie"), Catch::StartsWith("plexsphere_session=; Path=/v1/;") &&
                                                 Catch::Contains("Max-Age=0") &&
                                                 Catch::Contains("HttpOnly") &&
                                                 Catch::Contains("SameSite=Strict"));
  }
  CHECK(whoami(*owner.client) == "200");
}

TEST_CASE("a secret is in the database as a digest only", "[contract][tokens]") {
  Site& site = Site::shared();
  const Owner owner(site, "secretive");
  const std::string text = plaintext(owner.issue());
  const std::string secret = *sdk::base32_decode(text.substr(text.rfind('_') + 1));
  const std::string hex = sdk::hex_encode(secret);
  CHECK(site.count("identity.api_token WHERE encode(secret_sha256, 'hex') = '" + hex + "'") == 0);
  CHECK(site.count("identity.api_token WHERE secret_sha256 = sha256(decode('" + hex +
                   "', 'hex'))") == 1);
  CHECK(site.count("platform.outbox WHERE payload::text LIKE '%psk_%'") == 0);
}

TEST_CASE("an identity that asks for tokens too often is told to wait, and nobody else is",
          "[contract][tokens]") {
  Site& site = Site::shared();
  const Owner owner(site, "hasty");
  const Owner other(site, "patient");
  const Owner admin(site, "hasty-admin");
  site.grant("platform", "plexsphere", "admin", admin.id);
  const json spare = owner.issue();
  const auto& core =
      site.deployment().start_core("[context.identity]\napi_token_rate = 1\napi_token_burst = 1\n");
  const auto there = [&](const Owner& who) {
    const json token = who.issue();  // at the first replica, which counts for itself
    return Client(contract::published_by(site.url()), core.url(), plaintext(token));
  };
  const Client own = there(owner);
  const Client managing = there(admin);
  const std::string order = order_for(owner.reference()).dump();
  hold({
      {"201", own, "POST", kOwn, order},
      {"429 rate_limited", own, "POST", kOwn, order},
      {"429 rate_limited", own, "POST", path_of(kOwn, spare) + "/rotate"},
      {"200", own, "GET", kOwn},
      {"204", own, "DELETE", path_of(kOwn, spare)},
      {"201", there(other), "POST", kOwn, order_for(other.reference()).dump()},
      {"201", managing, "POST", kAdmin, order},
      {"429 rate_limited", managing, "POST", kAdmin, order},
      {"429 rate_limited", managing, "POST", path_of(kAdmin, spare) + "/rotate"},
  });
  const auto refused = own.call("POST", kOwn, order_for(owner.reference()));
  const int wait = std::stoi(refused.headers.at("Retry-After"));
  CHECK((wait > 0 && wait <= 60));
  const auto metrics = test_support::HttpClient(5s).request("GET", core.url() + "/metrics").body;
  CHECK(metrics.find("\nplexsphere_identity_api_token_rate_limited_total 5\n") !=
        std::string::npos);
}

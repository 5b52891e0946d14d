// Domains, Projects and Resources as an operator meets them, and who may see which.
#include <catch2/catch.hpp>

#include "e2e/tenant_site.hpp"
#include "support/wait_until.hpp"

using namespace plexsphere;
using e2e::Seen;
using e2e::TenantSite;
using nlohmann::json;

namespace {

constexpr const char* kNowhere = "01990000-0000-7000-8000-00000000dead";

json domain_body(const std::string& slug, const std::string& cidr) {
  return {{"name", "Domain " + slug}, {"slug", slug}, {"mesh_cidr", cidr}};
}
json project_body(const std::string& domain, const std::string& slug) {
  return {{"domain_id", domain}, {"name", "Project " + slug}, {"slug", slug}};
}
json resource_body(const std::string& handle) {
  return {{"origin", "adopted"}, {"kind", "vm"}, {"external_ref", handle}};
}

std::string id_of(const Seen& made) {
  INFO(made.body.dump());
  REQUIRE(made.status == 201);
  return made.body.at("id");
}

std::vector<std::string> slugs_of(const json& list) {
  std::vector<std::string> slugs;
  for (const json& item : list.at("items")) {
    slugs.push_back(item.at("slug"));
  }
  return slugs;
}

void check_problem(const Seen& seen, int status, const std::string& code) {
  INFO(seen.body.dump());
  CHECK(seen.status == status);
  CHECK(seen.code == code);
}

}  // namespace

TEST_CASE("a Domain is made with its key, tuples, event and audit row, and read back", "[e2e]") {
  TenantSite site;
  json body = domain_body("acme", "10.1.0.0/16");
  body["region"] = "eu-1";
  const auto made = site.post("/v1/domains", body);
  const std::string id = id_of(made);
  CHECK(made.headers.at("Location") == "/v1/domains/" + id);
  CHECK(made.body.at("reachability") ==
        json{{"heartbeat_interval", "30s"}, {"stale_after", "90s"}, {"unreachable_after", "300s"}});
  CHECK(made.body.at("region") == "eu-1");
  CHECK(made.body.at("description") == "");
  CHECK(site.get("/v1/domains/" + id).body == made.body);
  CHECK(site.count("authz.relation_tuples WHERE object_id = '" + id + "'") == 2);
  CHECK(site.count("platform.outbox WHERE event_type = 'DomainCreated' AND aggregate_id = '" + id +
                   "'") == 1);
  CHECK(site.deployment().op().count_audit_rows(id, "domain.create") == 1);
}

TEST_CASE("wrong Domains are refused with the contract's codes and leave nothing", "[e2e]") {
  TenantSite site;
  id_of(site.post("/v1/domains", domain_body("acme", "10.1.0.0/16")));
  check_problem(site.post("/v1/domains", domain_body("acme", "10.2.0.0/16")), 409,
                "domain_slug_conflict");
  check_problem(site.post("/v1/domains", domain_body("other", "10.1.128.0/17")), 409,
                "mesh_cidr_overlap");
  check_problem(site.post("/v1/domains", domain_body("other", "10.2.0.1/16")), 400,
                "invalid_domain");
  json partial = domain_body("other", "10.2.0.0/16");
  partial["reachability"] = {{"stale_after", "90s"}};
  check_problem(site.post("/v1/domains", partial), 400, "invalid_reachability_policy");
  json big = domain_body("other", "10.2.0.0/16");
  big["padding"] = std::string(8192, 'x');
  check_problem(site.post("/v1/domains", big), 413, "request_body_too_large");
  check_problem(site.get("/v1/domains/not-a-uuid"), 400, "invalid_domain_id");
  check_problem(site.get("/v1/domains/00000000-0000-0000-0000-000000000000"), 400,
                "invalid_domain_id");
  check_problem(site.get(std::string("/v1/domains/") + kNowhere), 404, "domain_not_found");
  CHECK(site.count("tenancy.domains") == 1);
  CHECK(site.count("platform.outbox WHERE event_type = 'DomainCreated'") == 1);
}

TEST_CASE("without the signer no Domain is made, and with it again one is", "[e2e]") {
  TenantSite site;
  site.deployment().stop_signer();
  const auto refused = site.post("/v1/domains", domain_body("acme", "10.1.0.0/16"));
  check_problem(refused, 503, "signing_unavailable");
  CHECK(refused.headers.contains("Retry-After"));
  CHECK(site.count("tenancy.domains") == 0);
  CHECK(site.count("authz.relation_tuples WHERE object_type = 'domain'") == 0);
  CHECK(site.get("/v1/domains").status == 200);
  site.deployment().start_signer();
  const bool made = test_support::wait_until(std::chrono::seconds(20), [&] {
    return site.post("/v1/domains", domain_body("acme", "10.1.0.0/16")).status == 201;
  });
  CHECK(made);
}

TEST_CASE("Projects live in a Domain's pool and do not overlap", "[e2e]") {
  TenantSite site;
  const auto domain = id_of(site.post("/v1/domains", domain_body("acme", "10.1.0.0/16")));
  json ranged = project_body(domain, "edge");
  ranged["sub_range_cidr"] = "10.1.8.0/24";
  const auto made = site.post("/v1/projects", ranged);
  const auto project = id_of(made);
  CHECK(made.headers.at("Location") == "/v1/projects/" + project);
  CHECK(made.body.at("sub_range_cidr") == "10.1.8.0/24");
  CHECK(site.get("/v1/projects/" + project).body == made.body);
  CHECK_FALSE(
      site.post("/v1/projects", project_body(domain, "core")).body.contains("sub_range_cidr"));

  check_problem(site.post("/v1/projects", project_body(domain, "edge")), 409,
                "project_slug_conflict");
  ranged["slug"] = "third";
  check_problem(site.post("/v1/projects", ranged), 409, "sub_range_overlap");
  ranged["sub_range_cidr"] = "10.2.0.0/24";
  check_problem(site.post("/v1/projects", ranged), 400, "invalid_project");
  check_problem(site.post("/v1/projects", project_body(kNowhere, "x")), 409,
                "parent_domain_missing");
  check_problem(site.post("/v1/projects", json::array()), 400, "invalid_body");
  check_problem(site.get(std::string("/v1/projects/") + kNowhere), 404, "project_not_found");
  check_problem(site.get("/v1/projects/1"), 400, "invalid_project_id");
  CHECK(site.count("platform.outbox WHERE event_type = 'ProjectCreated'") == 2);
  CHECK(site.deployment().op().count_audit_rows(domain, "project.create") == 2);
}

TEST_CASE("Resources are adopted into a Project; provisioning says that it is not built", "[e2e]") {
  TenantSite site;
  const auto domain = id_of(site.post("/v1/domains", domain_body("acme", "10.1.0.0/16")));
  const auto project = id_of(site.post("/v1/projects", project_body(domain, "edge")));
  const std::string path = "/v1/projects/" + project + "/resources";
  const auto made = site.post(path, resource_body("i-1"));
  const auto id = id_of(made);
  CHECK(made.headers.at("Location") == "/v1/resources/" + id);
  CHECK(made.body.at("domain_id") == domain);
  CHECK(made.body.at("project_id") == project);
  CHECK(site.get("/v1/resources/" + id).body == made.body);
  check_problem(site.post(path, resource_body("i-1")), 409, "external_ref_conflict");
  json found = resource_body("i-2");
  found["origin"] = "found";
  check_problem(site.post(path, found), 400, "invalid_resource_origin");
  check_problem(site.post(path, {{"origin", "provisioned"}, {"kind", "vm"}}), 501,
                "resources_not_provisioned");
  check_problem(
      site.post(std::string("/v1/projects/") + kNowhere + "/resources", resource_body("i-3")), 404,
      "project_not_found");
  check_problem(site.get(std::string("/v1/resources/") + kNowhere), 404, "resource_not_found");
  CHECK(site.get(path).body.at("items").size() == 1);
  CHECK(site.deployment().op().count_audit_rows(domain, "resource.create") == 1);
}

TEST_CASE("lists go page by page in slug order, with cursors for one caller and one list",
          "[e2e]") {
  TenantSite site;
  int octet = 1;
  for (const char* slug : {"d", "b", "e", "a", "c"}) {
    id_of(site.post("/v1/domains", domain_body(slug, "10." + std::to_string(octet++) + ".0.0/16")));
  }
  std::vector<std::string> seen;
  std::string cursor;
  for (int page = 0; page < 3; ++page) {
    const auto list = site.get("/v1/domains?limit=2" + (cursor.empty() ? "" : "&cursor=" + cursor));
    REQUIRE(list.status == 200);
    for (const auto& slug : slugs_of(list.body)) {
      seen.push_back(slug);
    }
    CHECK(list.body.contains("next_cursor") == (page < 2));
    if (page < 2) {
      cursor = list.body.at("next_cursor");
    }
  }
  CHECK(seen == std::vector<std::string>{"a", "b", "c", "d", "e"});
  check_problem(site.get("/v1/domains?limit=0"), 400, "invalid_limit");
  check_problem(site.get("/v1/domains?limit=201"), 400, "invalid_limit");
  check_problem(site.get("/v1/domains?cursor=AAAA"), 400, "invalid_cursor");
  check_problem(site.get("/v1/projects?cursor=" + cursor), 400, "invalid_cursor");
  check_problem(site.get("/v1/projects?domain_id=acme"), 400, "invalid_domain_filter");
  auto other = site.make_user("other");
  check_problem(TenantSite::call(other.api, "GET", "/v1/domains?cursor=" + cursor), 403,
                "cursor_binding_mismatch");
}

TEST_CASE("a caller sees and changes what relations allow, and learns nothing of the rest",
          "[e2e]") {
  TenantSite site;
  const auto mine = id_of(site.post("/v1/domains", domain_body("mine", "10.1.0.0/16")));
  const auto theirs = id_of(site.post("/v1/domains", domain_body("theirs", "10.2.0.0/16")));
  const auto project = id_of(site.post("/v1/projects", project_body(mine, "edge")));
  auto user = site.make_user("ada");
  const auto as_user = [&](const std::string& method, const std::string& path,
                           const json& body = {}) {
    return TenantSite::call(user.api, method, path, body);
  };

  const auto nothing = as_user("GET", "/v1/domains");
  CHECK(nothing.status == 200);
  CHECK(nothing.body.at("items").empty());
  CHECK(nothing.body.at("empty_reason") == "no_rebac_membership");
  const auto denied = as_user("GET", "/v1/domains/" + mine);
  check_problem(denied, 403, "permission_denied");
  CHECK(denied.body.at("reason") == "out_of_scope");
  const auto missing = as_user("GET", std::string("/v1/domains/") + kNowhere);
  CHECK(missing.status == 403);  // as for one that exists

  site.grant("project", project, "operator", user);
  CHECK(as_user("GET", "/v1/projects/" + project).status == 200);
  CHECK(as_user("POST", "/v1/projects/" + project + "/resources", resource_body("i-1")).status ==
        201);
  check_problem(as_user("POST", "/v1/projects", project_body(mine, "more")), 403,
                "permission_denied");
  CHECK(as_user("GET", "/v1/domains/" + mine).body.at("reason") == "insufficient_relation");

  site.grant("domain", mine, "owner", user);
  CHECK(as_user("POST", "/v1/projects", project_body(mine, "more")).status == 201);
  CHECK(slugs_of(as_user("GET", "/v1/domains").body) == std::vector<std::string>{"mine"});
  CHECK(slugs_of(as_user("GET", "/v1/projects").body) == std::vector<std::string>{"edge", "more"});
  check_problem(as_user("POST", "/v1/projects", project_body(theirs, "x")), 403,
                "permission_denied");
  check_problem(as_user("POST", "/v1/domains", domain_body("new", "10.3.0.0/16")), 403,
                "permission_denied");
  check_problem(TenantSite::call(sim::Api(user.api.base(), ""), "GET", "/v1/domains"), 401,
                "unauthenticated");
}

TEST_CASE("what is not built says so with its code", "[e2e]") {
  TenantSite site;
  const std::string id = kNowhere;
  check_problem(TenantSite::call(site.root(), "DELETE", "/v1/domains/" + id), 501,
                "tenancy_not_provisioned");
  check_problem(site.post("/v1/domains/" + id + "/invitations", json::object()), 501,
                "tenancy_not_provisioned");
  check_problem(site.get("/v1/management-clusters"), 501, "resources_not_provisioned");
}

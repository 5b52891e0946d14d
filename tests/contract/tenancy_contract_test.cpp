// The Resource operations that a registration needs, and the Domain and Project operations below
// them: every status and code of the contract but 500.
#include <catch2/catch.hpp>

#include "contract/site.hpp"
#include "contract/specification.hpp"

using namespace plexsphere;
using contract::hold;
using contract::kNobody;
using contract::Site;
using contract::with;
using contract::without;
using nlohmann::json;

namespace {

const std::string kBig = json{{"x", std::string(9000, 'x')}}.dump();

json adopted(const std::string& handle) {
  return {{"origin", "adopted"}, {"kind", "vm"}, {"external_ref", handle}};
}

}  // namespace

TEST_CASE("CreateResource", "[contract][tenancy]") {
  Site& site = Site::shared();
  const std::string path = site.in_project("/resources");
  const std::string nowhere = std::string("/v1/projects/") + kNobody + "/resources";
  const json good = adopted(site.fresh_name());
  const auto op = site.op();
  hold({
      {"401 unauthenticated", site.anybody(), "POST", path, good.dump()},
      {"403 permission_denied", site.stranger(), "POST", path, good.dump()},
      {"400 invalid_project_id", op, "POST", "/v1/projects/x/resources", good.dump()},
      {"404 project_not_found", op, "POST", nowhere, good.dump()},
      {"413 request_body_too_large", op, "POST", path, kBig},
      {"400 invalid_body", op, "POST", path, "{"},
      {"400 invalid_body", op, "POST", path, "[]"},
      {"400 invalid_body", op, "POST", path, with(good, "surprise", 1)},
      {"400 invalid_body", op, "POST", path, without(good, "kind")},
      {"400 invalid_body", op, "POST", path, with(good, "kind", "")},
      {"400 invalid_body", op, "POST", path, with(good, "kind", std::string(65, 'k'))},
      {"400 invalid_resource_origin", op, "POST", path, with(good, "origin", "found")},
      {"400 invalid_resource_origin", op, "POST", path,
       with(good, "blueprint_version_id", kNobody)},
      {"501 resources_not_provisioned", op, "POST", path,
       json{{"origin", "provisioned"}, {"kind", "vm"}}.dump()},
      {"201", op, "POST", path, good.dump()},
      {"409 external_ref_conflict", op, "POST", path, good.dump()},
      {"201", op, "POST", path, without(good, "external_ref")},
  });
}

TEST_CASE("ListProjectResources", "[contract][tenancy]") {
  Site& site = Site::shared();
  const std::string path = site.in_project("/resources");
  const auto op = site.op();
  for (int i = 0; i < 2; ++i) {
    REQUIRE(op.call("POST", path, adopted(site.fresh_name())).status == 201);
  }
  const auto page = op.call("GET", path + "?limit=1");
  REQUIRE(page.outcome() == "200");
  REQUIRE(page.body.contains("next_cursor"));
  const std::string cursor = page.body["next_cursor"];
  const auto [reader_id, reader] = site.make_user("reader");
  site.grant("project", site.project(), "member", reader_id);
  hold({
      {"401 unauthenticated", site.anybody(), "GET", path},
      {"403 permission_denied", site.stranger(), "GET", path},
      {"400 invalid_project_id", op, "GET", "/v1/projects/x/resources"},
      {"400 invalid_limit", op, "GET", path + "?limit=0"},
      {"400 invalid_limit", op, "GET", path + "?limit=201"},
      {"400 invalid_cursor", op, "GET", path + "?cursor=forged"},
      {"403 cursor_binding_mismatch", op.as(reader), "GET", path + "?cursor=" + cursor},
      {"200", op.as(reader), "GET", path + "?limit=200"},
      {"200", op, "GET", path + "?limit=1&cursor=" + cursor},
  });
}

TEST_CASE("GetResource", "[contract][tenancy]") {
  Site& site = Site::shared();
  const auto op = site.op();
  const auto made = op.call("POST", site.in_project("/resources"), adopted(site.fresh_name()));
  REQUIRE(made.status == 201);
  const std::string path = made.headers.at("Location");
  hold({
      {"401 unauthenticated", site.anybody(), "GET", path},
      {"403 permission_denied", site.stranger(), "GET", path},
      {"403 permission_denied", site.stranger(), "GET", std::string("/v1/resources/") + kNobody},
      {"400 invalid_resource_id", op, "GET", "/v1/resources/x"},
      {"404 resource_not_found", op, "GET", std::string("/v1/resources/") + kNobody},
  });
  const auto seen = op.call("GET", path);
  CHECK(seen.outcome() == "200");
  CHECK(seen.body == made.body);
}

TEST_CASE("DeleteResource", "[contract][tenancy]") {
  Site& site = Site::shared();
  const auto op = site.op();
  const std::string handle = site.fresh_name();
  const auto made = op.call("POST", site.in_project("/resources"), adopted(handle));
  REQUIRE(made.status == 201);
  const std::string path = made.headers.at("Location");
  const auto [maintainer_id, maintainer] = site.make_user("maintainer");
  site.grant("resource", made.body["id"], "maintainer", maintainer_id);
  hold({
      {"401 unauthenticated", site.anybody(), "DELETE", path},
      {"403 permission_denied", site.stranger(), "DELETE", path},
      {"403 permission_denied", op.as(maintainer), "DELETE", path},  // it takes `deploy`
      {"400 invalid_resource_id", op, "DELETE", "/v1/resources/x"},
      {"404 resource_not_found", op, "DELETE", std::string("/v1/resources/") + kNobody},
  });

  const auto token = site.deployment().op().issue_token(site.project());
  const auto node =
      sim::Node::enrol(site.url(), {site.project(), handle, token, sim::make_nonce()});
  CHECK(op.call("DELETE", path).outcome() == "409 resource_not_empty");
  CHECK(site.as(node).call("POST", "/v1/nodes/" + node.id() + "/deregister").status == 200);

  const std::string id = made.body["id"];
  hold({{"204", op, "DELETE", path},
        {"404 resource_not_found", op, "DELETE", path},
        {"404 resource_not_found", op, "GET", path}});
  CHECK(site.count("authz.relation_tuples WHERE object_id = '" + id + "'") == 0);
  CHECK(site.count("platform.outbox WHERE event_type = 'ResourceDeleted' AND aggregate_id = '" +
                   id + "'") == 1);
  CHECK(site.deployment().op().count_audit_rows(site.domain(), "resource.delete") == 1);
  // The handle is free again.
  CHECK(op.call("POST", site.in_project("/resources"), adopted(handle)).status == 201);
}

TEST_CASE("CreateDomain, GetDomain, ListDomains", "[contract][tenancy]") {
  Site& site = Site::shared();
  const auto op = site.op();
  const json good{{"name", "Beta"}, {"slug", "beta"}, {"mesh_cidr", "10.8.0.0/16"}};
  json other = good;
  other["slug"] = "gamma";
  const std::string path = "/v1/domains";
  hold({
      {"401 unauthenticated", site.anybody(), "POST", path, good.dump()},
      {"403 permission_denied", site.stranger(), "POST", path, good.dump()},
      {"413 request_body_too_large", op, "POST", path, kBig},
      {"400 invalid_domain", op, "POST", path, with(good, "slug", "Beta")},
      {"400 invalid_domain", op, "POST", path, with(good, "mesh_cidr", "10.8.0.1/16")},
      {"400 invalid_reachability_policy", op, "POST", path,
       with(good, "reachability", {{"stale_after", "90s"}})},
      {"201", op, "POST", path, good.dump()},
      {"409 domain_slug_conflict", op, "POST", path, with(good, "mesh_cidr", "10.9.0.0/16")},
      {"409 mesh_cidr_overlap", op, "POST", path, other.dump()},
      {"401 unauthenticated", site.anybody(), "GET", path},
      {"400 invalid_limit", op, "GET", path + "?limit=0"},
      {"400 invalid_cursor", op, "GET", path + "?cursor=x"},
      {"200", op, "GET", path},
      {"401 unauthenticated", site.anybody(), "GET", path + "/" + site.domain()},
      {"403 permission_denied", site.stranger(), "GET", path + "/" + site.domain()},
      {"400 invalid_domain_id", op, "GET", path + "/x"},
      {"404 domain_not_found", op, "GET", path + "/" + kNobody},
      {"200", op, "GET", path + "/" + site.domain()},
  });
  const std::string cursor = op.call("GET", path + "?limit=1").body.at("next_cursor");
  CHECK(site.stranger().call("GET", path + "?cursor=" + cursor).outcome() ==
        "403 cursor_binding_mismatch");
}

TEST_CASE("CreateProject, GetProject, ListProjects", "[contract][tenancy]") {
  Site& site = Site::shared();
  const auto op = site.op();
  const std::string path = "/v1/projects";
  const json good{{"domain_id", site.domain()}, {"name", "Core"}, {"slug", "core"}};
  json ranged = good;
  ranged["sub_range_cidr"] = "10.7.8.0/24";
  hold({
      {"401 unauthenticated", site.anybody(), "POST", path, good.dump()},
      {"403 permission_denied", site.stranger(), "POST", path, good.dump()},
      {"413 request_body_too_large", op, "POST", path, kBig},
      {"400 invalid_body", op, "POST", path, "[]"},
      {"400 invalid_project", op, "POST", path, with(good, "sub_range_cidr", "10.9.0.0/24")},
      {"409 parent_domain_missing", op, "POST", path, with(good, "domain_id", kNobody)},
      {"201", op, "POST", path, ranged.dump()},
      {"409 project_slug_conflict", op, "POST", path, good.dump()},
      {"409 sub_range_overlap", op, "POST", path, with(ranged, "slug", "third")},
      {"401 unauthenticated", site.anybody(), "GET", path},
      {"400 invalid_domain_filter", op, "GET", path + "?domain_id=x"},
      {"400 invalid_limit", op, "GET", path + "?limit=201"},
      {"400 invalid_cursor", op, "GET", path + "?cursor=x"},
      {"200", op, "GET", path + "?domain_id=" + site.domain()},
      {"401 unauthenticated", site.anybody(), "GET", site.in_project("")},
      {"403 permission_denied", site.stranger(), "GET", site.in_project("")},
      {"400 invalid_project_id", op, "GET", path + "/x"},
      {"404 project_not_found", op, "GET", path + "/" + kNobody},
      {"200", op, "GET", site.in_project("")},
  });
  const std::string cursor = op.call("GET", path + "?limit=1").body.at("next_cursor");
  CHECK(site.stranger().call("GET", path + "?cursor=" + cursor).outcome() ==
        "403 cursor_binding_mismatch");
}

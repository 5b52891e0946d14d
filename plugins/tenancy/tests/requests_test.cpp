#include "http/requests.hpp"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "http/answers.hpp"

namespace plexsphere::tenancy {
namespace {

using nlohmann::json;

json domain() {
  return {{"name", "Acme"}, {"slug", "acme"}, {"mesh_cidr", "10.4.0.0/16"}};
}
json project() {
  return {{"domain_id", "01990000-0000-7000-8000-000000000001"}, {"name", "P"}, {"slug", "p"}};
}

json with(json body, const char* member, json value) {
  body[member] = std::move(value);
  return body;
}
json without(json body, const char* member) {
  body.erase(member);
  return body;
}

template <typename T>
std::string code_of(const Decoded<T>& decoded) {
  const auto* problem = std::get_if<sdk::Problem>(&decoded);
  return problem == nullptr ? "ok" : problem->code;
}
std::string domain_code(const json& body) {
  return code_of(decode_domain(body.dump()));
}
std::string project_code(const json& body) {
  return code_of(decode_project(body.dump()));
}
std::string resource_code(const json& body) {
  return code_of(decode_resource(body.dump()));
}

}  // namespace

TEST_CASE("a Domain with the least it needs gets the platform's policy", "[tenancy][http]") {
  const auto decoded = decode_domain(domain().dump());
  const auto& row = std::get<DomainRow>(decoded);
  CHECK(row.mesh_cidr == "10.4.0.0/16");
  CHECK(row.description.empty());
  CHECK_FALSE(row.region);
  CHECK(row.reachability == Reachability{});
}

TEST_CASE("an IPv6 range is kept in canonical spelling", "[tenancy][http]") {
  const auto decoded = decode_domain(with(domain(), "mesh_cidr", "FD00:0004::0/48").dump());
  CHECK(std::get<DomainRow>(decoded).mesh_cidr == "fd00:4::/48");
}

TEST_CASE("what is wrong with a Domain is invalid_domain", "[tenancy][http]") {
  CHECK(code_of(decode_domain("{")) == "invalid_domain");
  CHECK(code_of(decode_domain("[]")) == "invalid_domain");
  CHECK(code_of(decode_domain(R"({"name":"a","name":"b"})")) == "invalid_domain");
  for (const char* member : {"name", "slug", "mesh_cidr"}) {
    INFO(member);
    CHECK(domain_code(without(domain(), member)) == "invalid_domain");
    CHECK(domain_code(with(domain(), member, 7)) == "invalid_domain");
  }
  CHECK(domain_code(with(domain(), "name", " \t")) == "invalid_domain");
  CHECK(domain_code(with(domain(), "name", std::string(256, 'a'))) == "invalid_domain");
  CHECK(domain_code(with(domain(), "slug", "Acme")) == "invalid_domain");
  CHECK(domain_code(with(domain(), "description", "  ")) == "invalid_domain");
  CHECK(domain_code(with(domain(), "description", std::string(1025, 'a'))) == "invalid_domain");
  CHECK(domain_code(with(domain(), "region", "Mars")) == "invalid_domain");
  CHECK(domain_code(with(domain(), "mesh_cidr", "10.4.0.1/16")) == "invalid_domain");
  CHECK(domain_code(with(domain(), "colour", "blue")) == "ok");
}

TEST_CASE("a wrong policy has a code of its own", "[tenancy][http]") {
  const auto policy = [](json value) {
    return domain_code(with(domain(), "reachability", std::move(value)));
  };
  CHECK(policy(json::object()) == "ok");
  CHECK(policy(
            {{"heartbeat_interval", "10s"}, {"stale_after", "30s"}, {"unreachable_after", "1m"}}) ==
        "ok");
  CHECK(policy({{"heartbeat_interval", "10s"}}) == "invalid_reachability_policy");
  CHECK(policy({{"heartbeat_interval", 10}}) == "invalid_reachability_policy");
  CHECK(policy("30s") == "invalid_reachability_policy");
  CHECK(policy(nullptr) == "invalid_reachability_policy");
}

TEST_CASE("a Project needs a parent and may reserve a range", "[tenancy][http]") {
  const auto decoded = decode_project(with(project(), "sub_range_cidr", "10.4.8.0/24").dump());
  CHECK(std::get<ProjectRow>(decoded).sub_range_cidr == "10.4.8.0/24");
  CHECK(project_code(project()) == "ok");
  CHECK(code_of(decode_project("nonsense")) == "invalid_body");
  CHECK(code_of(decode_project("[]")) == "invalid_body");
  CHECK(project_code(without(project(), "domain_id")) == "invalid_project");
  CHECK(project_code(with(project(), "domain_id", "00000000-0000-0000-0000-000000000000")) ==
        "invalid_project");
  CHECK(project_code(with(project(), "name", "")) == "invalid_project");
  CHECK(project_code(with(project(), "slug", "a--b")) == "invalid_project");
  CHECK(project_code(with(project(), "sub_range_cidr", "10.4.8.1/24")) == "invalid_project");
}

TEST_CASE("an adopted Resource is read strictly, a provisioned one honestly refused",
          "[tenancy][http]") {
  const json adopted{{"origin", "adopted"}, {"kind", "vm"}, {"external_ref", "i-1"}};
  const json provisioned{{"origin", "provisioned"}, {"kind", "vm"}};
  CHECK(resource_code(adopted) == "ok");
  CHECK(resource_code(without(adopted, "external_ref")) == "ok");
  CHECK(code_of(decode_resource("{")) == "invalid_body");
  CHECK(resource_code(with(adopted, "colour", 1)) == "invalid_body");
  CHECK(resource_code(with(adopted, "kind", " ")) == "invalid_body");
  CHECK(resource_code(with(adopted, "external_ref", std::string(257, 'a'))) == "invalid_body");
  CHECK(resource_code(with(adopted, "origin", "found")) == "invalid_resource_origin");
  CHECK(resource_code(with(adopted, "parameters", json::object())) == "invalid_resource_origin");
  CHECK(resource_code(with(provisioned, "external_ref", "i-1")) == "invalid_resource_origin");
  const auto refused = decode_resource(provisioned.dump());
  CHECK(std::get<sdk::Problem>(refused).status == 501);
  CHECK(code_of(refused) == "resources_not_provisioned");
}

TEST_CASE("unset members are left out, never null", "[tenancy][http]") {
  DomainRow row = std::get<DomainRow>(decode_domain(domain().dump()));
  const json shown = to_json(row);
  CHECK_FALSE(shown.contains("region"));
  CHECK(shown.at("description") == "");
  CHECK(shown.at("reachability").at("unreachable_after") == "300s");
  row.region = "eu-1";
  CHECK(to_json(row).at("region") == "eu-1");
  CHECK_FALSE(to_json(ProjectRow{}).contains("sub_range_cidr"));
  CHECK_FALSE(to_json(ResourceRow{}).contains("external_ref"));
  CHECK_FALSE(to_json(ResourceRow{}).contains("provisioning"));
}

TEST_CASE("a 201 says where the new thing is", "[tenancy][http]") {
  const auto answer = created(ProjectRow{}, "/v1/projects/");
  CHECK(answer.status == 201);
  CHECK(answer.headers ==
        sdk::Headers{{"Location", "/v1/projects/00000000-0000-0000-0000-000000000000"}});
}

TEST_CASE("reasons have the contract's status", "[tenancy][http]") {
  const auto status = [](const char* reason) {
    return problem_of({sdk::Code::internal, reason, "why"}).status;
  };
  CHECK(status("domain_not_found") == 404);
  CHECK(status("mesh_cidr_overlap") == 409);
  CHECK(status("parent_domain_missing") == 409);
  CHECK(status("invalid_project") == 400);
  CHECK(status("signing_unavailable") == 503);
  CHECK(status("domains_name") == 500);
}

}  // namespace plexsphere::tenancy

#include "sim/operator.hpp"

#include <nlohmann/json.hpp>

namespace plexsphere::sim {

using nlohmann::json;

std::string Operator::create_domain(const std::string& slug, const std::string& mesh_cidr) const {
  return api_.post("/v1/domains", {{"name", slug}, {"slug", slug}, {"mesh_cidr", mesh_cidr}})
      .at("id")
      .get<std::string>();
}

std::string Operator::create_project(const std::string& domain_id, const std::string& slug) const {
  return api_.post("/v1/projects", {{"domain_id", domain_id}, {"name", slug}, {"slug", slug}})
      .at("id")
      .get<std::string>();
}

std::string Operator::create_resource(const std::string& project_id, const std::string& handle,
                                      const std::string& kind) const {
  return api_
      .post("/v1/projects/" + project_id + "/resources",
            {{"origin", "adopted"}, {"kind", kind}, {"external_ref", handle}})
      .at("id")
      .get<std::string>();
}

std::string Operator::issue_token(const std::string& project_id, const std::string& kind,
                                  int ttl_seconds) const {
  return api_
      .post("/v1/projects/" + project_id + "/bootstrap-tokens",
            {{"kind", kind}, {"env_prefix", "dev"}, {"ttl_seconds", ttl_seconds}})
      .at("token")
      .get<std::string>();
}

std::size_t Operator::count_audit_rows(const std::string& domain_id,
                                       const std::string& relation) const {
  return api_.get("/v1/domains/" + domain_id + "/audit/entries?limit=200&relation=" + relation)
      .at("items")
      .size();
}

json Operator::verify_chain(const std::string& domain_id) const {
  return api_.post("/v1/domains/" + domain_id + "/audit/verify", json::object());
}

}  // namespace plexsphere::sim

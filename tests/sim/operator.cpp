#include "sim/operator.hpp"

#include <array>
#include <nlohmann/json.hpp>

#include "plexsphere/sdk/encoding.hpp"
#include "plexsphere/sdk/uuid.hpp"

namespace plexsphere::sim {

using nlohmann::json;

std::string random_slug(const std::string& prefix) {
  std::array<char, 6> random;
  sdk::random_bytes(random.data(), random.size());
  return prefix + "-" + sdk::hex_encode({random.data(), random.size()});
}

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

std::set<std::string> Operator::list_nodes(const std::string& domain_id) const {
  std::set<std::string> ids;
  const std::string first = "/v1/nodes?limit=200&domain_id=" + domain_id;
  for (std::string page = first; !page.empty();) {
    const json listed = api_.get(page);
    for (const json& node : listed.at("items")) {
      ids.insert(node.at("id").get<std::string>());
    }
    const std::string cursor = listed.value("next_cursor", "");
    page = cursor.empty() ? "" : first + "&cursor=" + cursor;
  }
  return ids;
}

void Operator::request_key_rotation(const std::string& node_id) const {
  (void)api_.post("/v1/nodes/" + node_id + "/keys/rotate", json::object());
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

// What the enrolment tests share: one deployment with a Domain and a Project, registrations as raw
// bodies, and a look at what they left in the database.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "e2e/deployment.hpp"
#include "sim/node.hpp"

namespace plexsphere::e2e {

struct Answer {
  int status = 0;
  std::string code;  // of a problem
  nlohmann::json body;
};

// Owns the deployment. register_node may be called from any thread.
class EnrolmentSite {
 public:
  // `core_settings`: TOML of a drop-in of the core.
  explicit EnrolmentSite(const std::string& mesh_cidr = "10.7.0.0/16",
                         const std::string& core_settings = {})
      : core_(deployment_.start_core(core_settings)),
        url_(core_.url()),
        op_(deployment_.op()),
        domain_(op_.create_domain("acme", mesh_cidr)),
        project_(op_.create_project(domain_, "edge")) {}

  Deployment& deployment() { return deployment_; }
  test_support::Process& core() { return core_.process(); }
  const sim::Operator& op() const { return op_; }
  const std::string& url() const { return url_; }
  const std::string& domain() const { return domain_; }
  const std::string& project() const { return project_; }
  std::string tokens_path() const { return "/v1/projects/" + project_ + "/bootstrap-tokens"; }

  // A registration that would succeed: a new Resource, a new token, a new key, a new nonce.
  nlohmann::json fresh_request(const std::string& handle, const std::string& resource_kind = "vm",
                               const std::string& token_kind = "node") const {
    op_.create_resource(project_, handle, resource_kind);
    return {{"project_id", project_},
            {"resource_handle", handle},
            {"bootstrap_token", op_.issue_token(project_, token_kind)},
            {"nonce", sim::make_nonce()},
            {"public_key", sim::make_mesh_key().public_key}};
  }

  Answer register_node(const nlohmann::json& request) const {
    return register_at(url_, request.dump());
  }
  static Answer register_at(const std::string& url, const std::string& body) {
    const auto response = sim::Api(url, "").raw("POST", "/v1/register", body);
    Answer out{response.status, {}, nlohmann::json::parse(response.body, nullptr, false)};
    if (out.body.is_object()) {
      out.code = out.body.value("code", "");
    }
    return out;
  }

  std::string sql(const std::string& statement) {
    return deployment_.postgres().query(statement, "plexsphere");
  }
  int count(const std::string& from_where) {
    return std::stoi(sql("SELECT count(*) FROM " + from_where));
  }
  int consumed_tokens() { return count("identity.bootstrap_token WHERE consumed_at IS NOT NULL"); }

 private:
  Deployment deployment_;
  Core& core_;  // owned by deployment_
  std::string url_;
  sim::Operator op_;
  std::string domain_;
  std::string project_;
};

}  // namespace plexsphere::e2e

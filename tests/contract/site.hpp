// What contract tests share: one deployment for each test program, with a Domain, a Project and
// clients whose every answer is held against the published document.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "contract/client.hpp"
#include "e2e/deployment.hpp"
#include "e2e/tenant_site.hpp"
#include "plexsphere/sdk/encoding.hpp"
#include "plexsphere/sdk/uuid.hpp"
#include "sim/node.hpp"

namespace plexsphere::contract {

// A well-formed id of nothing.
constexpr const char* kNobody = "01990000-0000-7000-8000-00000000dead";

// Owns the deployment. Clients may be used from any thread.
class Site {
 public:
  Site() : Site(e2e::Deployment::Options{}) {}
  explicit Site(e2e::Deployment::Options options)
      : tenants_(std::move(options)),
        document_(published_by(url())),
        op_(document_, url(), deployment().operator_token()),
        domain_(deployment().op().create_domain("acme", "10.7.0.0/16")),
        project_(deployment().op().create_project(domain_, "edge")) {}

  // The one of this program; made at the first call and ended with the program.
  static Site& shared() {
    static Site site;
    return site;
  }

  e2e::Deployment& deployment() { return tenants_.deployment(); }
  const std::string& url() const { return tenants_.root().base(); }
  const ApiDocument& document() const { return *document_; }

  const Client& op() const { return op_; }  // the platform's operator
  Client anybody() const { return op_.as(""); }
  // A user who may do nothing.
  Client stranger() {
    if (stranger_.empty()) {
      stranger_ = make_user("stranger").second;
    }
    return op_.as(stranger_);
  }
  // Id and token of a user without a relation.
  std::pair<std::string, std::string> make_user(const std::string& name) {
    const auto user = tenants_.make_user(name);
    return {user.id, user.api.bearer()};
  }
  void grant(const std::string& type, const std::string& id, const std::string& relation,
             const std::string& user_id) {
    tenants_.grant(type, id, relation, {user_id, {url(), ""}});
  }

  const std::string& domain() const { return domain_; }
  const std::string& project() const { return project_; }
  std::string in_project(const std::string& tail) const {
    return "/v1/projects/" + project_ + tail;
  }

  // A handle that no other call answered.
  std::string fresh_name() { return "h-" + std::to_string(++names_); }
  // A new Resource with a Node on it.
  sim::Node enrol() {
    const auto op = deployment().op();
    const std::string handle = fresh_name();
    op.create_resource(project_, handle);
    return sim::Node::enrol(url(), {project_, handle, op.issue_token(project_), sim::make_nonce()});
  }
  // As the agent's client, checked.
  Client as(const sim::Node& node) const { return op_.as(node.bearer()); }
  // Well-formed, and of no Node's key.
  static std::string forged_key(const std::string& node_id) {
    return "nsk_plexd_" + sdk::base64url_encode(std::string(sdk::Uuid::parse(node_id)->bytes()) +
                                                std::string(32, 'k'));
  }

  std::string sql(const std::string& text) { return tenants_.sql(text); }
  int count(const std::string& from_where) { return tenants_.count(from_where); }

 private:
  e2e::TenantSite tenants_;
  Document document_;
  Client op_;
  std::string domain_;
  std::string project_;
  std::string stranger_;
  int names_ = 0;
};

}  // namespace plexsphere::contract

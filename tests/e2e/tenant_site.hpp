// What the tests of tenancy and authz share: one deployment, its first operator, and further users
// who may do nothing until they are given a relation.
#pragma once

#include <nlohmann/json.hpp>
#include <sstream>
#include <stdexcept>
#include <string>

#include "e2e/deployment.hpp"
#include "sim/api.hpp"
#include "support/process.hpp"

namespace plexsphere::e2e {

// An answer taken apart.
struct Seen {
  int status = 0;
  std::string code;  // of a problem
  nlohmann::json body;
  test_support::HttpHeaders headers;
};

struct User {
  std::string id;
  sim::Api api;
};

// Owns the deployment.
class TenantSite {
 public:
  TenantSite() : TenantSite(Deployment::Options{}) {}
  explicit TenantSite(Deployment::Options options)
      : deployment_(std::move(options)),
        url_(deployment_.start_core().url()),
        root_(url_, deployment_.operator_token()) {}

  Deployment& deployment() { return deployment_; }
  const sim::Api& root() const { return root_; }

  static Seen call(const sim::Api& api, const std::string& method, const std::string& path,
                   const nlohmann::json& body = {}) {
    const auto answer = api.raw(method, path, body.is_null() ? "" : body.dump());
    Seen seen{
        answer.status, {}, nlohmann::json::parse(answer.body, nullptr, false), answer.headers};
    if (seen.body.is_object()) {
      seen.code = seen.body.value("code", "");
    }
    return seen;
  }
  Seen get(const std::string& path) const { return call(root_, "GET", path); }
  Seen post(const std::string& path, const nlohmann::json& body) const {
    return call(root_, "POST", path, body);
  }

  // A user with a token and no relation to anything.
  User make_user(const std::string& name) {
    const auto made = test_support::run(Deployment::binaries() / "plexsphere-bootstrap",
                                        {"operator", "create", "--name", name, "--config",
                                         deployment_.core_configuration().string()});
    if (made.code != 0) {
      throw std::runtime_error("plexsphere-bootstrap: " + made.err);
    }
    const std::string id = word(made.err + " " + made.out, "user_id=").substr(8);
    sql("DELETE FROM authz.relation_tuples WHERE subject_id = '" + id + "'");
    return {id, {url_, word(made.out + " " + made.err, "psk_")}};
  }
  // As relation-tuple administration would do it.
  void grant(const std::string& object_type, const std::string& object_id,
             const std::string& relation, const User& user) {
    sql("INSERT INTO authz.relation_tuples (object_type, object_id, relation, subject_type, "
        "subject_id) VALUES ('" +
        object_type + "', '" + object_id + "', '" + relation + "', 'user', '" + user.id + "')");
  }

  std::string sql(const std::string& statement) {
    return deployment_.postgres().query(statement, "plexsphere");
  }
  int count(const std::string& from_where) {
    return std::stoi(sql("SELECT count(*) FROM " + from_where));
  }

 private:
  static std::string word(const std::string& text, const std::string& beginning) {
    std::istringstream words(text);
    for (std::string each; words >> each;) {
      if (each.starts_with(beginning)) {
        return each;
      }
    }
    throw std::runtime_error("no word begins with " + beginning);
  }

  Deployment deployment_;
  std::string url_;
  sim::Api root_;
};

}  // namespace plexsphere::e2e

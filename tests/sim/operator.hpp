// What an operator does through the API: tenants, tokens, Nodes, the audit log.
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <set>
#include <string>

#include "sim/api.hpp"

namespace plexsphere::sim {

// "<prefix>-" and twelve random hex digits.
std::string random_slug(const std::string& prefix);

// Thread-safe value.
class Operator {
 public:
  Operator(std::string base_url, std::string api_token)
      : api_(std::move(base_url), std::move(api_token)) {}

  const Api& api() const { return api_; }

  // Each answers the id of what it made; all throw ApiError.
  std::string create_domain(const std::string& slug, const std::string& mesh_cidr) const;
  std::string create_project(const std::string& domain_id, const std::string& slug) const;
  std::string create_resource(const std::string& project_id, const std::string& handle,
                              const std::string& kind = "vm") const;
  // The plaintext of a new bootstrap token.
  std::string issue_token(const std::string& project_id, const std::string& kind = "node",
                          int ttl_seconds = 900) const;
  // The ids of the Domain's Nodes.
  std::set<std::string> list_nodes(const std::string& domain_id) const;
  // Asks for a new mesh key of the Node.
  void request_key_rotation(const std::string& node_id) const;
  // The audit rows of the Domain whose relation is `relation`, at most 200.
  std::size_t count_audit_rows(const std::string& domain_id, const std::string& relation) const;
  // The verdict of the server's walk over the whole chain.
  nlohmann::json verify_chain(const std::string& domain_id) const;

 private:
  Api api_;
};

}  // namespace plexsphere::sim

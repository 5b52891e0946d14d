#include "http/chain_router.hpp"

#include <string>

#include "plexsphere/sdk/problems.hpp"

namespace plexsphere::audit {

using sdk::Answer;
using sdk::Error;
using sdk::Problem;
using sdk::Request;
using sdk::Result;
using sdk::Status;
using sdk::Uuid;

Status ChainRouter::add(const sdk::Router& router, const Operation& operation,
                        const Handler& handler) const {
  const std::string of_domain = "/v1/domains/{domain_id}" + std::string(operation.rest);
  const std::string of_platform = "/v1/platform" + std::string(operation.rest);
  sdk::Route route{.method = operation.method,
                   .path = of_domain,
                   .permission = operation.permission,
                   .object_type = "domain",
                   .object_parameter = "domain_id"};
  route.denied_as = operation.denied_as;
  route.not_found_code = "not_found";
  route.bad_id_code = "invalid_domain_id";
  auto added = router.add(
      route, [this, handler](const Request& request) { return in_domain(request, handler); });
  if (!added.ok()) {
    return added;
  }
  route.path = of_platform;
  route.object_type = "platform";
  route.object_parameter = {};
  return router.add(
      route, [handler](const Request& request) { return handler(request, platform_anchor()); });
}

Answer ChainRouter::in_domain(const Request& request, const Handler& handler) const {
  const Uuid domain = request.uuid("domain_id");
  const auto exists = domain_exists(domain);
  if (!exists.ok()) {
    return failed(exists.error());
  }
  if (!*exists) {
    return no_entry();
  }
  return handler(request, domain);
}

// Who knows is the context that owns Domains: its resolver answers with the Domain itself.
Result<bool> ChainRouter::domain_exists(const Uuid& domain) const {
  if (domain == platform_anchor()) {
    return false;
  }
  const auto owners = resolvers_.ask("domain", domain.text());
  if (!owners.ok()) {
    return owners.error();
  }
  return !owners->empty();
}

Problem ChainRouter::failed(const Error& error) const {
  log_.error("audit.read_failed", {{"reason", error.reason}, {"detail", error.detail}});
  return sdk::store_problem(error);
}

Problem ChainRouter::no_entry() {
  return sdk::not_found("not_found", "There is no such object.");
}

}  // namespace plexsphere::audit

// Puts an operation on a Domain's chain and on the platform's: two routes, one handler.
//
// Thread-safe after construction. What is handed in must live until the process ends.
#pragma once

#include <functional>
#include <string_view>

#include "app/resolvers.hpp"
#include "plexsphere/sdk/router.hpp"
#include "plexsphere/sdk/services.hpp"

namespace plexsphere::audit {

class ChainRouter {
 public:
  struct Operation {
    std::string_view method;
    std::string_view rest;  // of the path, after the Domain or "/platform"
    std::string_view permission;
    int denied_as;
  };
  using Handler = std::function<sdk::Answer(const sdk::Request&, const sdk::Uuid& chain)>;

  ChainRouter(const Resolvers& resolvers, sdk::Log log) : resolvers_(resolvers), log_(log) {}

  // [init]
  sdk::Status add(const sdk::Router& router, const Operation& operation,
                  const Handler& handler) const;

  // The answer to a failed read, which is logged.
  sdk::Problem failed(const sdk::Error& error) const;
  // One text for every 404 of an entry, the host's own for a denied caller included: nothing in the
  // answer may tell a foreign caller how long the chain is.
  static sdk::Problem no_entry();

 private:
  sdk::Answer in_domain(const sdk::Request& request, const Handler& handler) const;
  sdk::Result<bool> domain_exists(const sdk::Uuid& domain) const;

  const Resolvers& resolvers_;
  sdk::Log log_;
};

}  // namespace plexsphere::audit

// The authz context: relation tuples, and who may do what because of them.
#include "plexsphere/sdk/plugin.hpp"

#include <memory>

#include "app/authorizer.hpp"
#include "http/check_route.hpp"
#include "plexsphere/sdk/ports/audit.hpp"
#include "plexsphere/sdk/router.hpp"
#include "store/tuple_store.hpp"

namespace plexsphere::authz {

class AuthzPlugin final : public sdk::Plugin {
 public:
  sdk::Status configure(const sdk::Host& host) override {
    const auto log = host.get<sdk::Log>();
    const auto store = host.get<sdk::Store>();
    const auto audit = host.get<sdk::Audit>();
    const auto router = host.get<sdk::Router>();
    if (!log.ok()) {
      return log.error();
    }
    if (!store.ok()) {
      return store.error();
    }
    if (!audit.ok()) {
      return audit.error();
    }
    if (!router.ok()) {
      return router.error();
    }
    log_ = *log;
    if (auto declared = tuples_.declare(*store); !declared.ok()) {
      return declared;
    }
    authorizer_ = std::make_unique<Authorizer>(tuples_, log_);
    check_ = std::make_unique<CheckRoute>(*authorizer_, *audit);
    if (auto added = add_routes(*router); !added.ok()) {
      return added;
    }
    return host.provide(sdk::Authz::kName, authorizer_->table());
  }

 private:
  sdk::Status add_routes(const sdk::Router& router) {
    return router.add_async({.method = "POST",
                             .path = "/v1/authz/check",
                             .auth = PX_AUTH_OPERATOR,
                             .body_limit = 8192,
                             .flags = PX_ROUTE_CHECKS_SELF},
                            [this](const sdk::Request& request, sdk::Responder responder) {
                              check_->handle(request, std::move(responder));
                            });
  }

  sdk::Log log_;
  TupleStore tuples_;
  std::unique_ptr<Authorizer> authorizer_;
  std::unique_ptr<CheckRoute> check_;
};

}  // namespace plexsphere::authz

PLEXSPHERE_PLUGIN(plexsphere::authz::AuthzPlugin, "authz", "0.1.0");

// POST /v1/authz/check: asks the engine, puts the question on record, answers. A denial is data.
#pragma once

#include "app/authorizer.hpp"
#include "plexsphere/sdk/ports/audit.hpp"
#include "plexsphere/sdk/router.hpp"

namespace plexsphere::authz {

class CheckRoute {
 public:
  // [init] `authorizer` must outlive this.
  CheckRoute(Authorizer& authorizer, const sdk::Audit& audit)
      : authorizer_(authorizer), audit_(audit) {}

  // Answers once the audit row is durable. [worker]
  void handle(const sdk::Request& request, sdk::Responder responder) const;

 private:
  Authorizer& authorizer_;
  sdk::Audit audit_;
};

}  // namespace plexsphere::authz

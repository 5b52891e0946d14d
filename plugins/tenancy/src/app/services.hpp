// What the use cases of this context work with. Lives in the plugin, outlives them all.
#pragma once

#include "app/executor.hpp"
#include "plexsphere/sdk/outbox.hpp"
#include "plexsphere/sdk/ports/audit.hpp"
#include "plexsphere/sdk/ports/authz.hpp"
#include "plexsphere/sdk/ports/signing.hpp"
#include "plexsphere/sdk/seal.hpp"
#include "plexsphere/sdk/services.hpp"
#include "plexsphere/sdk/store.hpp"
#include "store/domain_store.hpp"
#include "store/project_store.hpp"
#include "store/resource_store.hpp"

namespace plexsphere::tenancy {

struct Services {
  sdk::Log log;
  sdk::Clock clock;
  sdk::Store store;
  sdk::Outbox outbox;
  sdk::Audit audit;
  sdk::Authz authz;
  sdk::Signing signing;
  DomainStore domains;
  ProjectStore projects;
  ResourceStore resources;
  Executor executor{256};
};

// Runs a whole unit of work again, twice at most, when it lost a race in the database.
template <typename Unit>
auto with_retries(Unit unit) -> decltype(unit()) {
  for (int attempt = 1;; ++attempt) {
    auto result = unit();
    if (result.ok() || result.error().code != sdk::Code::aborted || attempt == 3) {
      return result;
    }
  }
}

}  // namespace plexsphere::tenancy

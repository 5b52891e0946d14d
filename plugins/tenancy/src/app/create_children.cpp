#include "app/create_children.hpp"

#include <array>
#include <nlohmann/json.hpp>
#include <utility>

#include "domain/cidr.hpp"

namespace plexsphere::tenancy {
namespace {

using sdk::Code;
using sdk::Error;

sdk::Tuple parent_tuple(const char* type, const sdk::Uuid& id, const char* parent_type,
                        const sdk::Uuid& parent) {
  return {{type, id.text(), {}}, "parent", {parent_type, parent.text(), {}}};
}

// What every creation ends with: the tuple that hangs it under its parent, the event, the audit
// row, and the commit.
sdk::Status finish(Services& services, sdk::Transaction& tx, const sdk::Tuple& parent,
                   const sdk::Event& event, const sdk::AuditEntry& entry) {
  const std::array tuples{parent};
  if (auto done = services.authz.write(tx, tuples); !done.ok()) {
    return done;
  }
  if (auto done = services.outbox.append(tx, event); !done.ok()) {
    return done;
  }
  if (auto done = services.audit.stage(tx, entry); !done.ok()) {
    return done;
  }
  return tx.commit();
}

sdk::Event created(const ProjectRow& row, const std::string& correlation_id) {
  nlohmann::json payload{{"id", row.id.text()},
                         {"domain_id", row.domain_id.text()},
                         {"slug", row.slug},
                         {"name", row.name}};
  if (row.sub_range_cidr) {
    payload["sub_range_cidr"] = *row.sub_range_cidr;
  }
  return {{}, row.domain_id, "ProjectCreated", "project", row.id, payload.dump(), correlation_id};
}

sdk::Event created(const ResourceRow& row, const std::string& correlation_id) {
  const nlohmann::json payload{{"id", row.id.text()},
                               {"domain_id", row.domain_id.text()},
                               {"project_id", row.project_id.text()},
                               {"kind", row.kind},
                               {"origin", row.origin}};
  return {{}, row.domain_id, "ResourceCreated", "resource", row.id, payload.dump(), correlation_id};
}

// The pool of the Project's Domain, once the Project's own range is known to lie in it.
sdk::Result<std::string> pool_for(Services& services, const sdk::Transaction& tx,
                                  const ProjectRow& row) {
  const auto pool = services.domains.pool(tx, row.domain_id);
  if (!pool.ok()) {
    return pool.error();
  }
  if (!*pool) {
    return Error{Code::failed_precondition, "parent_domain_missing", "There is no such Domain."};
  }
  const auto outer = Cidr::parse(**pool);
  const auto inner = row.sub_range_cidr ? Cidr::parse(*row.sub_range_cidr) : std::nullopt;
  if (row.sub_range_cidr && (!outer || !inner || !outer->contains(*inner))) {
    return Error{Code::invalid_argument, "invalid_project",
                 "\"sub_range_cidr\" does not lie inside the Domain's mesh range " + **pool + "."};
  }
  return **pool;
}

}  // namespace

sdk::Result<ProjectRow> create_project(Services& services, const Caller& caller, ProjectRow draft) {
  draft.id = sdk::Uuid::v7(sdk::to_ms(services.clock.now()));
  return with_retries([&]() -> sdk::Result<ProjectRow> {
    ProjectRow row = draft;
    auto tx = services.store.begin();
    if (!tx.ok()) {
      return tx.error();
    }
    const auto pool = pool_for(services, *tx, row);
    if (!pool.ok()) {
      return pool.error();
    }
    if (auto done = services.projects.insert(*tx, row); !done.ok()) {
      return done.error();
    }
    if (row.sub_range_cidr) {
      if (auto done = services.projects.reserve(*tx, row, *pool); !done.ok()) {
        return done.error();
      }
    }
    const auto done =
        finish(services, *tx, parent_tuple("project", row.id, "domain", row.domain_id),
               created(row, caller.correlation_id),
               caller.did("project.create", "project", row.id, row.domain_id));
    return done.ok() ? sdk::Result<ProjectRow>(row) : sdk::Result<ProjectRow>(done.error());
  });
}

sdk::Result<ResourceRow> create_resource(Services& services, const Caller& caller,
                                         ResourceRow draft) {
  draft.id = sdk::Uuid::v7(sdk::to_ms(services.clock.now()));
  return with_retries([&]() -> sdk::Result<ResourceRow> {
    ResourceRow row = draft;
    auto tx = services.store.begin();
    if (!tx.ok()) {
      return tx.error();
    }
    const auto domain = services.projects.domain_of(*tx, row.project_id);
    if (!domain.ok()) {
      return domain.error();
    }
    row.domain_id = *domain;
    if (auto done = services.resources.insert(*tx, row); !done.ok()) {
      return done.error();
    }
    const auto done =
        finish(services, *tx, parent_tuple("resource", row.id, "project", row.project_id),
               created(row, caller.correlation_id),
               caller.did("resource.create", "resource", row.id, row.domain_id));
    return done.ok() ? sdk::Result<ResourceRow>(row) : sdk::Result<ResourceRow>(done.error());
  });
}

}  // namespace plexsphere::tenancy

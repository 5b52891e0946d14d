#include "app/delete_resource.hpp"

#include <nlohmann/json.hpp>

namespace plexsphere::tenancy {
namespace {

sdk::Event deleted(const ResourceRow& row, const std::string& correlation_id) {
  const nlohmann::json payload{{"id", row.id.text()},
                               {"domain_id", row.domain_id.text()},
                               {"project_id", row.project_id.text()},
                               {"kind", row.kind},
                               {"origin", row.origin}};
  return {{}, row.domain_id, "ResourceDeleted", "resource", row.id, payload.dump(), correlation_id};
}

sdk::Status attempt(Services& services, const Caller& caller, const sdk::Uuid& id) {
  auto tx = services.store.begin();
  if (!tx.ok()) {
    return tx.error();
  }
  const auto row = services.resources.remove(*tx, id);
  if (!row.ok()) {
    return row.error();
  }
  if (auto done = services.authz.remove_object(*tx, {"resource", id.text(), {}}); !done.ok()) {
    return done;
  }
  if (auto done = services.outbox.append(*tx, deleted(*row, caller.correlation_id)); !done.ok()) {
    return done;
  }
  const auto entry = caller.did("resource.delete", "resource", id, row->domain_id);
  if (auto done = services.audit.stage(*tx, entry); !done.ok()) {
    return done;
  }
  return tx->commit();
}

}  // namespace

sdk::Status delete_resource(Services& services, const Caller& caller, const sdk::Uuid& id) {
  return with_retries([&] { return attempt(services, caller, id); });
}

}  // namespace plexsphere::tenancy

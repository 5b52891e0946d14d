#include "store/resource_store.hpp"

#include "store/declare.hpp"

namespace plexsphere::tenancy {
namespace {

using sdk::Code;
using sdk::Error;
using sdk::Type;

constexpr std::string_view kInsert =
    "INSERT INTO tenancy.resources (id, domain_id, project_id, kind, external_ref, origin) "
    "VALUES ($1::uuid, $2::uuid, $3::uuid, $4::text, $5::text, $6::text) "
    "RETURNING created_at, updated_at";
constexpr std::string_view kFind =
    "SELECT id, domain_id, project_id, kind, external_ref, origin, created_at, updated_at "
    "FROM tenancy.resources WHERE id = $1::uuid";
constexpr std::string_view kList =
    "SELECT id, domain_id, project_id, kind, external_ref, origin, created_at, updated_at "
    "FROM tenancy.resources WHERE project_id = $1::uuid AND id > $2::uuid "
    "ORDER BY id LIMIT $3::bigint";
constexpr std::string_view kRemove =
    "DELETE FROM tenancy.resources WHERE id = $1::uuid "
    "RETURNING id, domain_id, project_id, kind, external_ref, origin, created_at, updated_at";
constexpr std::string_view kDomainOf =
    "SELECT domain_id FROM tenancy.resources WHERE id = $1::uuid";
// One row when the Project exists; its Resource columns are null when the Resource does not.
constexpr std::string_view kPlace = R"sql(
SELECT p.domain_id, p.id, r.id, r.kind, coalesce(r.external_ref, r.id::text),
       d.mesh_cidr::text, s.sub_range::text
FROM tenancy.projects p
JOIN tenancy.domains d ON d.id = p.domain_id
LEFT JOIN tenancy.project_mesh_ip_reservations s ON s.project_id = p.id
LEFT JOIN LATERAL (
  SELECT * FROM tenancy.resources x
  WHERE x.project_id = p.id AND (x.id = $3::uuid OR ($3::uuid IS NULL AND x.external_ref = $2::text))
  LIMIT 1
) r ON true
WHERE p.id = $1::uuid)sql";
constexpr std::string_view kPin =
    "SELECT domain_id, project_id, resource_id, kind, handle, mesh_cidr, sub_range "
    "FROM tenancy.port_pin_resource($1::uuid)";

ResourceRow row_of(const sdk::Row& row) {
  return {row.uuid(0),   row.uuid(1),    row.uuid(2),   row.string(3), row.optional_string(4),
          row.string(5), row.instant(6), row.instant(7)};
}

sdk::Placement placement_of(const sdk::Row& row) {
  return {row.uuid(0),   row.uuid(1),   row.uuid(2),  row.string(3),
          row.string(4), row.string(5), row.string(6)};
}

Error resource_missing() {
  return {Code::not_found, "resource_not_found", "There is no such Resource."};
}
Error project_missing() {
  return {Code::not_found, "project_not_found", "There is no such Project."};
}

Error refusal_of(const Error& error) {
  if (error.reason == "resources_external_ref_key") {
    return {Code::already_exists, "external_ref_conflict",
            "Another Resource of the Project has this external_ref."};
  }
  if (error.reason == "live_node_resource_fk") {
    return {Code::failed_precondition, "resource_not_empty",
            "A live Node stands on the Resource: deregister it first."};
  }
  return error.reason == "resources_project_fk" ? project_missing() : error;
}

}  // namespace

sdk::Status ResourceStore::declare(const sdk::Store& store) {
  store_ = store;
  const auto id = Type::uuid;
  const auto text = Type::text;
  const auto time = Type::timestamp;
  const sdk::Store::Types columns{id, id, id, text, text, text, time, time};
  const sdk::Store::Types placement{id, id, id, text, text, text, text};
  Declaring declaring;
  declaring.keep(insert_, store.write("resource.insert", kInsert, {id, id, id, text, text, text},
                                      {time, time}));
  declaring.keep(find_, store.read("resource.find", kFind, {id}, columns));
  declaring.keep(list_, store.read("resource.list", kList, {id, id, Type::int64}, columns));
  declaring.keep(remove_, store.write("resource.remove", kRemove, {id}, columns));
  declaring.keep(domain_of_, store.read("resource.domain_of", kDomainOf, {id}, {id}));
  declaring.keep(place_, store.read("resource.place", kPlace, {id, text, id}, placement));
  declaring.keep(pin_, store.port("resource.pin", kPin, {id}, placement));
  return declaring.status();
}

sdk::Status ResourceStore::insert(const sdk::Transaction& tx, ResourceRow& row) const {
  const auto rows = tx.run(insert_, row.id, row.domain_id, row.project_id, row.kind,
                           row.external_ref, row.origin);
  if (!rows.ok()) {
    return refusal_of(rows.error());
  }
  row.created_at = (*rows)[0].instant(0);
  row.updated_at = (*rows)[0].instant(1);
  return {};
}

sdk::Result<ResourceRow> ResourceStore::remove(const sdk::Transaction& tx,
                                               const sdk::Uuid& id) const {
  const auto rows = tx.run(remove_, id);
  if (!rows.ok()) {
    return refusal_of(rows.error());
  }
  return rows->empty() ? sdk::Result<ResourceRow>(resource_missing())
                       : sdk::Result<ResourceRow>(row_of((*rows)[0]));
}

sdk::Result<ResourceRow> ResourceStore::find(const sdk::Uuid& id) const {
  const auto rows = store_.read_once(find_, id);
  if (!rows.ok()) {
    return rows.error();
  }
  return rows->empty() ? sdk::Result<ResourceRow>(resource_missing())
                       : sdk::Result<ResourceRow>(row_of((*rows)[0]));
}

sdk::Result<std::vector<ResourceRow>> ResourceStore::list(const sdk::Uuid& project,
                                                          const sdk::Uuid& after,
                                                          int64_t limit) const {
  const auto rows = store_.read_once(list_, project, after, limit);
  if (!rows.ok()) {
    return rows.error();
  }
  std::vector<ResourceRow> out;
  for (std::size_t i = 0; i < rows->size(); ++i) {
    out.push_back(row_of((*rows)[i]));
  }
  return out;
}

sdk::Result<sdk::Uuid> ResourceStore::domain_of(const sdk::Uuid& id) const {
  const auto rows = store_.read_once(domain_of_, id);
  if (!rows.ok()) {
    return rows.error();
  }
  return rows->empty() ? sdk::Result<sdk::Uuid>(resource_missing())
                       : sdk::Result<sdk::Uuid>((*rows)[0].uuid(0));
}

sdk::Result<sdk::Placement> ResourceStore::place(const sdk::Uuid& project, std::string_view handle,
                                                 const sdk::Uuid& id) const {
  const auto by_id = [&](const std::optional<sdk::Uuid>& wanted) -> sdk::Result<sdk::Placement> {
    const auto rows = store_.read_once(place_, project, handle, wanted);
    if (!rows.ok()) {
      return rows.error();
    }
    if (rows->empty()) {
      return project_missing();
    }
    return (*rows)[0].is_null(2) ? sdk::Result<sdk::Placement>(resource_missing())
                                 : sdk::Result<sdk::Placement>(placement_of((*rows)[0]));
  };
  if (!id.is_zero()) {
    return by_id(id);
  }
  auto found = by_id(std::nullopt);
  const auto as_id = sdk::Uuid::parse(handle);
  const bool try_id = !found.ok() && found.error().reason == "resource_not_found" && as_id;
  return try_id ? by_id(as_id) : found;
}

sdk::Result<sdk::Placement> ResourceStore::pin(px_tx* tx, const sdk::Uuid& id) const {
  const auto rows = store_.borrow(tx).run(pin_, id);
  if (!rows.ok()) {
    return rows.error();
  }
  return rows->empty() ? sdk::Result<sdk::Placement>(resource_missing())
                       : sdk::Result<sdk::Placement>(placement_of((*rows)[0]));
}

}  // namespace plexsphere::tenancy

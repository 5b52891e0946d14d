#include "store/project_store.hpp"

#include "store/declare.hpp"

namespace plexsphere::tenancy {
namespace {

using sdk::Code;
using sdk::Error;
using sdk::Type;

#define TENANCY_PROJECT_SELECT                                                                 \
  "SELECT p.id, p.domain_id, p.name, p.slug, p.description, s.sub_range::text, p.created_at, " \
  "p.updated_at FROM tenancy.projects p "                                                      \
  "LEFT JOIN tenancy.project_mesh_ip_reservations s ON s.project_id = p.id "

constexpr std::string_view kInsert =
    "INSERT INTO tenancy.projects (id, domain_id, name, slug, description) "
    "VALUES ($1::uuid, $2::uuid, $3::text, $4::text, $5::text) RETURNING created_at, updated_at";
constexpr std::string_view kReserve =
    "INSERT INTO tenancy.project_mesh_ip_reservations (project_id, domain_id, mesh_cidr, "
    "sub_range) VALUES ($1::uuid, $2::uuid, ($3::text)::cidr, ($4::text)::cidr)";
constexpr std::string_view kFind = TENANCY_PROJECT_SELECT "WHERE p.id = $1::uuid";
constexpr std::string_view kDomainOf = "SELECT domain_id FROM tenancy.projects WHERE id = $1::uuid";
constexpr std::string_view kListAll = TENANCY_PROJECT_SELECT
    "WHERE (p.slug, p.id) > ($1::text, $2::uuid) ORDER BY p.slug, p.id LIMIT $3::bigint";
// A slug is unique within its Domain, so the id is only there to keep one form of position.
constexpr std::string_view kListInDomain = TENANCY_PROJECT_SELECT
    "WHERE p.domain_id = $4::uuid AND (p.slug, p.id) > ($1::text, $2::uuid) "
    "ORDER BY p.slug, p.id LIMIT $3::bigint";

#undef TENANCY_PROJECT_SELECT

ProjectRow row_of(const sdk::Row& row) {
  return {row.uuid(0),    row.uuid(1),   row.string(2),
          row.string(3),  row.string(4), row.optional_string(5),
          row.instant(6), row.instant(7)};
}

Error missing() {
  return {Code::not_found, "project_not_found", "There is no such Project."};
}

Error refusal_of_insert(const Error& error) {
  if (error.reason == "projects_slug_key") {
    return {Code::already_exists, "project_slug_conflict",
            "Another Project of the Domain has this slug."};
  }
  if (error.reason == "projects_domain_fk") {
    return {Code::failed_precondition, "parent_domain_missing", "There is no such Domain."};
  }
  return error;
}

Error refusal_of_reserve(const Error& error) {
  if (error.reason == "reservations_sub_range_excl") {
    return {Code::already_exists, "sub_range_overlap",
            "The range overlaps that of another Project of the Domain."};
  }
  if (error.reason == "reservations_pool_fk") {
    return {Code::aborted, "mesh_cidr_changed", "The Domain's mesh range changed meanwhile."};
  }
  return error;
}

sdk::Result<sdk::Uuid> only_id(const sdk::Result<sdk::Rows>& rows) {
  if (!rows.ok()) {
    return rows.error();
  }
  return rows->empty() ? sdk::Result<sdk::Uuid>(missing())
                       : sdk::Result<sdk::Uuid>((*rows)[0].uuid(0));
}

}  // namespace

sdk::Status ProjectStore::declare(const sdk::Store& store) {
  store_ = store;
  const auto id = Type::uuid;
  const auto text = Type::text;
  const auto time = Type::timestamp;
  const sdk::Store::Types columns{id, id, text, text, text, text, time, time};
  Declaring declaring;
  declaring.keep(insert_,
                 store.write("project.insert", kInsert, {id, id, text, text, text}, {time, time}));
  declaring.keep(reserve_, store.write("project.reserve", kReserve, {id, id, text, text}));
  declaring.keep(find_, store.read("project.find", kFind, {id}, columns));
  declaring.keep(domain_of_, store.read("project.domain_of", kDomainOf, {id}, {id}));
  declaring.keep(list_all_, store.read("project.list", kListAll, {text, id, Type::int64}, columns));
  declaring.keep(list_in_domain_, store.read("project.list_in_domain", kListInDomain,
                                             {text, id, Type::int64, id}, columns));
  return declaring.status();
}

sdk::Status ProjectStore::insert(const sdk::Transaction& tx, ProjectRow& row) const {
  const auto rows = tx.run(insert_, row.id, row.domain_id, row.name, row.slug, row.description);
  if (!rows.ok()) {
    return refusal_of_insert(rows.error());
  }
  row.created_at = (*rows)[0].instant(0);
  row.updated_at = (*rows)[0].instant(1);
  return {};
}

sdk::Status ProjectStore::reserve(const sdk::Transaction& tx, const ProjectRow& row,
                                  std::string_view pool) const {
  const auto done = tx.run(reserve_, row.id, row.domain_id, pool, row.sub_range_cidr);
  return done.ok() ? sdk::Status{} : sdk::Status(refusal_of_reserve(done.error()));
}

sdk::Result<ProjectRow> ProjectStore::find(const sdk::Uuid& id) const {
  const auto rows = store_.read_once(find_, id);
  if (!rows.ok()) {
    return rows.error();
  }
  return rows->empty() ? sdk::Result<ProjectRow>(missing())
                       : sdk::Result<ProjectRow>(row_of((*rows)[0]));
}

sdk::Result<sdk::Uuid> ProjectStore::domain_of(const sdk::Uuid& id) const {
  return only_id(store_.read_once(domain_of_, id));
}

sdk::Result<sdk::Uuid> ProjectStore::domain_of(const sdk::Transaction& tx,
                                               const sdk::Uuid& id) const {
  return only_id(tx.run(domain_of_, id));
}

sdk::Result<std::vector<ProjectRow>> ProjectStore::list(const std::optional<sdk::Uuid>& domain,
                                                        const ProjectPosition& after,
                                                        int64_t limit) const {
  const auto rows = domain ? store_.read_once(list_in_domain_, after.slug, after.id, limit, *domain)
                           : store_.read_once(list_all_, after.slug, after.id, limit);
  if (!rows.ok()) {
    return rows.error();
  }
  std::vector<ProjectRow> out;
  for (std::size_t i = 0; i < rows->size(); ++i) {
    out.push_back(row_of((*rows)[i]));
  }
  return out;
}

}  // namespace plexsphere::tenancy

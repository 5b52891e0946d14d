#include "store/domain_store.hpp"

#include <string>

#include "store/declare.hpp"

namespace plexsphere::tenancy {
namespace {

using sdk::Code;
using sdk::Error;
using sdk::Type;
using std::chrono::milliseconds;

#define TENANCY_DOMAIN_COLUMNS                                                    \
  "id, name, slug, description, region, mesh_cidr::text, heartbeat_interval_ms, " \
  "stale_after_ms, unreachable_after_ms, created_at, updated_at FROM tenancy.domains "

constexpr std::string_view kInsert =
    "INSERT INTO tenancy.domains (id, name, slug, description, region, mesh_cidr, "
    "heartbeat_interval_ms, stale_after_ms, unreachable_after_ms) "
    "VALUES ($1::uuid, $2::text, $3::text, $4::text, $5::text, ($6::text)::cidr, $7::bigint, "
    "$8::bigint, $9::bigint) RETURNING created_at, updated_at";
constexpr std::string_view kConflicts =
    "SELECT EXISTS (SELECT FROM tenancy.domains WHERE slug = $1::text), "
    "EXISTS (SELECT FROM tenancy.domains WHERE mesh_cidr && ($2::text)::cidr)";
constexpr std::string_view kFind = "SELECT " TENANCY_DOMAIN_COLUMNS "WHERE id = $1::uuid";
constexpr std::string_view kPool =
    "SELECT mesh_cidr::text FROM tenancy.domains WHERE id = $1::uuid";
constexpr std::string_view kList =
    "SELECT " TENANCY_DOMAIN_COLUMNS "WHERE slug > $1::text ORDER BY slug LIMIT $2::bigint";
constexpr std::string_view kExists =
    "SELECT EXISTS (SELECT FROM tenancy.domains WHERE id = $1::uuid)";

#undef TENANCY_DOMAIN_COLUMNS

DomainRow row_of(const sdk::Row& row) {
  return {
      row.uuid(0),
      row.string(1),
      row.string(2),
      row.string(3),
      row.optional_string(4),
      row.string(5),
      {milliseconds(row.integer(6)), milliseconds(row.integer(7)), milliseconds(row.integer(8))},
      row.instant(9),
      row.instant(10)};
}

Error slug_conflict() {
  return {Code::already_exists, "domain_slug_conflict", "Another Domain has this slug."};
}
Error overlap() {
  return {Code::already_exists, "mesh_cidr_overlap",
          "The mesh range overlaps that of another Domain."};
}

Error refusal_of(const Error& error) {
  if (error.reason == "domains_slug_key") {
    return slug_conflict();
  }
  return error.reason == "domains_mesh_cidr_excl" ? overlap() : error;
}

}  // namespace

sdk::Status DomainStore::declare(const sdk::Store& store) {
  store_ = store;
  const auto text = Type::text;
  const auto number = Type::int64;
  const auto time = Type::timestamp;
  const sdk::Store::Types columns{Type::uuid, text,   text,   text, text, text,
                                  number,     number, number, time, time};
  Declaring declaring;
  declaring.keep(insert_,
                 store.write("domain.insert", kInsert,
                             {Type::uuid, text, text, text, text, text, number, number, number},
                             {time, time}));
  declaring.keep(conflicts_, store.read("domain.conflicts", kConflicts, {text, text},
                                        {Type::boolean, Type::boolean}));
  declaring.keep(find_, store.read("domain.find", kFind, {Type::uuid}, columns));
  declaring.keep(pool_, store.read("domain.pool", kPool, {Type::uuid}, {text}));
  declaring.keep(list_, store.read("domain.list", kList, {text, number}, columns));
  declaring.keep(exists_, store.read("domain.exists", kExists, {Type::uuid}, {Type::boolean}));
  return declaring.status();
}

sdk::Status DomainStore::insert(const sdk::Transaction& tx, DomainRow& row) const {
  const auto rows = tx.run(insert_, row.id, row.name, row.slug, row.description, row.region,
                           row.mesh_cidr, int64_t{row.reachability.heartbeat_interval.count()},
                           int64_t{row.reachability.stale_after.count()},
                           int64_t{row.reachability.unreachable_after.count()});
  if (!rows.ok()) {
    return refusal_of(rows.error());
  }
  row.created_at = (*rows)[0].instant(0);
  row.updated_at = (*rows)[0].instant(1);
  return {};
}

sdk::Status DomainStore::foresee_conflict(std::string_view slug, std::string_view mesh_cidr) const {
  const auto rows = store_.read_once(conflicts_, slug, mesh_cidr);
  if (!rows.ok()) {
    return rows.error();
  }
  if ((*rows)[0].boolean(0)) {
    return slug_conflict();
  }
  return (*rows)[0].boolean(1) ? sdk::Status(overlap()) : sdk::Status{};
}

sdk::Result<DomainRow> DomainStore::find(const sdk::Uuid& id) const {
  const auto rows = store_.read_once(find_, id);
  if (!rows.ok()) {
    return rows.error();
  }
  if (rows->empty()) {
    return Error{Code::not_found, "domain_not_found", "There is no such Domain."};
  }
  return row_of((*rows)[0]);
}

sdk::Result<std::optional<std::string>> DomainStore::pool(const sdk::Transaction& tx,
                                                          const sdk::Uuid& id) const {
  const auto rows = tx.run(pool_, id);
  if (!rows.ok()) {
    return rows.error();
  }
  return rows->empty() ? std::optional<std::string>{} : std::optional((*rows)[0].string(0));
}

sdk::Result<std::vector<DomainRow>> DomainStore::list(std::string_view after_slug,
                                                      int64_t limit) const {
  const auto rows = store_.read_once(list_, after_slug, limit);
  if (!rows.ok()) {
    return rows.error();
  }
  std::vector<DomainRow> out;
  for (std::size_t i = 0; i < rows->size(); ++i) {
    out.push_back(row_of((*rows)[i]));
  }
  return out;
}

sdk::Result<bool> DomainStore::exists(const sdk::Uuid& id) const {
  const auto rows = store_.read_once(exists_, id);
  return rows.ok() ? sdk::Result<bool>((*rows)[0].boolean(0)) : sdk::Result<bool>(rows.error());
}

}  // namespace plexsphere::tenancy

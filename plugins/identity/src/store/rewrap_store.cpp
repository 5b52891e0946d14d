#include "store/rewrap_store.hpp"

#include "plexsphere/sdk/declarations.hpp"

namespace plexsphere::identity {
namespace {

using sdk::Type;

// The order that run_of reads.
constexpr std::string_view kColumns =
    "r.id, r.domain_id, r.request_id, r.whole_deployment, r.state, r.from_version, r.to_version, "
    "r.total, r.rewrapped, r.after_node_id, r.requested_at, r.started_at, r.finished_at, "
    "r.retired_at";

RewrapRun run_of(const sdk::Row& row) {
  return {row.uuid(0),
          row.uuid(1),
          row.uuid(2),
          row.boolean(3),
          rewrap_state(row.text(4)).value_or(RewrapState::requested),
          static_cast<std::int32_t>(row.integer(5)),
          static_cast<std::int32_t>(row.integer(6)),
          row.integer(7),
          row.integer(8),
          row.uuid(9),
          row.instant(10),
          row.optional_instant(11),
          row.optional_instant(12),
          row.optional_instant(13)};
}

sdk::Result<std::optional<RewrapRun>> first_of(const sdk::Result<sdk::Rows>& rows) {
  if (!rows.ok()) {
    return rows.error();
  }
  return rows.value().empty() ? std::optional<RewrapRun>() : std::optional(run_of(rows.value()[0]));
}

sdk::Result<std::vector<RewrapRun>> runs_of(const sdk::Result<sdk::Rows>& rows) {
  if (!rows.ok()) {
    return rows.error();
  }
  std::vector<RewrapRun> out;
  for (std::size_t i = 0; i < rows.value().size(); ++i) {
    out.push_back(run_of(rows.value()[i]));
  }
  return out;
}

std::string select(std::string_view from) {
  return "SELECT " + std::string(kColumns) + " FROM identity.nsk_rewrap r " + std::string(from);
}

}  // namespace

sdk::Status RewrapStore::declare(const sdk::Store& store) {
  store_ = store;
  const auto run = {Type::uuid,      Type::uuid,      Type::uuid,      Type::boolean,  Type::text,
                    Type::int64,     Type::int64,     Type::int64,     Type::int64,    Type::uuid,
                    Type::timestamp, Type::timestamp, Type::timestamp, Type::timestamp};
  sdk::Declarations all(store_);
  all.write(insert_, "nsk_rewrap.insert",
            "INSERT INTO identity.nsk_rewrap (id, domain_id, request_id, whole_deployment, state, "
            "from_version, requested_at) "
            "VALUES ($1, $2, $3, $4, 'requested', $5::bigint::integer, $6) "
            "ON CONFLICT (domain_id) WHERE state <> 'done' DO NOTHING RETURNING id",
            {Type::uuid, Type::uuid, Type::uuid, Type::boolean, Type::int64, Type::timestamp},
            {Type::uuid});
  all.read(latest_, "nsk_rewrap.latest",
           select("WHERE r.domain_id = $1 ORDER BY r.id DESC LIMIT 1"), {Type::uuid}, run);
  all.read(page_, "nsk_rewrap.page",
           select("WHERE r.domain_id > $1 AND NOT EXISTS (SELECT FROM identity.nsk_rewrap n "
                  "WHERE n.domain_id = r.domain_id AND n.id > r.id) ORDER BY r.domain_id LIMIT $2"),
           {Type::uuid, Type::int64}, run);
  all.read(domains_, "nsk_rewrap.domains",
           "SELECT DISTINCT domain_id FROM identity.node ORDER BY domain_id", {}, {Type::uuid});
  all.read(open_, "nsk_rewrap.open", select("WHERE r.state <> 'done' ORDER BY r.id LIMIT $1"),
           {Type::int64}, run);
  all.write(
      update_, "nsk_rewrap.update",
      "UPDATE identity.nsk_rewrap SET state = $3, to_version = nullif($4::bigint::integer, 0), "
      "total = $5, rewrapped = $6, after_node_id = $7, started_at = $8, finished_at = $9, "
      "retired_at = $10 WHERE id = $1 AND state = $2 RETURNING id",
      {Type::uuid, Type::text, Type::text, Type::int64, Type::int64, Type::int64, Type::uuid,
       Type::timestamp, Type::timestamp, Type::timestamp},
      {Type::uuid});
  all.read(older_, "nsk_rewrap.older",
           "SELECT k.id, k.node_id, k.wrap_key_id, k.wrapped_nsk FROM identity.node n "
           "JOIN identity.node_secret_key k ON k.node_id = n.id "
           "WHERE n.domain_id = $1 AND k.wrap_key_version < $2 AND n.id >= $3 "
           "ORDER BY n.id, k.generation LIMIT $4",
           {Type::uuid, Type::int64, Type::uuid, Type::int64},
           {Type::uuid, Type::uuid, Type::uuid, Type::bytes});
  all.read(count_older_, "nsk_rewrap.count_older",
           "SELECT count(*) FROM identity.node n JOIN identity.node_secret_key k "
           "ON k.node_id = n.id WHERE n.domain_id = $1 AND k.wrap_key_version < $2",
           {Type::uuid, Type::int64}, {Type::int64});
  all.write(
      rewrap_, "nsk_rewrap.rewrap",
      "UPDATE identity.node_secret_key k SET wrapped_nsk = e.blob, "
      "wrap_key_id = e.wrap_key_id, wrap_key_version = e.version::integer "
      "FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::bigint[], $5::bytea[]) "
      "AS e (id, old_wrap_key_id, wrap_key_id, version, blob) "
      "WHERE k.id = e.id AND k.wrap_key_id = e.old_wrap_key_id RETURNING k.id",
      {Type::uuid_array, Type::uuid_array, Type::uuid_array, Type::int64_array, Type::bytes_array},
      {Type::uuid});
  return std::move(all).status();
}

sdk::Result<bool> RewrapStore::insert(const sdk::Transaction& tx, const RewrapRun& run) const {
  auto rows = tx.run(insert_, run.id, run.domain_id, run.request_id, run.whole_deployment,
                     run.from_version, run.requested_at);
  return rows.ok() ? sdk::Result<bool>(!rows->empty()) : sdk::Result<bool>(rows.error());
}

sdk::Result<std::optional<RewrapRun>> RewrapStore::latest(const sdk::Uuid& domain_id) const {
  return first_of(store_.read_once(latest_, domain_id));
}

sdk::Result<std::vector<RewrapRun>> RewrapStore::open() const {
  return runs_of(store_.read_once(open_, kMostOpen));
}

sdk::Result<std::vector<RewrapRun>> RewrapStore::page(const sdk::Uuid& after,
                                                      std::int64_t limit) const {
  return runs_of(store_.read_once(page_, after, limit));
}

sdk::Result<std::vector<sdk::Uuid>> RewrapStore::domains() const {
  auto rows = store_.read_once(domains_);
  if (!rows.ok()) {
    return rows.error();
  }
  std::vector<sdk::Uuid> out;
  for (std::size_t i = 0; i < rows->size(); ++i) {
    out.push_back((*rows)[i].uuid(0));
  }
  return out;
}

sdk::Result<bool> RewrapStore::update(const sdk::Transaction& tx, const RewrapRun& run,
                                      RewrapState before) const {
  auto rows =
      tx.run(update_, run.id, text_of(before), text_of(run.state), run.to_version, run.total,
             run.rewrapped, run.after_node_id, run.started_at, run.finished_at, run.retired_at);
  return rows.ok() ? sdk::Result<bool>(!rows->empty()) : sdk::Result<bool>(rows.error());
}

sdk::Result<std::vector<WrappedKey>> RewrapStore::older(const sdk::Uuid& domain_id,
                                                        std::int32_t version,
                                                        const sdk::Uuid& from_node,
                                                        std::int64_t limit) const {
  auto rows = store_.read_once(older_, domain_id, version, from_node, limit);
  if (!rows.ok()) {
    return rows.error();
  }
  std::vector<WrappedKey> out;
  for (std::size_t i = 0; i < rows->size(); ++i) {
    const sdk::Row row = (*rows)[i];
    out.push_back({row.uuid(0), row.uuid(1), row.uuid(2), std::string(row.bytes(3))});
  }
  return out;
}

sdk::Result<std::int64_t> RewrapStore::count_older(const sdk::Uuid& domain_id,
                                                   std::int32_t version) const {
  auto rows = store_.read_once(count_older_, domain_id, version);
  return rows.ok() ? sdk::Result<std::int64_t>((*rows)[0].integer(0))
                   : sdk::Result<std::int64_t>(rows.error());
}

sdk::Result<std::size_t> RewrapStore::rewrap(const sdk::Transaction& tx,
                                             const std::vector<RewrappedKey>& keys) const {
  std::vector<sdk::Param> ids, old_ids, new_ids, versions, blobs;
  for (const RewrappedKey& key : keys) {
    ids.emplace_back(key.key_id);
    old_ids.emplace_back(key.old_wrap_key_id);
    new_ids.emplace_back(key.wrapped.wrap_key_id);
    versions.emplace_back(key.wrapped.wrap_key_version);
    blobs.emplace_back(sdk::Bytes{key.wrapped.blob});
  }
  auto rows = tx.run(rewrap_, sdk::Param(ids, Type::uuid), sdk::Param(old_ids, Type::uuid),
                     sdk::Param(new_ids, Type::uuid), sdk::Param(versions, Type::int64),
                     sdk::Param(blobs, Type::bytes));
  return rows.ok() ? sdk::Result<std::size_t>(rows->size())
                   : sdk::Result<std::size_t>(rows.error());
}

}  // namespace plexsphere::identity

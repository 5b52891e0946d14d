#include "store/capability_store.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "plexsphere/sdk/declarations.hpp"
#include "plexsphere/sdk/encoding.hpp"

namespace plexsphere::mesh {
namespace {

using nlohmann::json;
using sdk::Type;

// The names stand in ascending order, which the answer promises.
constexpr auto kPut =
    "WITH before AS (SELECT m.* FROM (VALUES (1)) AS one LEFT JOIN mesh.capability_manifest AS m "
    "ON m.node_id = $1), "
    "changed AS (SELECT array_remove(ARRAY["
    "CASE WHEN binary_checksum IS DISTINCT FROM $3::bytea THEN 'binary_checksum' END, "
    "CASE WHEN binary_version IS DISTINCT FROM $2::text THEN 'binary_version' END, "
    "CASE WHEN coalesce(declared_hooks, '[]') <> $5::jsonb THEN 'declared_hooks' END, "
    "CASE WHEN coalesce(plexd_hooks, '[]') <> $6::jsonb THEN 'plexd_hooks' END, "
    "CASE WHEN coalesce(ssh_host_key_fingerprint, '') <> $4::text "
    "THEN 'ssh_host_key_fingerprint' END], NULL) AS fields, "
    "coalesce(ssh_host_key_fingerprint, '') NOT IN ('', $4::text) AS host_key FROM before), "
    "put AS (INSERT INTO mesh.capability_manifest AS m (node_id, binary_version, binary_checksum, "
    "ssh_host_key_fingerprint, declared_hooks, plexd_hooks, reported_at) "
    "VALUES ($1, $2::text, $3::bytea, $4::text, $5::jsonb, $6::jsonb, statement_timestamp()) "
    "ON CONFLICT (node_id) DO UPDATE SET binary_version = excluded.binary_version, "
    "binary_checksum = excluded.binary_checksum, "
    "ssh_host_key_fingerprint = excluded.ssh_host_key_fingerprint, "
    "declared_hooks = excluded.declared_hooks, plexd_hooks = excluded.plexd_hooks, "
    "reported_at = excluded.reported_at RETURNING m.reported_at) "
    "SELECT put.reported_at, changed.fields, changed.host_key FROM put, changed";

constexpr auto kPage =
    "SELECT m.node_id, p.domain_id, m.binary_version, encode(m.binary_checksum, 'base64'), "
    "m.reported_at FROM mesh.peer AS p JOIN mesh.capability_manifest AS m USING (node_id) "
    "WHERE p.project_id = $1 AND p.deregistered_at IS NULL "
    "AND ($2::uuid IS NULL OR p.node_id = $2) AND p.node_id > $3 "
    "ORDER BY p.node_id LIMIT $4";

json object_of(const DeclaredHook& hook) {
  return {{"name", hook.name}, {"checksum", sdk::base64_encode(hook.checksum)}};
}

json object_of(const PlexdHook& hook) {
  return {{"name", hook.name},
          {"image_digest", hook.image_digest},
          {"parameters", hook.parameters},
          {"timeout_seconds", hook.timeout_seconds},
          {"sandbox", hook.sandbox}};
}

// By name, which is unique: the order they were sent in is no difference.
template <typename Hook>
std::string sorted_json(std::vector<Hook> hooks) {
  std::ranges::sort(hooks, {}, &Hook::name);
  json out = json::array();
  for (const Hook& hook : hooks) {
    out.push_back(object_of(hook));
  }
  return out.dump();
}

}  // namespace

sdk::Status CapabilityStore::declare(const sdk::Store& store) {
  store_ = store;
  sdk::Declarations all(store_);
  all.write(put_, "capability.put", kPut,
            {Type::uuid, Type::text, Type::bytes, Type::text, Type::json, Type::json},
            {Type::timestamp, Type::text_array, Type::boolean});
  all.read(page_, "capability.page", kPage, {Type::uuid, Type::uuid, Type::uuid, Type::int64},
           {Type::uuid, Type::uuid, Type::text, Type::text, Type::timestamp});
  return std::move(all).status();
}

sdk::Result<AcceptedManifest> CapabilityStore::put(const sdk::Transaction& tx,
                                                   const sdk::Uuid& node_id,
                                                   const CapabilityManifest& manifest) const {
  const auto rows = tx.run(put_, node_id, manifest.binary_version,
                           sdk::Bytes{manifest.binary_checksum}, manifest.ssh_host_key_fingerprint,
                           sorted_json(manifest.declared_hooks), sorted_json(manifest.plexd_hooks));
  if (!rows.ok()) {
    return rows.error();
  }
  const sdk::Row row = (*rows)[0];
  AcceptedManifest out{row.instant(0), {}, row.boolean(2)};
  for (const sdk::Row& field : row.array(1)) {
    out.fields_changed.push_back(field.string(0));
  }
  return out;
}

sdk::Result<std::vector<CapabilityRow>> CapabilityStore::page(
    const sdk::Uuid& project_id, const std::optional<sdk::Uuid>& node_id, const sdk::Uuid& after,
    std::int64_t limit) const {
  const auto rows = store_.read_once(page_, project_id, node_id, after, limit);
  if (!rows.ok()) {
    return rows.error();
  }
  std::vector<CapabilityRow> out;
  out.reserve(rows->size());
  for (std::size_t i = 0; i < rows->size(); ++i) {
    const sdk::Row row = (*rows)[i];
    out.push_back({row.uuid(0), row.uuid(1), row.string(2), row.string(3), row.instant(4)});
  }
  return out;
}

}  // namespace plexsphere::mesh

#include "store/node_store.hpp"

#include "plexsphere/sdk/declarations.hpp"

namespace plexsphere::identity {
namespace {

using sdk::Type;

void declare_changes(sdk::Declarations& all, sdk::Statement& insert, sdk::Statement& lock,
                     sdk::Statement& revoke_key, sdk::Statement& insert_key) {
  all.write(insert, "node.insert",
            "WITH node AS (INSERT INTO identity.node (id, domain_id, project_id, resource_id, "
            "resource_handle, kind, mesh_ip, public_key, bootstrap_token_id, registered_at, state) "
            "VALUES ($1, $2, $3, $4, $5, $6, $7::text::inet, $8, $9, $10, 'ready') RETURNING id) "
            "INSERT INTO identity.node_secret_key (id, node_id, generation, digest, wrapped_nsk, "
            "wrap_key_id, wrap_key_version, replay_count, created_at) "
            "SELECT $11::uuid, node.id, $12::bigint, $13::bytea, $14::bytea, $15::uuid, "
            "$16::bigint::integer, $17::bigint::integer, $18::timestamptz FROM node",
            {Type::uuid, Type::uuid, Type::uuid, Type::uuid, Type::text, Type::text, Type::text,
             Type::bytes, Type::uuid, Type::timestamp, Type::uuid, Type::int64, Type::bytes,
             Type::bytes, Type::uuid, Type::int64, Type::int64, Type::timestamp});
  all.write(lock, "node.lock_key",
            "SELECT n.id, n.domain_id, n.project_id, n.resource_id, n.resource_handle, n.kind, "
            "host(n.mesh_ip), n.public_key, n.bootstrap_token_id, n.registered_at, "
            "n.state = 'deregistered', k.id, k.generation, k.replay_count, "
            "k.first_used_at IS NOT NULL FROM identity.node n "
            "JOIN identity.node_secret_key k ON k.node_id = n.id AND k.revoked_at IS NULL "
            "WHERE n.id = $1 FOR UPDATE OF k",
            {Type::uuid},
            {Type::uuid, Type::uuid, Type::uuid, Type::uuid, Type::text, Type::text, Type::text,
             Type::bytes, Type::uuid, Type::timestamp, Type::boolean, Type::uuid, Type::int64,
             Type::int64, Type::boolean});
  all.write(revoke_key, "node_key.revoke",
            "UPDATE identity.node_secret_key SET revoked_at = $2 WHERE id = $1 "
            "AND revoked_at IS NULL",
            {Type::uuid, Type::timestamp});
  all.write(insert_key, "node_key.insert",
            "INSERT INTO identity.node_secret_key (id, node_id, generation, digest, wrapped_nsk, "
            "wrap_key_id, wrap_key_version, replay_count, created_at) VALUES ($1, $2, $3, $4, $5, "
            "$6, $7::bigint::integer, $8::bigint::integer, $9)",
            {Type::uuid, Type::uuid, Type::int64, Type::bytes, Type::bytes, Type::uuid, Type::int64,
             Type::int64, Type::timestamp});
}

void declare_end(sdk::Declarations& all, sdk::Statement& hold, sdk::Statement& revoke_live,
                 sdk::Statement& deregister) {
  // Weaker than FOR UPDATE: a new key of the Node only needs the row to stay.
  all.write(hold, "node.hold",
            "SELECT id, domain_id, project_id, resource_id, kind, state = 'deregistered' "
            "FROM identity.node WHERE id = $1 FOR NO KEY UPDATE",
            {Type::uuid},
            {Type::uuid, Type::uuid, Type::uuid, Type::uuid, Type::text, Type::boolean});
  all.write(revoke_live, "node_key.revoke_live",
            "UPDATE identity.node_secret_key SET revoked_at = $2 WHERE node_id = $1 "
            "AND revoked_at IS NULL RETURNING generation",
            {Type::uuid, Type::timestamp}, {Type::int64});
  all.write(deregister, "node.deregister",
            "UPDATE identity.node SET state = 'deregistered', deregistered_at = $2 WHERE id = $1",
            {Type::uuid, Type::timestamp});
}

sdk::Status status_of(const sdk::Result<sdk::Rows>& rows) {
  return rows.ok() ? sdk::Status{} : sdk::Status(rows.error());
}

}  // namespace

sdk::Status NodeStore::declare(const sdk::Store& store) {
  store_ = store;
  sdk::Declarations all(store_);
  declare_changes(all, insert_, lock_, revoke_key_, insert_key_);
  declare_end(all, hold_, revoke_live_, deregister_);
  all.read(keys_, "node_key.of_node",
           "SELECT k.id, k.generation, k.digest, k.revoked_at IS NOT NULL OR n.state = "
           "'deregistered', k.first_used_at IS NOT NULL, n.domain_id "
           "FROM identity.node_secret_key k JOIN identity.node n ON n.id = k.node_id "
           "WHERE k.node_id = $1 ORDER BY k.generation DESC",
           {Type::uuid},
           {Type::uuid, Type::int64, Type::bytes, Type::boolean, Type::boolean, Type::uuid});
  all.write(mark_used_, "node_key.mark_used",
            "UPDATE identity.node_secret_key SET first_used_at = $2 WHERE id = $1 "
            "AND first_used_at IS NULL AND revoked_at IS NULL RETURNING id",
            {Type::uuid, Type::timestamp}, {Type::uuid});
  all.read(find_, "node.find",
           "SELECT id, domain_id, project_id, resource_id, state = 'deregistered' "
           "FROM identity.node WHERE id = $1",
           {Type::uuid}, {Type::uuid, Type::uuid, Type::uuid, Type::uuid, Type::boolean});
  const auto listing = {Type::uuid, Type::uuid, Type::text, Type::text, Type::timestamp};
  all.read(page_, "node.page",
           "SELECT id, domain_id, resource_handle, kind, registered_at FROM identity.node "
           "WHERE id > $1 AND state <> 'deregistered' ORDER BY id LIMIT $2",
           {Type::uuid, Type::int64}, listing);
  all.read(page_domain_, "node.page_of_domain",
           "SELECT id, domain_id, resource_handle, kind, registered_at FROM identity.node "
           "WHERE domain_id = $3 AND id > $1 AND state <> 'deregistered' ORDER BY id LIMIT $2",
           {Type::uuid, Type::int64, Type::uuid}, listing);
  return std::move(all).status();
}

sdk::Status NodeStore::insert(const sdk::Transaction& tx, const NodeRecord& node,
                              const SecretKeyRecord& key) const {
  return status_of(tx.run(insert_, node.id, node.domain_id, node.project_id, node.resource_id,
                          node.resource_handle, node.kind, node.mesh_ip,
                          sdk::Bytes{node.public_key}, node.bootstrap_token_id, node.registered_at,
                          key.id, key.generation, sdk::Bytes{key.digest},
                          sdk::Bytes{key.wrapped.blob}, key.wrapped.wrap_key_id,
                          key.wrapped.wrap_key_version, key.replays, key.created_at));
}

sdk::Result<HeldNode> NodeStore::hold(const sdk::Transaction& tx, const sdk::Uuid& node_id) const {
  auto rows = tx.run(hold_, node_id);
  if (!rows.ok()) {
    return rows.error();
  }
  if (rows->empty()) {
    return sdk::Error{sdk::Code::not_found, "node_not_found", "There is no such Node."};
  }
  const sdk::Row row = (*rows)[0];
  return HeldNode{row.uuid(0), row.uuid(1),   row.uuid(2),
                  row.uuid(3), row.string(4), row.boolean(5)};
}

sdk::Result<std::int64_t> NodeStore::revoke_live_key(const sdk::Transaction& tx,
                                                     const sdk::Uuid& node_id,
                                                     sdk::Instant now) const {
  auto rows = tx.run(revoke_live_, node_id, now);
  if (!rows.ok()) {
    return rows.error();
  }
  return rows->empty() ? std::int64_t{0} : (*rows)[0].integer(0);
}

sdk::Status NodeStore::deregister(const sdk::Transaction& tx, const sdk::Uuid& node_id,
                                  sdk::Instant now) const {
  return status_of(tx.run(deregister_, node_id, now));
}

sdk::Result<LockedNode> NodeStore::lock(const sdk::Transaction& tx,
                                        const sdk::Uuid& node_id) const {
  if (auto held = hold(tx, node_id); !held.ok()) {
    return held.error();
  }
  auto rows = tx.run(lock_, node_id);
  if (!rows.ok()) {
    return rows.error();
  }
  if (rows->empty()) {
    return sdk::Error{sdk::Code::not_found, "node_not_found", "The Node has no live key."};
  }
  const sdk::Row row = (*rows)[0];
  return LockedNode{
      {row.uuid(0), row.uuid(1), row.uuid(2), row.uuid(3), row.string(4), row.string(5),
       row.string(6), std::string(row.bytes(7)), row.uuid(8), row.instant(9)},
      row.boolean(10),
      row.uuid(11),
      row.integer(12),
      static_cast<std::int32_t>(row.integer(13)),
      row.boolean(14)};
}

sdk::Status NodeStore::replace_key(const sdk::Transaction& tx, const LockedNode& node,
                                   const SecretKeyRecord& next) const {
  auto revoked = status_of(tx.run(revoke_key_, node.key_id, next.created_at));
  if (!revoked.ok()) {
    return revoked;
  }
  return status_of(tx.run(insert_key_, next.id, node.node.id, next.generation,
                          sdk::Bytes{next.digest}, sdk::Bytes{next.wrapped.blob},
                          next.wrapped.wrap_key_id, next.wrapped.wrap_key_version, next.replays,
                          next.created_at));
}

sdk::Result<std::vector<KeyCandidate>> NodeStore::keys_of(const sdk::Uuid& node_id) const {
  auto rows = store_.read_once(keys_, node_id);
  if (!rows.ok()) {
    return rows.error();
  }
  std::vector<KeyCandidate> out;
  for (std::size_t i = 0; i < rows->size(); ++i) {
    const sdk::Row row = (*rows)[i];
    out.push_back({row.uuid(0), row.integer(1), std::string(row.bytes(2)), row.boolean(3),
                   row.boolean(4), row.uuid(5)});
  }
  return out;
}

sdk::Result<bool> NodeStore::mark_used(const sdk::Uuid& key_id, sdk::Instant now) const {
  auto tx = store_.begin();
  if (!tx.ok()) {
    return tx.error();
  }
  auto rows = tx->run(mark_used_, key_id, now);
  if (!rows.ok()) {
    return rows.error();
  }
  const bool first = !rows->empty();
  auto committed = tx->commit();
  return committed.ok() ? sdk::Result<bool>(first) : sdk::Result<bool>(committed.error());
}

sdk::Result<NodeLocation> NodeStore::find(const sdk::Uuid& node_id) const {
  auto rows = store_.read_once(find_, node_id);
  if (!rows.ok()) {
    return rows.error();
  }
  if (rows->empty()) {
    return sdk::Error{sdk::Code::not_found, "node_not_found", "There is no such Node."};
  }
  const sdk::Row row = (*rows)[0];
  return NodeLocation{row.uuid(0), row.uuid(1), row.uuid(2), row.uuid(3), row.boolean(4)};
}

sdk::Result<std::vector<NodeListing>> NodeStore::page(const std::optional<sdk::Uuid>& domain_id,
                                                      const sdk::Uuid& after,
                                                      std::int64_t limit) const {
  auto rows = domain_id ? store_.read_once(page_domain_, after, limit, *domain_id)
                        : store_.read_once(page_, after, limit);
  if (!rows.ok()) {
    return rows.error();
  }
  std::vector<NodeListing> out;
  for (std::size_t i = 0; i < rows->size(); ++i) {
    const sdk::Row row = (*rows)[i];
    out.push_back({row.uuid(0), row.uuid(1), row.string(2), row.string(3), row.instant(4)});
  }
  return out;
}

}  // namespace plexsphere::identity

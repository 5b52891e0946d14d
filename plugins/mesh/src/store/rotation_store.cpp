#include "store/rotation_store.hpp"

#include "plexsphere/sdk/declarations.hpp"

namespace plexsphere::mesh {
namespace {

using sdk::Type;

constexpr auto kLock =
    "SELECT peer_id, domain_id, credential_generation, credential_revoked_at IS NOT NULL, "
    "deregistered_at IS NOT NULL FROM mesh.peer WHERE node_id = $1 FOR UPDATE";

constexpr auto kPending =
    "SELECT id FROM mesh.peer_key_rotation WHERE node_id = $1 AND state = 'pending'";

// One row for a Node that is there: its key, what pends, and what was completed last.
constexpr auto kFacts =
    "SELECT p.public_key, "
    "(SELECT r.id FROM mesh.peer_key_rotation AS r "
    "WHERE r.node_id = p.node_id AND r.state = 'pending'), "
    "c.public_key, c.id, c.kid, s.wrap_key_version "
    "FROM mesh.peer AS p LEFT JOIN LATERAL ("
    "SELECT r.id, r.public_key, r.kid FROM mesh.peer_key_rotation AS r "
    "WHERE r.node_id = p.node_id AND r.state = 'completed' ORDER BY r.ended_at DESC LIMIT 1) AS c "
    "ON true LEFT JOIN mesh.node_secret AS s ON s.kid = c.kid WHERE p.node_id = $1";

constexpr auto kInsert =
    "INSERT INTO mesh.peer_key_rotation (id, node_id, state, requested_at) "
    "VALUES ($1, $2, 'pending', statement_timestamp())";

// A row for each peer; a Node without any has one row whose peer is null.
constexpr auto kReach =
    "SELECT a.peer_id, a.domain_id, o.kid, o.wrap_key_version, "
    "EXISTS (SELECT FROM mesh.peer_key_rotation AS r "
    "WHERE r.node_id = a.node_id AND r.state = 'pending'), "
    "p.node_id, s.kid, s.wrap_key_version "
    "FROM mesh.peer AS a "
    "LEFT JOIN mesh.node_secret AS o ON o.node_id = a.node_id AND o.retired_at IS NULL "
    "LEFT JOIN mesh.peer AS p ON p.domain_id = a.domain_id AND p.deregistered_at IS NULL "
    "AND p.node_id <> a.node_id "
    "LEFT JOIN mesh.node_secret AS s ON s.node_id = p.node_id AND s.retired_at IS NULL "
    "WHERE a.node_id = $1 AND a.deregistered_at IS NULL ORDER BY p.node_id";

SecretReference secret_of(const sdk::Row& row, std::size_t first) {
  return row.is_null(first) ? SecretReference{}
                            : SecretReference{row.uuid(first).text(), row.integer(first + 1)};
}

RotationFacts facts_of(const sdk::Row& row) {
  RotationFacts out;
  out.current_key = row.bytes(0);
  if (const auto pending = row.optional_uuid(1)) {
    out.pending_rotation = pending->text();
  }
  if (!row.is_null(3)) {
    out.last_completed = {std::string(row.bytes(2)), {row.uuid(3).text(), secret_of(row, 4)}};
  }
  return out;
}

sdk::Error no_such_node() {
  return {sdk::Code::not_found, "node_not_found", "There is no such Node."};
}

}  // namespace

sdk::Status RotationStore::declare(const sdk::Store& store) {
  store_ = store;
  sdk::Declarations all(store_);
  all.write(lock_, "rotation.lock", kLock, {Type::uuid},
            {Type::uuid, Type::uuid, Type::int64, Type::boolean, Type::boolean});
  all.read(pending_, "rotation.pending", kPending, {Type::uuid}, {Type::uuid});
  all.read(facts_, "rotation.facts", kFacts, {Type::uuid},
           {Type::bytes, Type::uuid, Type::bytes, Type::uuid, Type::uuid, Type::int64});
  all.write(insert_, "rotation.insert", kInsert, {Type::uuid, Type::uuid});
  all.write(complete_, "rotation.complete",
            "SELECT done FROM mesh.complete_key_rotation($1, $2, $3, $4, $5, $6, $7) AS done",
            {Type::uuid, Type::uuid, Type::bytes, Type::uuid, Type::uuid, Type::int64, Type::bytes},
            {Type::boolean});
  all.read(reach_, "rotation.reach", kReach, {Type::uuid},
           {Type::uuid, Type::uuid, Type::uuid, Type::int64, Type::boolean, Type::uuid, Type::uuid,
            Type::int64});
  return std::move(all).status();
}

sdk::Result<LockedPeer> RotationStore::lock(const sdk::Transaction& tx,
                                            const sdk::Uuid& node_id) const {
  const auto rows = tx.run(lock_, node_id);
  if (!rows.ok()) {
    return rows.error();
  }
  if (rows->empty() || (*rows)[0].boolean(4)) {
    return no_such_node();
  }
  return LockedPeer{(*rows)[0].uuid(0), (*rows)[0].uuid(1)};
}

sdk::Result<LockedPeer> RotationStore::lock_own(const sdk::Transaction& tx,
                                                const sdk::Uuid& node_id,
                                                std::int64_t generation) const {
  const auto rows = tx.run(lock_, node_id);
  if (!rows.ok()) {
    return rows.error();
  }
  if (!rows->empty() && ((*rows)[0].integer(2) != generation || (*rows)[0].boolean(3))) {
    return sdk::Error{sdk::Code::unauthenticated, "nsk_revoked", "The key has been revoked."};
  }
  if (rows->empty() || (*rows)[0].boolean(4)) {
    return no_such_node();
  }
  return LockedPeer{(*rows)[0].uuid(0), (*rows)[0].uuid(1)};
}

sdk::Result<std::optional<sdk::Uuid>> RotationStore::pending(const sdk::Transaction& tx,
                                                             const sdk::Uuid& node_id) const {
  const auto rows = tx.run(pending_, node_id);
  if (!rows.ok()) {
    return rows.error();
  }
  return rows->empty() ? std::nullopt : std::optional((*rows)[0].uuid(0));
}

sdk::Result<RotationFacts> RotationStore::facts(const sdk::Transaction& tx,
                                                const sdk::Uuid& node_id) const {
  const auto rows = tx.run(facts_, node_id);
  if (!rows.ok()) {
    return rows.error();
  }
  return rows->empty() ? sdk::Result<RotationFacts>(no_such_node()) : facts_of((*rows)[0]);
}

sdk::Status RotationStore::insert(const sdk::Transaction& tx, const sdk::Uuid& rotation_id,
                                  const sdk::Uuid& node_id) const {
  const auto done = tx.run(insert_, rotation_id, node_id);
  return done.ok() ? sdk::Status() : done.error();
}

sdk::Status RotationStore::complete(const sdk::Transaction& tx, const sdk::Uuid& rotation_id,
                                    const sdk::Uuid& node_id, std::string_view public_key,
                                    const WrappedSecret& secret) const {
  const auto done =
      tx.run(complete_, rotation_id, node_id, sdk::Bytes{public_key}, secret.kid,
             secret.sealed.wrap_key_id, static_cast<std::int64_t>(secret.sealed.wrap_key_version),
             sdk::Bytes{secret.sealed.blob});
  return done.ok() ? sdk::Status() : done.error();
}

sdk::Result<std::optional<RotationReach>> RotationStore::reach(const sdk::Uuid& node_id) const {
  const auto rows = store_.read_once(reach_, node_id);
  if (!rows.ok()) {
    return rows.error();
  }
  if (rows->empty()) {
    return std::optional<RotationReach>();
  }
  const sdk::Row self = (*rows)[0];
  RotationReach out{{self.uuid(0), self.uuid(1)}, secret_of(self, 2), self.boolean(4), {}};
  for (std::size_t i = 0; i < rows->size(); ++i) {
    const sdk::Row row = (*rows)[i];
    if (const auto peer = row.optional_uuid(5)) {
      out.peers.push_back({peer->text(), secret_of(row, 6)});
    }
  }
  return std::optional(std::move(out));
}

}  // namespace plexsphere::mesh

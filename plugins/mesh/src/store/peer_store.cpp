#include "store/peer_store.hpp"

#include "plexsphere/sdk/declarations.hpp"

namespace plexsphere::mesh {
namespace {

using sdk::Type;

// The second column tells a refused credential from a Node nobody told us of.
constexpr auto kHeartbeat =
    "WITH beat AS ("
    "UPDATE mesh.peer SET last_heartbeat_at = greatest(last_heartbeat_at, statement_timestamp()), "
    "healthy_since = CASE WHEN statement_timestamp() - last_heartbeat_at "
    "< $3::bigint * interval '1 millisecond' THEN healthy_since ELSE statement_timestamp() END, "
    "binary_checksum = $4, binary_version = $5, nat_summary = $6 "
    "WHERE node_id = $1 AND credential_generation = $2 AND credential_revoked_at IS NULL "
    "AND deregistered_at IS NULL RETURNING last_heartbeat_at) "
    "SELECT (SELECT last_heartbeat_at FROM beat), "
    "EXISTS (SELECT FROM mesh.peer WHERE node_id = $1), "
    "EXISTS (SELECT FROM mesh.peer_key_rotation WHERE node_id = $1 AND state = 'pending')";

constexpr auto kReading =
    "SELECT domain_id, created_at, last_heartbeat_at, healthy_since, statement_timestamp() "
    "FROM mesh.peer WHERE node_id = $1 AND deregistered_at IS NULL";

// The asking Node's own row carries the times and the entries; the others leave them out to stay
// small.
constexpr auto kState =
    "WITH mine AS (SELECT array_agg(kind) AS kinds, array_agg(key) AS keys, "
    "array_agg(value) AS contents, array_agg(workload_tag) AS tags FROM (SELECT kind, key, value, "
    "workload_tag FROM mesh.state_entry WHERE node_id = $1 ORDER BY kind, key) AS entry) "
    "SELECT p.node_id, host(p.mesh_ip), encode(p.public_key, 'base64'), p.fallback_endpoint, "
    "p.node_id = $1, a.domain_id, CASE WHEN p.node_id = $1 THEN a.created_at END, "
    "CASE WHEN p.node_id = $1 THEN a.last_heartbeat_at END, "
    "CASE WHEN p.node_id = $1 THEN a.healthy_since END, "
    "CASE WHEN p.node_id = $1 THEN statement_timestamp() END, "
    "CASE WHEN p.node_id = $1 THEN mine.kinds END, CASE WHEN p.node_id = $1 THEN mine.keys END, "
    "CASE WHEN p.node_id = $1 THEN mine.contents END, CASE WHEN p.node_id = $1 THEN mine.tags END "
    "FROM mesh.peer AS a JOIN mesh.peer AS p "
    "ON p.domain_id = a.domain_id AND p.deregistered_at IS NULL CROSS JOIN mine "
    "WHERE a.node_id = $1 AND a.deregistered_at IS NULL ORDER BY p.node_id";

HeartbeatReading reading_of(const sdk::Row& row, std::size_t first) {
  return {
      row.uuid(first),
      {row.instant(first + 1), row.optional_instant(first + 2), row.optional_instant(first + 3)},
      row.instant(first + 4)};
}

SnapshotPeer peer_of(const sdk::Row& row) {
  return {row.uuid(0).text(), row.string(1), row.string(2), row.string(3)};
}

// Four arrays of one length, ordered by kind and key.
StateEntries entries_of(const sdk::Row& row, std::size_t first) {
  StateEntries out;
  const auto kinds = row.array(first);
  const auto keys = row.array(first + 1);
  const auto values = row.array(first + 2);
  const auto tags = row.array(first + 3);
  for (std::size_t i = 0; i < kinds.size(); ++i) {
    auto& bucket = kinds[i].text(0) == "metadata" ? out.metadata
                   : kinds[i].text(0) == "data"   ? out.data
                                                  : out.reports;
    bucket.push_back({keys[i].string(0), values[i].string(0), tags[i].optional_string(0)});
  }
  return out;
}

}  // namespace

sdk::Status PeerStore::declare(const sdk::Store& store) {
  store_ = store;
  sdk::Declarations all(store_);
  all.write(heartbeat_, "peer.heartbeat", kHeartbeat,
            {Type::uuid, Type::int64, Type::int64, Type::bytes, Type::text, Type::json},
            {Type::timestamp, Type::boolean, Type::boolean});
  all.read(reading_, "peer.reading", kReading, {Type::uuid},
           {Type::uuid, Type::timestamp, Type::timestamp, Type::timestamp, Type::timestamp});
  all.read(state_, "peer.state", kState, {Type::uuid},
           {Type::uuid, Type::text, Type::text, Type::text, Type::boolean, Type::uuid,
            Type::timestamp, Type::timestamp, Type::timestamp, Type::timestamp, Type::text_array,
            Type::text_array, Type::text_array, Type::text_array});
  return std::move(all).status();
}

sdk::Result<AcceptedHeartbeat> PeerStore::record_heartbeat(
    const sdk::Uuid& node_id, std::int64_t generation, const HeartbeatReport& report,
    std::chrono::milliseconds stale_after) const {
  auto tx = store_.begin();
  if (!tx.ok()) {
    return tx.error();
  }
  const auto rows =
      tx->run(heartbeat_, node_id, generation, static_cast<std::int64_t>(stale_after.count()),
              sdk::Bytes{report.binary_checksum}, report.binary_version, report.nat_summary);
  if (!rows.ok()) {
    return rows.error();
  }
  const auto accepted = (*rows)[0].optional_instant(0);
  if (!accepted && (*rows)[0].boolean(1)) {
    return sdk::Error{sdk::Code::unauthenticated, "nsk_revoked", "The key has been revoked."};
  }
  if (!accepted) {
    return sdk::Error{sdk::Code::not_found, "node_not_found", "The Node is not a peer."};
  }
  if (auto done = tx->commit(); !done.ok()) {
    return done.error();
  }
  return AcceptedHeartbeat{*accepted, (*rows)[0].boolean(2)};
}

sdk::Result<std::optional<HeartbeatReading>> PeerStore::read_heartbeats(
    const sdk::Uuid& node_id) const {
  const auto rows = store_.read_once(reading_, node_id);
  if (!rows.ok()) {
    return rows.error();
  }
  return rows->empty() ? std::nullopt : std::optional(reading_of((*rows)[0], 0));
}

sdk::Result<std::optional<StateReading>> PeerStore::read_state(const sdk::Uuid& node_id) const {
  const auto rows = store_.read_once(state_, node_id);
  if (!rows.ok()) {
    return rows.error();
  }
  if (rows->empty()) {
    return std::optional<StateReading>();
  }
  StateReading out;
  out.peers.reserve(rows->size());
  for (std::size_t i = 0; i < rows->size(); ++i) {
    const sdk::Row row = (*rows)[i];
    if (row.boolean(4)) {
      out.self = reading_of(row, 5);
      out.entries = entries_of(row, 10);
    } else {
      out.peers.push_back(peer_of(row));
    }
  }
  return std::optional(std::move(out));
}

}  // namespace plexsphere::mesh

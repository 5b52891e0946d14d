#include "store/endpoint_store.hpp"

#include "plexsphere/sdk/declarations.hpp"

namespace plexsphere::mesh {
namespace {

using sdk::Type;

// Stale is what the clock says, whether or not the sweep has been there.
constexpr auto kPut =
    "WITH before AS (SELECT endpoint, staled_at IS NOT NULL OR stale_after <= "
    "statement_timestamp() AS stale FROM mesh.peer_endpoint WHERE node_id = $1), "
    "put AS (INSERT INTO mesh.peer_endpoint AS e (node_id, endpoint, nat_type, reported_at, "
    "accepted_at, stale_after) VALUES ($1, $2, $3, $4, statement_timestamp(), "
    "statement_timestamp() + $5::bigint * interval '1 millisecond') "
    "ON CONFLICT (node_id) DO UPDATE SET endpoint = excluded.endpoint, "
    "nat_type = excluded.nat_type, reported_at = excluded.reported_at, "
    "accepted_at = excluded.accepted_at, stale_after = excluded.stale_after, staled_at = NULL "
    "RETURNING e.accepted_at, e.stale_after) "
    "SELECT put.accepted_at, put.stale_after, "
    "coalesce((SELECT before.endpoint <> $2 OR before.stale FROM before), true) FROM put";

constexpr auto kMarkStale =
    "UPDATE mesh.peer_endpoint AS e SET staled_at = statement_timestamp() FROM mesh.peer AS p "
    "WHERE p.node_id = e.node_id AND e.node_id IN (SELECT s.node_id FROM mesh.peer_endpoint AS s "
    "WHERE s.staled_at IS NULL AND s.stale_after <= statement_timestamp() "
    "ORDER BY s.stale_after LIMIT $1 FOR UPDATE SKIP LOCKED) "
    "RETURNING e.node_id, p.peer_id, p.domain_id, e.staled_at";

}  // namespace

sdk::Status EndpointStore::declare(const sdk::Store& store) {
  sdk::Declarations all(store);
  all.write(put_, "endpoint.put", kPut,
            {Type::uuid, Type::text, Type::text, Type::timestamp, Type::int64},
            {Type::timestamp, Type::timestamp, Type::boolean});
  all.write(mark_stale_, "endpoint.mark_stale", kMarkStale, {Type::int64},
            {Type::uuid, Type::uuid, Type::uuid, Type::timestamp});
  return std::move(all).status();
}

sdk::Result<AcceptedEndpoint> EndpointStore::put(const sdk::Transaction& tx,
                                                 const sdk::Uuid& node_id,
                                                 const std::string& endpoint,
                                                 const EndpointReport& report,
                                                 std::chrono::milliseconds ttl) const {
  const auto rows = tx.run(put_, node_id, endpoint, report.nat_type, report.reported_at,
                           static_cast<std::int64_t>(ttl.count()));
  if (!rows.ok()) {
    return rows.error();
  }
  const sdk::Row row = (*rows)[0];
  return AcceptedEndpoint{row.instant(0), row.instant(1), row.boolean(2)};
}

sdk::Result<std::vector<StaleEndpoint>> EndpointStore::mark_stale(const sdk::Transaction& tx,
                                                                  std::int64_t limit) const {
  const auto rows = tx.run(mark_stale_, limit);
  if (!rows.ok()) {
    return rows.error();
  }
  std::vector<StaleEndpoint> out;
  out.reserve(rows->size());
  for (std::size_t i = 0; i < rows->size(); ++i) {
    const sdk::Row row = (*rows)[i];
    out.push_back({row.uuid(0), row.uuid(1), row.uuid(2), row.instant(3)});
  }
  return out;
}

}  // namespace plexsphere::mesh

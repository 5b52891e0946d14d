#include "store/boundary_store.hpp"

#include "plexsphere/sdk/declarations.hpp"

namespace plexsphere::audit {
namespace {

using sdk::Bytes;
using sdk::Result;
using sdk::Status;
using sdk::Transaction;
using sdk::Type;
using sdk::Uuid;

constexpr std::string_view kTiles =
    "SELECT max(e.seq), (array_agg(e.entry_hash ORDER BY e.seq DESC))[1], count(*), "
    "count(*) FILTER (WHERE e.archived_at IS NOT NULL AND "
    "(convert_from(e.canonical_bytes, 'UTF8')::json ->> 'occurred_at')::timestamptz < $3) "
    "FROM audit.audit_log_entry e WHERE e.domain_id = $1 AND e.seq > $2 AND e.seq <= $2 + 256 * "
    "$4::bigint GROUP BY (e.seq - 1) / 256 ORDER BY 1";

Boundary boundary_of(const sdk::Row& row, std::size_t first) {
  return {row.integer(first), std::string(row.bytes(first + 1))};
}

}  // namespace

Result<BoundaryStore> BoundaryStore::declare(const sdk::Store& store) {
  BoundaryStore out;
  out.store_ = store;
  sdk::Declarations declare(store);
  declare.read(out.find_, "boundary.find",
               "SELECT seq, entry_hash FROM audit.audit_boundary WHERE domain_id = $1",
               {Type::uuid}, {Type::int64, Type::bytes});
  declare.read(out.all_, "boundary.all",
               "SELECT domain_id, seq, entry_hash FROM audit.audit_boundary", {},
               {Type::uuid, Type::int64, Type::bytes});
  declare.read(out.tiles_, "boundary.tiles", kTiles,
               {Type::uuid, Type::int64, Type::timestamp, Type::int64},
               {Type::int64, Type::bytes, Type::int64, Type::int64});
  declare.write(out.move_, "boundary.move",
                "INSERT INTO audit.audit_boundary (domain_id, seq, entry_hash) VALUES ($1, $2, $3) "
                "ON CONFLICT (domain_id) DO UPDATE SET seq = excluded.seq, "
                "entry_hash = excluded.entry_hash, declared_at = now()",
                {Type::uuid, Type::int64, Type::bytes});
  declare.write(out.prune_, "boundary.prune", "SELECT pruned FROM audit.prune_entries($1, $2)",
                {Type::uuid, Type::int64}, {Type::int64});
  if (auto status = std::move(declare).status(); !status.ok()) {
    return status.error();
  }
  return out;
}

Result<Boundary> BoundaryStore::find(const Uuid& chain) const {
  const auto rows = store_.read_once(find_, chain);
  if (!rows.ok()) {
    return rows.error();
  }
  return rows->empty() ? Boundary{} : boundary_of((*rows)[0], 0);
}

Result<std::map<Uuid, Boundary>> BoundaryStore::all() const {
  const auto rows = store_.read_once(all_);
  if (!rows.ok()) {
    return rows.error();
  }
  std::map<Uuid, Boundary> out;
  for (std::size_t i = 0; i < rows->size(); ++i) {
    out.emplace((*rows)[i].uuid(0), boundary_of((*rows)[i], 1));
  }
  return out;
}

Result<std::vector<Tile>> BoundaryStore::tiles(const Uuid& chain, std::int64_t after,
                                               sdk::Instant older_than, std::int64_t limit) const {
  const auto rows = store_.read_once(tiles_, chain, after, older_than, limit);
  if (!rows.ok()) {
    return rows.error();
  }
  std::vector<Tile> out;
  for (std::size_t i = 0; i < rows->size(); ++i) {
    const sdk::Row row = (*rows)[i];
    const bool whole = row.integer(2) == 256;
    out.push_back(
        {row.integer(0), std::string(row.bytes(1)), whole, whole && row.integer(3) == 256});
  }
  return out;
}

Status BoundaryStore::move(const Transaction& tx, const Uuid& chain,
                           const Boundary& boundary) const {
  const auto moved = tx.run(move_, chain, boundary.seq, Bytes{boundary.entry_hash});
  return moved.ok() ? Status() : Status(moved.error());
}

Result<std::int64_t> BoundaryStore::prune(const Transaction& tx, const Uuid& chain,
                                          std::int64_t most) const {
  const auto rows = tx.run(prune_, chain, most);
  return rows.ok() ? Result<std::int64_t>((*rows)[0].integer(0)) : rows.error();
}

}  // namespace plexsphere::audit

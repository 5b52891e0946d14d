#include "store/checkpoint_store.hpp"

#include "plexsphere/sdk/declarations.hpp"

namespace plexsphere::audit {
namespace {

using sdk::Bytes;
using sdk::Param;
using sdk::Result;
using sdk::Status;
using sdk::Transaction;
using sdk::Type;
using sdk::Uuid;

// A chain's head beside its newest checkpoint. A checkpoint leaves two entries of its own behind
// it, its signature's and its own, with whatever came between: they are none that call for the
// next.
constexpr std::string_view kNewest =
    "FROM audit.audit_log_chain_head h LEFT JOIN LATERAL (SELECT k.size, k.signed_at "
    "FROM audit.audit_checkpoint k WHERE k.domain_id = h.domain_id ORDER BY k.size DESC LIMIT 1) c "
    "ON true ";
constexpr std::string_view kCallingEntry =
    "FROM audit.audit_log_entry o WHERE o.domain_id = h.domain_id AND o.seq > coalesce(c.size, 0) "
    "AND o.relation NOT IN ('audit.checkpoint', 'signing.checkpoint', "
    "'signing.last_checkpoint')";

std::string behind() {
  return "(c.size IS NULL OR EXISTS (SELECT " + std::string(kCallingEntry) + "))";
}

std::string due_sql() {
  return "SELECT h.domain_id " + std::string(kNewest) +
         "WHERE h.domain_id > $1 AND (h.seq < c.size OR (" + behind() +
         " AND (c.signed_at IS NULL OR c.signed_at <= now() - $2::bigint * interval '1 "
         "millisecond'))) ORDER BY h.domain_id LIMIT $3::bigint";
}

std::string lag_sql() {
  return "SELECT count(*), coalesce(max(h.seq - coalesce(c.size, 0)), 0)::bigint, "
         "coalesce(greatest(max(extract(epoch FROM now() - e.occurred_at)), 0), 0)::bigint " +
         std::string(kNewest) + "LEFT JOIN LATERAL (SELECT o.occurred_at " +
         std::string(kCallingEntry) + " ORDER BY o.seq LIMIT 1) e ON true WHERE " + behind();
}

constexpr std::string_view kColumns =
    "SELECT size, root_hash, note, key_id, public_key, signed_at FROM audit.audit_checkpoint "
    "WHERE domain_id = $1 ";

std::string select(std::string_view rest) {
  return std::string(kColumns) + std::string(rest);
}

StoredCheckpoint stored(const sdk::Row& row) {
  return {row.integer(0), std::string(row.bytes(1)), row.string(2),
          row.string(3),  std::string(row.bytes(4)), row.instant(5)};
}

}  // namespace

Result<CheckpointStore> CheckpointStore::declare(const sdk::Store& store) {
  CheckpointStore out;
  out.store_ = store;
  const sdk::Store::Types kStored = {Type::int64, Type::bytes, Type::text,
                                     Type::text,  Type::bytes, Type::timestamp};
  sdk::Declarations declare(store);
  declare.read(out.due_, "checkpoint.due", due_sql(), {Type::uuid, Type::int64, Type::int64},
               {Type::uuid});
  declare.read(out.lag_, "checkpoint.lag", lag_sql(), {}, {Type::int64, Type::int64, Type::int64});
  declare.read(out.newest_, "checkpoint.newest", select("ORDER BY size DESC LIMIT 1"), {Type::uuid},
               kStored);
  declare.read(out.of_size_, "checkpoint.of_size", select("AND size = $2"),
               {Type::uuid, Type::int64}, kStored);
  declare.read(out.list_, "checkpoint.list",
               select("AND size > $2 AND size <= $3 ORDER BY size LIMIT $4"),
               {Type::uuid, Type::int64, Type::int64, Type::int64}, kStored);
  declare.read(out.missing_, "checkpoint.missing",
               "SELECT s.size FROM unnest($2::bigint[]) AS s(size) WHERE NOT EXISTS (SELECT FROM "
               "audit.audit_checkpoint k WHERE k.domain_id = $1 AND k.size = s.size) "
               "ORDER BY s.size LIMIT 1",
               {Type::uuid, Type::int64_array}, {Type::int64});
  declare.write(out.add_, "checkpoint.add",
                "INSERT INTO audit.audit_checkpoint (domain_id, size, root_hash, note, key_id, "
                "public_key) VALUES ($1, $2, $3, $4, $5, $6)",
                {Type::uuid, Type::int64, Type::bytes, Type::text, Type::text, Type::bytes});
  declare.read(out.tiles_, "tree.tiles",
               "SELECT idx + 1 FROM audit.audit_tree_node WHERE domain_id = $1 AND level = 8 "
               "ORDER BY idx DESC LIMIT 1",
               {Type::uuid}, {Type::int64});
  declare.read(out.entries_, "tree.entries",
               "SELECT entry_hash FROM audit.audit_log_entry WHERE domain_id = $1 AND seq BETWEEN "
               "$2 AND $3 ORDER BY seq",
               {Type::uuid, Type::int64, Type::int64}, {Type::bytes});
  declare.read(out.nodes_, "tree.nodes",
               "SELECT hash FROM audit.audit_tree_node WHERE domain_id = $1 AND level = $2::bigint "
               "AND idx BETWEEN $3 AND $4 ORDER BY idx",
               {Type::uuid, Type::int64, Type::int64, Type::int64}, {Type::bytes});
  declare.write(
      out.keep_, "tree.keep",
      "INSERT INTO audit.audit_tree_node (domain_id, level, idx, hash) SELECT $1, n.level, "
      "n.idx, n.hash FROM unnest($2::bigint[], $3::bigint[], $4::bytea[]) AS n(level, "
      "idx, hash)",
      {Type::uuid, Type::int64_array, Type::int64_array, Type::bytes_array});
  if (auto status = std::move(declare).status(); !status.ok()) {
    return status.error();
  }
  return out;
}

Result<std::vector<Uuid>> CheckpointStore::due(const Uuid& after,
                                               std::chrono::milliseconds interval,
                                               std::int64_t limit) const {
  const auto rows =
      store_.read_once(due_, after, static_cast<std::int64_t>(interval.count()), limit);
  if (!rows.ok()) {
    return rows.error();
  }
  std::vector<Uuid> out;
  for (std::size_t i = 0; i < rows->size(); ++i) {
    out.push_back((*rows)[i].uuid(0));
  }
  return out;
}

Result<CheckpointLag> CheckpointStore::lag() const {
  const auto rows = store_.read_once(lag_);
  if (!rows.ok()) {
    return rows.error();
  }
  return CheckpointLag{(*rows)[0].integer(0), (*rows)[0].integer(1), (*rows)[0].integer(2)};
}

Result<std::optional<StoredCheckpoint>> CheckpointStore::find(
    const Uuid& chain, std::optional<std::int64_t> size) const {
  const auto rows =
      size ? store_.read_once(of_size_, chain, *size) : store_.read_once(newest_, chain);
  if (!rows.ok()) {
    return rows.error();
  }
  return rows->empty() ? std::optional<StoredCheckpoint>{} : std::optional(stored((*rows)[0]));
}

Result<std::vector<StoredCheckpoint>> CheckpointStore::list(const Uuid& chain, std::int64_t after,
                                                            std::int64_t to,
                                                            std::int64_t limit) const {
  const auto rows = store_.read_once(list_, chain, after, to, limit);
  if (!rows.ok()) {
    return rows.error();
  }
  std::vector<StoredCheckpoint> out;
  for (std::size_t i = 0; i < rows->size(); ++i) {
    out.push_back(stored((*rows)[i]));
  }
  return out;
}

Result<std::optional<std::int64_t>> CheckpointStore::missing(
    const Uuid& chain, const std::vector<std::int64_t>& sizes) const {
  std::vector<Param> items;
  for (const std::int64_t size : sizes) {
    items.emplace_back(size);
  }
  const auto rows = store_.read_once(missing_, chain, Param(items, Type::int64));
  if (!rows.ok()) {
    return rows.error();
  }
  return rows->empty() ? std::optional<std::int64_t>{} : std::optional((*rows)[0].integer(0));
}

Status CheckpointStore::add(const Transaction& tx, const Uuid& chain,
                            const StoredCheckpoint& checkpoint) const {
  const auto added = tx.run(add_, chain, checkpoint.size, Bytes{checkpoint.root}, checkpoint.note,
                            checkpoint.key_id, Bytes{checkpoint.public_key});
  return added.ok() ? Status() : Status(added.error());
}

Result<std::int64_t> CheckpointStore::tiles(const Uuid& chain) const {
  const auto rows = store_.read_once(tiles_, chain);
  if (!rows.ok()) {
    return rows.error();
  }
  return rows->empty() ? std::int64_t{0} : (*rows)[0].integer(0);
}

Result<std::vector<std::string>> CheckpointStore::hashes(const Uuid& chain, int level,
                                                         std::int64_t first,
                                                         std::int64_t last) const {
  const auto rows = level == 0 ? store_.read_once(entries_, chain, first + 1, last + 1)
                               : store_.read_once(nodes_, chain, level, first, last);
  if (!rows.ok()) {
    return rows.error();
  }
  std::vector<std::string> out;
  out.reserve(rows->size());
  for (std::size_t i = 0; i < rows->size(); ++i) {
    out.emplace_back((*rows)[i].bytes(0));
  }
  return out;
}

Status CheckpointStore::keep(const Transaction& tx, const Uuid& chain,
                             const std::vector<TreeNode>& nodes) const {
  std::vector<Param> levels;
  std::vector<Param> indices;
  std::vector<Param> hashes;
  for (const TreeNode& node : nodes) {
    levels.emplace_back(node.level);
    indices.emplace_back(node.index);
    hashes.emplace_back(Bytes{node.hash});
  }
  const auto kept = tx.run(keep_, chain, Param(levels, Type::int64), Param(indices, Type::int64),
                           Param(hashes, Type::bytes));
  return kept.ok() ? Status() : Status(kept.error());
}

}  // namespace plexsphere::audit

#include "store/restore_store.hpp"

#include <span>

namespace plexsphere::audit {
namespace {

using sdk::Bytes;
using sdk::Param;
using sdk::Result;
using sdk::Status;
using sdk::Type;

constexpr std::string_view kOpen =
    "SELECT id, domain_id, from_seq, to_seq, requested_by, restored "
    "FROM audit.audit_restore_request WHERE ended_at IS NULL ORDER BY requested_at, id LIMIT 1";

constexpr std::string_view kMissing =
    "SELECT s.seq FROM generate_series($3::bigint, $2::bigint, -1) AS s(seq) "
    "WHERE NOT EXISTS (SELECT FROM audit.audit_log_entry e "
    "WHERE e.domain_id = $1::uuid AND e.seq = s.seq) LIMIT $4::bigint";

constexpr std::string_view kInsert =
    "SELECT inserted FROM audit.restore_entries($1, $2, $3, $4, $5, $6)";

constexpr std::string_view kEnd =
    "UPDATE audit.audit_restore_request SET ended_at = now(), outcome = $2::text, "
    "detail = $3::text WHERE id = $1 AND ended_at IS NULL";

constexpr std::string_view kTell =
    "UPDATE audit.audit_restore_request SET detail = $2::text WHERE id = $1 AND ended_at IS NULL";

Status outcome(const Result<sdk::Rows>& rows) {
  return rows.ok() ? Status() : Status(rows.error());
}

}  // namespace

Result<RestoreStore> RestoreStore::declare(const sdk::Store& store) {
  RestoreStore out;
  out.store_ = store;
  struct {
    sdk::Statement& into;
    Result<sdk::Statement> declared;
  } all[] = {{out.open_, store.read("restore.open", kOpen, {},
                                    {Type::uuid, Type::uuid, Type::int64, Type::int64, Type::text,
                                     Type::int64})},
             {out.missing_,
              store.read("restore.missing", kMissing,
                         {Type::uuid, Type::int64, Type::int64, Type::int64}, {Type::int64})},
             {out.insert_, store.write("restore.insert", kInsert,
                                       {Type::uuid, Type::int64_array, Type::bytes_array,
                                        Type::bytes_array, Type::bytes_array, Type::text_array},
                                       {Type::int64})},
             {out.end_, store.write("restore.end", kEnd, {Type::uuid, Type::text, Type::text})},
             {out.tell_, store.write("restore.tell", kTell, {Type::uuid, Type::text})}};
  for (auto& each : all) {
    if (!each.declared.ok()) {
      return each.declared.error();
    }
    each.into = *each.declared;
  }
  return out;
}

Result<std::optional<RestoreRequest>> RestoreStore::open() const {
  const auto rows = store_.read_once(open_);
  if (!rows.ok()) {
    return rows.error();
  }
  if (rows->empty()) {
    return std::optional<RestoreRequest>();
  }
  const sdk::Row row = (*rows)[0];
  return std::optional(RestoreRequest{row.uuid(0), row.uuid(1), row.integer(2), row.integer(3),
                                      row.string(4), row.integer(5)});
}

Result<std::vector<std::int64_t>> RestoreStore::missing(const RestoreRequest& request,
                                                        std::int64_t limit) const {
  const auto rows = store_.read_once(missing_, request.chain, request.from, request.to, limit);
  if (!rows.ok()) {
    return rows.error();
  }
  std::vector<std::int64_t> out;
  for (std::size_t i = 0; i < rows->size(); ++i) {
    out.push_back((*rows)[i].integer(0));
  }
  return out;
}

Status RestoreStore::insert(const sdk::Transaction& tx, const RestoreRequest& request,
                            const std::vector<BroughtEntry>& entries) const {
  std::vector<Param> seqs;
  std::vector<Param> prevs;
  std::vector<Param> hashes;
  std::vector<Param> canonicals;
  std::vector<Param> etags;
  for (const auto& [entry, etag] : entries) {
    seqs.emplace_back(entry.seq);
    prevs.emplace_back(Bytes{entry.prev_hash});
    hashes.emplace_back(Bytes{entry.entry_hash});
    canonicals.emplace_back(Bytes{entry.canonical_bytes});
    etags.emplace_back(etag);
  }
  const auto array = [](const std::vector<Param>& items, Type type) {
    return Param(std::span<const Param>(items), type);
  };
  return outcome(tx.run(insert_, request.id, array(seqs, Type::int64), array(prevs, Type::bytes),
                        array(hashes, Type::bytes), array(canonicals, Type::bytes),
                        array(etags, Type::text)));
}

Status RestoreStore::end(const sdk::Transaction& tx, const RestoreRequest& request,
                         std::string_view how, std::string_view detail) const {
  return outcome(tx.run(end_, request.id, how, detail));
}

Status RestoreStore::tell(const sdk::Transaction& tx, const RestoreRequest& request,
                          std::string_view detail) const {
  return outcome(tx.run(tell_, request.id, detail));
}

}  // namespace plexsphere::audit

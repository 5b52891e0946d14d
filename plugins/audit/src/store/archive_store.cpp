#include "store/archive_store.hpp"

#include <span>

namespace plexsphere::audit {
namespace {

using sdk::Error;
using sdk::Param;
using sdk::Result;
using sdk::Status;
using sdk::Type;
using sdk::Uuid;

constexpr std::string_view kBehind =
    "SELECT h.domain_id, coalesce(p.seq, 0) FROM audit.audit_log_chain_head h "
    "LEFT JOIN audit.audit_archive_position p ON p.domain_id = h.domain_id "
    "WHERE h.domain_id > $1 AND h.seq > coalesce(p.seq, 0) ORDER BY h.domain_id LIMIT $2";

constexpr std::string_view kUnarchived =
    "SELECT seq, prev_hash, entry_hash, canonical_bytes FROM audit.audit_log_entry "
    "WHERE domain_id = $1 AND seq > $2 AND archived_at IS NULL ORDER BY seq LIMIT $3";

constexpr std::string_view kArchived =
    "SELECT domain_id, seq, prev_hash, entry_hash, canonical_bytes, archive_etag, "
    "greatest(archived_at, occurred_at) FROM audit.audit_log_entry "
    "WHERE domain_id = $1 AND seq > $2 AND archived_at IS NOT NULL ORDER BY seq LIMIT $3";

constexpr std::string_view kSuspects =
    "SELECT e.domain_id, e.seq, e.prev_hash, e.entry_hash, e.canonical_bytes, e.archive_etag, "
    "greatest(e.archived_at, e.occurred_at) FROM audit.audit_tamper_quarantine q "
    "JOIN audit.audit_log_entry e ON e.domain_id = q.domain_id AND e.seq = q.seq "
    "WHERE q.finding = 'mirror_divergence' AND e.archived_at IS NOT NULL "
    "ORDER BY q.found_at DESC LIMIT $1";

constexpr std::string_view kStamp =
    "UPDATE audit.audit_log_entry e SET archive_etag = r.etag, archived_at = now() "
    "FROM unnest($2::bigint[], $3::text[]) AS r(seq, etag) "
    "WHERE e.domain_id = $1 AND e.seq = r.seq AND e.archived_at IS NULL";

// To just before the first entry that is not archived, or to the last.
constexpr std::string_view kAdvance =
    "INSERT INTO audit.audit_archive_position AS p (domain_id, seq) "
    "SELECT $1, r.seq FROM (SELECT coalesce("
    "(SELECT e.seq - 1 FROM audit.audit_log_entry e WHERE e.domain_id = $1 AND e.seq > "
    "coalesce((SELECT x.seq FROM audit.audit_archive_position x WHERE x.domain_id = $1), 0) "
    "AND e.archived_at IS NULL ORDER BY e.seq LIMIT 1), "
    "(SELECT max(e.seq) FROM audit.audit_log_entry e WHERE e.domain_id = $1)) AS seq) r "
    "WHERE r.seq >= 1 "
    "ON CONFLICT (domain_id) DO UPDATE SET seq = greatest(p.seq, excluded.seq)";

constexpr std::string_view kLag =
    "SELECT coalesce(sum(h.seq - coalesce(p.seq, 0)), 0)::bigint, "
    "coalesce(extract(epoch FROM now() - min(e.occurred_at)), 0)::bigint "
    "FROM audit.audit_log_chain_head h "
    "LEFT JOIN audit.audit_archive_position p ON p.domain_id = h.domain_id "
    "LEFT JOIN audit.audit_log_entry e "
    "ON e.domain_id = h.domain_id AND e.seq = coalesce(p.seq, 0) + 1 "
    "WHERE h.seq > coalesce(p.seq, 0)";

constexpr std::initializer_list<Type> kEntryTypes = {Type::int64, Type::bytes, Type::bytes,
                                                     Type::bytes};
constexpr std::initializer_list<Type> kCopyTypes = {
    Type::uuid, Type::int64, Type::bytes, Type::bytes, Type::bytes, Type::text, Type::timestamp};
constexpr std::initializer_list<Type> kEntryParameters = {Type::uuid, Type::int64, Type::int64};

ArchivedEntry entry_of(const Uuid& chain, const sdk::Row& row, std::size_t first) {
  return {chain, row.integer(first), std::string(row.bytes(first + 1)),
          std::string(row.bytes(first + 2)), std::string(row.bytes(first + 3))};
}

std::vector<ArchivedCopy> copies_of(const sdk::Rows& rows) {
  std::vector<ArchivedCopy> out;
  out.reserve(rows.size());
  for (std::size_t i = 0; i < rows.size(); ++i) {
    out.push_back({entry_of(rows[i].uuid(0), rows[i], 1), rows[i].string(5), rows[i].instant(6)});
  }
  return out;
}

}  // namespace

Result<ArchiveStore> ArchiveStore::declare(const sdk::Store& store) {
  ArchiveStore out;
  out.store_ = store;
  struct {
    sdk::Statement& into;
    Result<sdk::Statement> declared;
  } all[] = {
      {out.behind_,
       store.read("archive.behind", kBehind, {Type::uuid, Type::int64}, {Type::uuid, Type::int64})},
      {out.unarchived_,
       store.read("archive.unarchived", kUnarchived, kEntryParameters, kEntryTypes)},
      {out.archived_, store.read("archive.archived", kArchived, kEntryParameters, kCopyTypes)},
      {out.suspects_, store.read("archive.suspects", kSuspects, {Type::int64}, kCopyTypes)},
      {out.stamp_,
       store.write("archive.stamp", kStamp, {Type::uuid, Type::int64_array, Type::text_array})},
      {out.advance_, store.write("archive.advance", kAdvance, {Type::uuid})},
      {out.lag_, store.read("archive.lag", kLag, {}, {Type::int64, Type::int64})}};
  for (auto& each : all) {
    if (!each.declared.ok()) {
      return each.declared.error();
    }
    each.into = *each.declared;
  }
  return out;
}

Result<std::vector<std::pair<Uuid, std::int64_t>>> ArchiveStore::behind(const Uuid& after,
                                                                        std::int64_t limit) const {
  const auto rows = store_.read_once(behind_, after, limit);
  if (!rows.ok()) {
    return rows.error();
  }
  std::vector<std::pair<Uuid, std::int64_t>> out;
  for (std::size_t i = 0; i < rows->size(); ++i) {
    out.emplace_back((*rows)[i].uuid(0), (*rows)[i].integer(1));
  }
  return out;
}

Result<std::vector<ArchivedEntry>> ArchiveStore::unarchived(const Uuid& chain, std::int64_t after,
                                                            std::int64_t limit) const {
  const auto rows = store_.read_once(unarchived_, chain, after, limit);
  if (!rows.ok()) {
    return rows.error();
  }
  std::vector<ArchivedEntry> out;
  out.reserve(rows->size());
  for (std::size_t i = 0; i < rows->size(); ++i) {
    out.push_back(entry_of(chain, (*rows)[i], 0));
  }
  return out;
}

Result<std::vector<ArchivedCopy>> ArchiveStore::archived(const Uuid& chain, std::int64_t after,
                                                         std::int64_t limit) const {
  const auto rows = store_.read_once(archived_, chain, after, limit);
  return rows.ok() ? Result<std::vector<ArchivedCopy>>(copies_of(*rows)) : rows.error();
}

Result<std::vector<ArchivedCopy>> ArchiveStore::suspects(std::int64_t limit) const {
  const auto rows = store_.read_once(suspects_, limit);
  return rows.ok() ? Result<std::vector<ArchivedCopy>>(copies_of(*rows)) : rows.error();
}

Status ArchiveStore::stamp(const sdk::Transaction& tx, const Uuid& chain,
                           const std::vector<Stamp>& stamps) const {
  std::vector<Param> seqs;
  std::vector<Param> etags;
  for (const Stamp& stamp : stamps) {
    seqs.emplace_back(stamp.seq);
    etags.emplace_back(stamp.etag);
  }
  if (const auto done = tx.run(stamp_, chain, Param(std::span<const Param>(seqs), Type::int64),
                               Param(std::span<const Param>(etags), Type::text));
      !done.ok()) {
    return done.error();
  }
  const auto moved = tx.run(advance_, chain);
  return moved.ok() ? Status() : Status(moved.error());
}

Result<ArchiveLag> ArchiveStore::lag() const {
  const auto rows = store_.read_once(lag_);
  if (!rows.ok()) {
    return rows.error();
  }
  return rows->empty() ? ArchiveLag{} : ArchiveLag{(*rows)[0].integer(0), (*rows)[0].integer(1)};
}

}  // namespace plexsphere::audit

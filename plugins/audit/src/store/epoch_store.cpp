#include "store/epoch_store.hpp"

#include "plexsphere/sdk/declarations.hpp"

namespace plexsphere::audit {
namespace {

using sdk::Bytes;
using sdk::Result;
using sdk::Status;
using sdk::Transaction;
using sdk::Type;
using sdk::Uuid;

constexpr std::string_view kColumns =
    "epoch, before_size, after_size, note, key_id, public_key, declared_at, domain_id "
    "FROM audit.audit_epoch ";

std::string select(std::string_view head, std::string_view rest) {
  return "SELECT " + std::string(head) + std::string(kColumns) + std::string(rest);
}

StoredEpoch stored(const sdk::Row& row) {
  return {row.integer(0), row.integer(1), row.integer(2),
          row.string(3),  row.string(4),  std::string(row.bytes(5)),
          row.instant(6)};
}

Status outcome(const Result<sdk::Rows>& rows) {
  return rows.ok() ? Status() : Status(rows.error());
}

}  // namespace

Result<EpochStore> EpochStore::declare(const sdk::Store& store) {
  EpochStore out;
  out.store_ = store;
  const sdk::Store::Types kStored = {Type::int64, Type::int64, Type::int64,     Type::text,
                                     Type::text,  Type::bytes, Type::timestamp, Type::uuid};
  sdk::Declarations declare(store);
  declare.read(out.list_, "epoch.list", select("", "WHERE domain_id = $1 ORDER BY epoch"),
               {Type::uuid}, kStored);
  declare.read(out.newest_, "epoch.newest",
               select("", "WHERE domain_id = $1 ORDER BY epoch DESC LIMIT 1"), {Type::uuid},
               kStored);
  declare.read(out.every_newest_, "epoch.every_newest",
               select("DISTINCT ON (domain_id) ", "ORDER BY domain_id, epoch DESC"), {}, kStored);
  declare.write(
      out.add_, "epoch.add",
      "INSERT INTO audit.audit_epoch (domain_id, epoch, before_size, after_size, note, "
      "key_id, public_key) VALUES ($1, $2, $3, $4, $5, $6, $7)",
      {Type::uuid, Type::int64, Type::int64, Type::int64, Type::text, Type::text, Type::bytes});
  declare.read(out.open_, "epoch.open",
               "SELECT id, domain_id, reason, coalesce(statement, ''), requested_by "
               "FROM audit.audit_epoch_request WHERE ended_at IS NULL "
               "ORDER BY requested_at, id LIMIT 1",
               {}, {Type::uuid, Type::uuid, Type::text, Type::text, Type::text});
  declare.write(out.draft_, "epoch.draft",
                "UPDATE audit.audit_epoch_request SET statement = $2::text, detail = NULL "
                "WHERE id = $1 AND ended_at IS NULL",
                {Type::uuid, Type::text});
  declare.write(out.end_, "epoch.end",
                "UPDATE audit.audit_epoch_request SET ended_at = now(), outcome = $2::text, "
                "detail = $3::text WHERE id = $1 AND ended_at IS NULL",
                {Type::uuid, Type::text, Type::text});
  declare.write(out.tell_, "epoch.tell",
                "UPDATE audit.audit_epoch_request SET detail = $2::text "
                "WHERE id = $1 AND ended_at IS NULL",
                {Type::uuid, Type::text});
  if (auto status = std::move(declare).status(); !status.ok()) {
    return status.error();
  }
  return out;
}

Result<std::vector<StoredEpoch>> EpochStore::list(const Uuid& chain) const {
  const auto rows = store_.read_once(list_, chain);
  if (!rows.ok()) {
    return rows.error();
  }
  std::vector<StoredEpoch> out;
  for (std::size_t i = 0; i < rows->size(); ++i) {
    out.push_back(stored((*rows)[i]));
  }
  return out;
}

Result<StoredEpoch> EpochStore::newest(const Uuid& chain) const {
  const auto rows = store_.read_once(newest_, chain);
  if (!rows.ok()) {
    return rows.error();
  }
  return rows->empty() ? StoredEpoch{} : stored((*rows)[0]);
}

Result<std::map<Uuid, StoredEpoch>> EpochStore::every_newest() const {
  const auto rows = store_.read_once(every_newest_);
  if (!rows.ok()) {
    return rows.error();
  }
  std::map<Uuid, StoredEpoch> out;
  for (std::size_t i = 0; i < rows->size(); ++i) {
    out.emplace((*rows)[i].uuid(7), stored((*rows)[i]));
  }
  return out;
}

Status EpochStore::add(const Transaction& tx, const Uuid& chain, const StoredEpoch& epoch) const {
  return outcome(tx.run(add_, chain, epoch.epoch, epoch.before_size, epoch.after_size, epoch.note,
                        epoch.key_id, Bytes{epoch.public_key}));
}

Result<std::optional<EpochRequest>> EpochStore::open_request() const {
  const auto rows = store_.read_once(open_);
  if (!rows.ok()) {
    return rows.error();
  }
  if (rows->empty()) {
    return std::optional<EpochRequest>();
  }
  const sdk::Row row = (*rows)[0];
  return std::optional(
      EpochRequest{row.uuid(0), row.uuid(1), row.string(2), row.string(3), row.string(4)});
}

Status EpochStore::draft(const Transaction& tx, const EpochRequest& request,
                         std::string_view statement) const {
  return outcome(tx.run(draft_, request.id, statement));
}

Status EpochStore::end(const Transaction& tx, const EpochRequest& request, std::string_view how,
                       std::string_view detail) const {
  return outcome(tx.run(end_, request.id, how, detail));
}

Status EpochStore::tell(const Transaction& tx, const EpochRequest& request,
                        std::string_view detail) const {
  return outcome(tx.run(tell_, request.id, detail));
}

}  // namespace plexsphere::audit

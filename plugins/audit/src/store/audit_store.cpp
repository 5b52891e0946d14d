#include "store/audit_store.hpp"

#include <algorithm>
#include <utility>

#include "plexsphere/sdk/failpoint.hpp"
#include "store/row_values.hpp"
#include "store/statements.hpp"

namespace plexsphere::audit {
namespace {

using sdk::Bytes;
using sdk::Error;
using sdk::Param;
using sdk::Result;
using sdk::Rows;
using sdk::Statement;
using sdk::Status;
using sdk::Transaction;
using sdk::Type;
using sdk::Uuid;

// Remembers the first failed declaration, so that declaring reads as a list.
class Declarer {
 public:
  void keep(Statement& into, Result<Statement> declared) {
    if (declared.ok()) {
      into = *declared;
    } else if (!error_) {
      error_ = declared.error();
    }
  }
  const std::optional<Error>& error() const { return error_; }

 private:
  std::optional<Error> error_;
};

StoredEntry stored_entry(const sdk::Row& row) {
  return {row.integer(0),
          std::string(row.bytes(1)),
          std::string(row.bytes(2)),
          std::string(row.bytes(3)),
          row.optional_string(4),
          row.optional_instant(5),
          row.optional_string(6),
          row.optional_string(7),
          row.optional_string(8),
          row.optional_string(9),
          row.optional_string(10)};
}

// One of the append function's arrays.
class Column {
 public:
  Column(std::size_t size, Type element) : element_(element) { items_.reserve(size); }
  template <typename Value>
  void add(const Value& value) {
    items_.emplace_back(value);
  }
  Param param() const { return {std::span<const Param>(items_), element_}; }

 private:
  std::vector<Param> items_;
  Type element_;
};

constexpr std::initializer_list<Type> kEntryTypes = {
    Type::int64, Type::bytes, Type::bytes, Type::bytes, Type::text, Type::timestamp,
    Type::text,  Type::text,  Type::text,  Type::text,  Type::text};
constexpr std::initializer_list<Type> kWalkParameters = {Type::uuid, Type::int64, Type::int64};
constexpr std::initializer_list<Type> kLinkTypes = {Type::int64, Type::bytes, Type::bytes,
                                                    Type::bytes};
constexpr std::initializer_list<Type> kWalkTypes = {
    Type::int64, Type::bytes, Type::bytes, Type::bytes, Type::timestamp, Type::text,
    Type::text,  Type::text,  Type::text,  Type::bytes, Type::text};
constexpr std::initializer_list<Type> kListParameters = {
    Type::uuid,       Type::int64, Type::int64,     Type::bytes,     Type::text, Type::text,
    Type::text_array, Type::text,  Type::timestamp, Type::timestamp, Type::text};

}  // namespace

Result<AuditStore> AuditStore::declare(const sdk::Store& store) {
  AuditStore out;
  out.store_ = store;
  Declarer declarer;
  declarer.keep(out.append_, store.port("append", sql::kAppend,
                                        {Type::uuid_array, Type::bytes_array, Type::bytes_array,
                                         Type::text_array, Type::text_array, Type::bytes_array,
                                         Type::text_array, Type::text_array, Type::text_array},
                                        {Type::int64}));
  declarer.keep(out.erase_, store.write("subject.erase", sql::kErase, {Type::uuid, Type::bytes},
                                        {Type::int64, Type::int64}));
  declarer.keep(out.heads_, store.read("head.list", sql::kHeads, {Type::uuid, Type::int64},
                                       {Type::uuid, Type::int64}));
  declarer.keep(out.find_pepper_, store.read("pepper.find", sql::kFindPepper, {Type::uuid},
                                             {Type::uuid, Type::bytes}));
  declarer.keep(out.keep_pepper_, store.write("pepper.keep", sql::kKeepPepper,
                                              {Type::uuid, Type::uuid, Type::bytes}));
  declarer.keep(out.head_,
                store.read("chain.head", sql::kHead, {Type::uuid}, {Type::int64, Type::bytes}));
  declarer.keep(out.entry_hash_, store.read("entry.hash", sql::kEntryHash,
                                            {Type::uuid, Type::int64}, {Type::bytes}));
  declarer.keep(out.list_, store.read("entry.list", sql::list(""), kListParameters, kEntryTypes));
  declarer.keep(out.list_of_subject_,
                store.read("entry.list_of_subject", sql::list("subject_pseudonym"), kListParameters,
                           kEntryTypes));
  declarer.keep(out.list_of_correlation_,
                store.read("entry.list_of_correlation", sql::list("correlation_id"),
                           kListParameters, kEntryTypes));
  declarer.keep(out.records_,
                store.read("entry.records", sql::kRecords, {Type::uuid, Type::int64, Type::int64},
                           {Type::int64, Type::bytes, Type::bytes, Type::bytes}));
  declarer.keep(out.find_,
                store.read("entry.find", sql::find(), {Type::uuid, Type::int64}, kEntryTypes));
  declarer.keep(out.walk_, store.copy("entry.walk", sql::kWalk, kWalkParameters, kWalkTypes));
  declarer.keep(out.walk_links_,
                store.copy("entry.walk_links", sql::kWalkLinks, kWalkParameters, kLinkTypes));
  declarer.keep(out.contexts_, store.copy("entry.contexts", sql::kContexts, kWalkParameters,
                                          {Type::int64, Type::bytes, Type::text, Type::text}));
  declarer.keep(out.subjects_,
                store.read("subject.list", sql::kSubjects, {Type::uuid, Type::bytes, Type::int64},
                           {Type::bytes, Type::text, Type::text}));
  declarer.keep(out.first_of_, store.read("entry.first_of", sql::kFirstOf,
                                          {Type::uuid, Type::bytes, Type::text}, {Type::int64}));
  declarer.keep(out.strays_,
                store.read("entry.strays", sql::kStrays, {Type::uuid}, {Type::int64, Type::bytes}));
  declarer.keep(out.head_faults_, store.read("chain.head_faults", sql::kHeadFaults, {},
                                             {Type::uuid, Type::int64, Type::bytes, Type::bytes}));
  declarer.keep(out.checkpoints_beyond_,
                store.read("chain.checkpoints_beyond", sql::kCheckpointsBeyond, {},
                           {Type::uuid, Type::int64, Type::bytes}));
  declarer.keep(out.quarantine_,
                store.write("quarantine.add", sql::kQuarantine,
                            {Type::uuid, Type::int64, Type::text, Type::bytes, Type::bytes}));
  if (declarer.error()) {
    return *declarer.error();
  }
  return out;
}

Status AuditStore::append(const Transaction& tx, std::vector<const Row*> rows) const {
  std::stable_sort(rows.begin(), rows.end(),
                   [](const Row* a, const Row* b) { return a->chain < b->chain; });
  Column chains(rows.size(), Type::uuid);
  Column heads(rows.size(), Type::bytes);
  Column tails(rows.size(), Type::bytes);
  Column types(rows.size(), Type::text);
  Column ids(rows.size(), Type::text);
  Column salts(rows.size(), Type::bytes);
  Column addresses(rows.size(), Type::text);
  Column agents(rows.size(), Type::text);
  Column persons(rows.size(), Type::text);
  for (const Row* row : rows) {
    chains.add(row->chain);
    heads.add(Bytes{row->head});
    tails.add(Bytes{row->tail});
    types.add(row->subject_type);
    ids.add(row->subject_id);
    salts.add(bytes_of(row->salt));
    addresses.add(row->source_ip);
    agents.add(row->user_agent);
    persons.add(row->object_person);
  }
  const auto done =
      tx.run(append_, chains.param(), heads.param(), tails.param(), types.param(), ids.param(),
             salts.param(), addresses.param(), agents.param(), persons.param());
  if (!done.ok()) {
    return done.error();
  }
  if (done->empty() || (*done)[0].integer(0) != static_cast<int64_t>(rows.size())) {
    return Error{sdk::Code::internal, "audit_append",
                 "The append function did not take every entry."};
  }
  return {};
}

Status AuditStore::append_now(std::vector<const Row*> rows) const {
  auto tx = store_.begin();
  if (!tx.ok()) {
    return tx.error();
  }
  PLEXSPHERE_FAILPOINT("append.begun");
  if (auto appended = append(*tx, std::move(rows)); !appended.ok()) {
    return appended;
  }
  PLEXSPHERE_FAILPOINT("append.inserted");
  auto committed = tx->commit();
  PLEXSPHERE_FAILPOINT("append.committed");
  return committed;
}

Result<Erased> AuditStore::erase(const Transaction& tx, const Uuid& chain,
                                 std::string_view pseudonym) const {
  const auto rows = tx.run(erase_, chain, Bytes{pseudonym});
  if (!rows.ok()) {
    return rows.error();
  }
  if (rows->empty()) {
    return Error{sdk::Code::internal, "audit_erase", "The erasing function returned nothing."};
  }
  return Erased{(*rows)[0].integer(0), (*rows)[0].integer(1)};
}

Result<std::optional<SealedPepper>> AuditStore::find_pepper(const Uuid& chain) const {
  const auto rows = store_.read_once(find_pepper_, chain);
  if (!rows.ok()) {
    return rows.error();
  }
  if (rows->empty()) {
    return std::optional<SealedPepper>{};
  }
  return std::optional(SealedPepper{(*rows)[0].uuid(0), std::string((*rows)[0].bytes(1))});
}

Status AuditStore::keep_pepper(const Uuid& chain, const SealedPepper& pepper) const {
  auto tx = store_.begin();
  if (!tx.ok()) {
    return tx.error();
  }
  const auto kept = tx->run(keep_pepper_, chain, pepper.wrap_key_id, Bytes{pepper.blob});
  if (!kept.ok()) {
    return kept.error();
  }
  return tx->commit();
}

Result<std::optional<ChainHead>> AuditStore::head(const Transaction& tx, const Uuid& chain) const {
  const auto rows = tx.run(head_, chain);
  if (!rows.ok()) {
    return rows.error();
  }
  if (rows->empty()) {
    return std::optional<ChainHead>{};
  }
  return std::optional(ChainHead{(*rows)[0].integer(0), std::string((*rows)[0].bytes(1))});
}

Result<std::optional<std::string>> AuditStore::entry_hash(const Transaction& tx, const Uuid& chain,
                                                          std::int64_t seq) const {
  const auto rows = tx.run(entry_hash_, chain, seq);
  if (!rows.ok()) {
    return rows.error();
  }
  return rows->empty() ? std::optional<std::string>{} : optional_bytes((*rows)[0], 0);
}

Result<std::optional<std::string>> AuditStore::entry_hash_now(const Uuid& chain,
                                                              std::int64_t seq) const {
  const auto rows = store_.read_once(entry_hash_, chain, seq);
  if (!rows.ok()) {
    return rows.error();
  }
  return rows->empty() ? std::optional<std::string>{} : optional_bytes((*rows)[0], 0);
}

Result<std::vector<std::pair<Uuid, std::int64_t>>> AuditStore::heads(const Uuid& after,
                                                                     std::int64_t limit) const {
  const auto rows = store_.read_once(heads_, after, limit);
  if (!rows.ok()) {
    return rows.error();
  }
  std::vector<std::pair<Uuid, std::int64_t>> out;
  for (std::size_t i = 0; i < rows->size(); ++i) {
    out.emplace_back((*rows)[i].uuid(0), (*rows)[i].integer(1));
  }
  return out;
}

Result<std::vector<StoredEntry>> AuditStore::list(const Uuid& chain, const EntryFilter& filter,
                                                  std::int64_t after, std::int64_t limit) const {
  const Statement statement = filter.correlation_id      ? list_of_correlation_
                              : filter.subject_pseudonym ? list_of_subject_
                                                         : list_;
  std::vector<Param> ids;
  for (const auto* id : {&filter.object_id, &filter.object_pseudonym}) {
    if (*id) {
      ids.emplace_back(**id);
    }
  }
  const Param objects = ids.empty() ? Param(std::nullopt) : Param(ids, Type::text);
  const auto rows = store_.read_once(
      statement, chain, after, limit, bytes_of(filter.subject_pseudonym), filter.relation,
      filter.object_type, objects, filter.reason, filter.from, filter.to, filter.correlation_id);
  if (!rows.ok()) {
    return rows.error();
  }
  std::vector<StoredEntry> out;
  out.reserve(rows->size());
  for (std::size_t i = 0; i < rows->size(); ++i) {
    out.push_back(stored_entry((*rows)[i]));
  }
  return out;
}

Result<std::vector<StoredEntry>> AuditStore::records(const Uuid& chain, std::int64_t from,
                                                     std::int64_t limit) const {
  const auto rows = store_.read_once(records_, chain, from, limit);
  if (!rows.ok()) {
    return rows.error();
  }
  std::vector<StoredEntry> out;
  out.reserve(rows->size());
  for (std::size_t i = 0; i < rows->size(); ++i) {
    const sdk::Row row = (*rows)[i];
    StoredEntry& entry = out.emplace_back();
    entry.seq = row.integer(0);
    entry.canonical_bytes = row.bytes(1);
    entry.prev_hash = row.bytes(2);
    entry.entry_hash = row.bytes(3);
  }
  return out;
}

Result<std::optional<StoredEntry>> AuditStore::find(const Uuid& chain, std::int64_t seq) const {
  const auto rows = store_.read_once(find_, chain, seq);
  if (!rows.ok()) {
    return rows.error();
  }
  return rows->empty() ? std::optional<StoredEntry>{} : std::optional(stored_entry((*rows)[0]));
}

}  // namespace plexsphere::audit

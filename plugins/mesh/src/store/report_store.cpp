#include "store/report_store.hpp"

#include "plexsphere/sdk/declarations.hpp"

namespace plexsphere::mesh {
namespace {

using sdk::Type;

constexpr auto kPut =
    "INSERT INTO mesh.state_entry AS e (node_id, kind, key, value, workload_tag, accepted_at) "
    "SELECT $1::uuid, 'report', $2::text, $3::text, $4::text, statement_timestamp() "
    "WHERE EXISTS (SELECT FROM mesh.state_entry WHERE node_id = $1 AND kind = 'report' "
    "AND key = $2) "
    "OR (SELECT count(*) FROM mesh.state_entry WHERE node_id = $1 AND kind = 'report') < $5 "
    "ON CONFLICT (node_id, kind, key) DO UPDATE SET value = excluded.value, "
    "workload_tag = excluded.workload_tag, accepted_at = excluded.accepted_at "
    "RETURNING e.accepted_at";

}  // namespace

sdk::Status ReportStore::declare(const sdk::Store& store) {
  sdk::Declarations all(store);
  all.write(put_, "report.put", kPut, {Type::uuid, Type::text, Type::text, Type::text, Type::int64},
            {Type::timestamp});
  all.write(remove_, "report.remove",
            "DELETE FROM mesh.state_entry WHERE node_id = $1 AND kind = 'report' AND key = $2",
            {Type::uuid, Type::text});
  return std::move(all).status();
}

sdk::Result<std::optional<Time>> ReportStore::put(const sdk::Transaction& tx,
                                                  const sdk::Uuid& node_id,
                                                  const StateReport& report,
                                                  std::int64_t quota) const {
  const auto rows = tx.run(put_, node_id, report.key, report.value, report.workload_tag, quota);
  if (!rows.ok()) {
    return rows.error();
  }
  return rows->empty() ? std::optional<Time>() : (*rows)[0].optional_instant(0);
}

sdk::Result<bool> ReportStore::remove(const sdk::Transaction& tx, const sdk::Uuid& node_id,
                                      std::string_view key) const {
  const auto rows = tx.run(remove_, node_id, key);
  return rows.ok() ? sdk::Result<bool>(rows->affected() > 0) : sdk::Result<bool>(rows.error());
}

}  // namespace plexsphere::mesh

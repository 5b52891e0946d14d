#include "store/pool_store.hpp"

#include "plexsphere/sdk/declarations.hpp"

namespace plexsphere::mesh {

using sdk::Type;

sdk::Status PoolStore::declare(const sdk::Store& store) {
  sdk::Declarations all(store);
  all.read(fullest_, "pool.fullest",
           "SELECT domain_id, pool, used, capacity, alarm_percent, pools, past_80, past_95 "
           "FROM mesh.fullest_pools($1)",
           {Type::int64},
           {Type::uuid, Type::text, Type::int64, Type::float64, Type::int64, Type::int64,
            Type::int64, Type::int64});
  return std::move(all).status();
}

sdk::Result<PoolSummary> PoolStore::summary(const sdk::Transaction& tx, std::int64_t limit) const {
  const auto rows = tx.run(fullest_, limit);
  if (!rows.ok()) {
    return rows.error();
  }
  PoolSummary out;
  for (std::size_t i = 0; i < rows->size(); ++i) {
    const sdk::Row row = (*rows)[i];
    out.fullest.push_back(
        {row.uuid(0), std::string(row.text(1)), row.integer(2), row.real(3), row.integer(4)});
    out.pools = row.integer(5);
    out.past_80 = row.integer(6);
    out.past_95 = row.integer(7);
  }
  return out;
}

}  // namespace plexsphere::mesh

#include "store/break_glass_store.hpp"

#include "plexsphere/sdk/declarations.hpp"

namespace plexsphere::identity {
namespace {

using sdk::Type;
using Operators = std::vector<BreakGlassOperator>;

sdk::Result<Operators> operators_of(const sdk::Result<sdk::Rows>& rows) {
  if (!rows.ok()) {
    return rows.error();
  }
  Operators out;
  for (std::size_t i = 0; i < rows.value().size(); ++i) {
    const sdk::Row row = rows.value()[i];
    out.push_back({row.uuid(0), row.uuid(1), row.instant(2)});
  }
  return out;
}

}  // namespace

sdk::Status BreakGlassStore::declare(const sdk::Store& store) {
  const auto columns = {Type::uuid, Type::uuid, Type::timestamp};
  sdk::Declarations all(store);
  all.write(note_, "break_glass.note",
            "UPDATE identity.break_glass SET audited_at = $2 WHERE token_id = $1 "
            "AND audited_at IS NULL RETURNING token_id, user_id, made_at",
            {Type::uuid, Type::timestamp}, columns);
  all.write(note_next_, "break_glass.note_next",
            "UPDATE identity.break_glass SET audited_at = $1 WHERE token_id IN "
            "(SELECT token_id FROM identity.break_glass WHERE audited_at IS NULL "
            "ORDER BY token_id LIMIT $2 FOR UPDATE SKIP LOCKED) "
            "RETURNING token_id, user_id, made_at",
            {Type::timestamp, Type::int64}, columns);
  return std::move(all).status();
}

sdk::Result<Operators> BreakGlassStore::note(const sdk::Transaction& tx, const sdk::Uuid& token_id,
                                             sdk::Instant now) const {
  return operators_of(tx.run(note_, token_id, now));
}

sdk::Result<Operators> BreakGlassStore::note_next(const sdk::Transaction& tx, sdk::Instant now,
                                                  std::int64_t limit) const {
  return operators_of(tx.run(note_next_, now, limit));
}

}  // namespace plexsphere::identity

#include "store/operator_store.hpp"

#include "plexsphere/sdk/declarations.hpp"

namespace plexsphere::identity {

using sdk::Type;

sdk::Status OperatorStore::declare(const sdk::Store& store) {
  store_ = store;
  sdk::Declarations all(store_);
  all.read(api_token_, "api_token.by_id",
           "SELECT t.id, t.user_id, u.domain_id, t.secret_sha256, t.env_prefix, t.expires_at, "
           "t.revoked_at IS NOT NULL OR u.disabled_at IS NOT NULL FROM identity.api_token t "
           "JOIN identity.user_account u ON u.id = t.user_id WHERE t.id = $1",
           {Type::uuid},
           {Type::uuid, Type::uuid, Type::uuid, Type::bytes, Type::text, Type::timestamp,
            Type::boolean});
  all.read(user_, "user.by_id",
           "SELECT subject, email, domain_id FROM identity.user_account WHERE id = $1",
           {Type::uuid}, {Type::text, Type::text, Type::uuid});
  return std::move(all).status();
}

sdk::Result<std::optional<ApiTokenRecord>> OperatorStore::find_api_token(
    const sdk::Uuid& id) const {
  auto rows = store_.read_once(api_token_, id);
  if (!rows.ok()) {
    return rows.error();
  }
  if (rows->empty()) {
    return std::optional<ApiTokenRecord>();
  }
  const sdk::Row row = (*rows)[0];
  return std::optional(ApiTokenRecord{row.uuid(0), row.uuid(1), row.uuid(2),
                                      std::string(row.bytes(3)), row.string(4), row.instant(5),
                                      row.boolean(6)});
}

sdk::Result<std::optional<UserRecord>> OperatorStore::find_user(const sdk::Uuid& id) const {
  auto rows = store_.read_once(user_, id);
  if (!rows.ok()) {
    return rows.error();
  }
  if (rows->empty()) {
    return std::optional<UserRecord>();
  }
  const sdk::Row row = (*rows)[0];
  return std::optional(UserRecord{row.string(0), row.optional_string(1), row.uuid(2)});
}

}  // namespace plexsphere::identity

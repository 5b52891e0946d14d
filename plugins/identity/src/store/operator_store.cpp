#include "store/operator_store.hpp"

#include "plexsphere/sdk/declarations.hpp"

namespace plexsphere::identity {
namespace {

using sdk::Type;

void declare_bearers(sdk::Declarations& all, sdk::Statement& api_token,
                     sdk::Statement& access_token) {
  all.read(
      api_token, "api_token.by_id",
      "SELECT t.id, t.user_id, t.service_identity_id, COALESCE(u.domain_id, s.domain_id), "
      "t.env_prefix, t.secret_sha256, t.expires_at, t.revoked_at IS NOT NULL OR "
      "u.disabled_at IS NOT NULL OR s.disabled_at IS NOT NULL, t.last_used_at, "
      "ARRAY(SELECT r.secret_sha256 FROM identity.api_token_retired_secret r "
      "WHERE r.token_id = t.id ORDER BY r.secret_sha256), "
      "ARRAY(SELECT r.retires_at FROM identity.api_token_retired_secret r "
      "WHERE r.token_id = t.id ORDER BY r.secret_sha256), "
      "EXISTS (SELECT FROM identity.break_glass g WHERE g.token_id = t.id "
      "AND g.audited_at IS NULL) "
      "FROM identity.api_token t LEFT JOIN identity.user_account u ON u.id = t.user_id "
      "LEFT JOIN identity.service_identity s ON s.id = t.service_identity_id "
      "WHERE t.id = $1",
      {Type::uuid},
      {Type::uuid, Type::uuid, Type::uuid, Type::uuid, Type::text, Type::bytes, Type::timestamp,
       Type::boolean, Type::timestamp, Type::bytes_array, Type::timestamp_array, Type::boolean});
  all.read(access_token, "access_token.by_id",
           "SELECT a.id, a.service_identity_id, s.domain_id, a.secret_sha256, a.expires_at, "
           "s.disabled_at IS NOT NULL OR t.revoked_at IS NOT NULL "
           "FROM identity.service_access_token a "
           "JOIN identity.service_identity s ON s.id = a.service_identity_id "
           "LEFT JOIN identity.api_token t ON t.id = a.api_token_id WHERE a.id = $1",
           {Type::uuid},
           {Type::uuid, Type::uuid, Type::uuid, Type::bytes, Type::timestamp, Type::boolean});
}

BearerRecord api_token_of(const sdk::Row& row) {
  BearerRecord out;
  out.id = row.uuid(0);
  out.owner_kind = row.is_null(2) ? OwnerKind::user : OwnerKind::service;
  out.owner_id = row.uuid(row.is_null(2) ? 1 : 2);
  out.domain_id = row.uuid(3);
  out.env_prefix = row.string(4);
  const sdk::Instant expires_at = row.instant(6);
  out.secrets.push_back({std::string(row.bytes(5)), expires_at});
  const auto digests = row.array(9);
  const auto ends = row.array(10);
  for (std::size_t i = 0; i < digests.size() && i < ends.size(); ++i) {
    out.secrets.push_back(
        {std::string(digests[i].bytes(0)), std::min(ends[i].instant(0), expires_at)});
  }
  out.ended = row.boolean(7);
  out.last_used_at = row.optional_instant(8);
  out.unaudited = row.boolean(11);
  return out;
}

BearerRecord access_token_of(const sdk::Row& row) {
  BearerRecord out;
  out.id = row.uuid(0);
  out.owner_kind = OwnerKind::service;
  out.owner_id = row.uuid(1);
  out.domain_id = row.uuid(2);
  out.secrets.push_back({std::string(row.bytes(3)), row.instant(4)});
  out.ended = row.boolean(5);
  return out;
}

// The one row as `make` reads it, or nothing.
template <typename Make>
auto optional_row(const sdk::Result<sdk::Rows>& rows, Make make)
    -> sdk::Result<std::optional<decltype(make((*rows)[0]))>> {
  using Out = std::optional<decltype(make((*rows)[0]))>;
  if (!rows.ok()) {
    return rows.error();
  }
  return rows.value().empty() ? Out() : Out(make(rows.value()[0]));
}

}  // namespace

sdk::Status OperatorStore::declare(const sdk::Store& store) {
  store_ = store;
  sdk::Declarations all(store_);
  declare_bearers(all, api_token_, access_token_);
  all.read(user_, "user.by_id",
           "SELECT subject, email, domain_id FROM identity.user_account WHERE id = $1 "
           "AND disabled_at IS NULL",
           {Type::uuid}, {Type::text, Type::text, Type::uuid});
  all.read(service_, "service_identity.by_id",
           "SELECT subject, NULL::text, domain_id FROM identity.service_identity WHERE id = $1 "
           "AND disabled_at IS NULL",
           {Type::uuid}, {Type::text, Type::text, Type::uuid});
  // Rows that somebody holds are left for the next time, so that this never waits or deadlocks.
  all.write(record_uses_, "api_token.record_uses",
            "WITH due AS (SELECT t.id, u.at FROM unnest($1::uuid[], $2::timestamptz[]) "
            "AS u (id, at) JOIN identity.api_token t ON t.id = u.id WHERE t.last_used_at IS NULL "
            "OR t.last_used_at <= u.at - interval '1 minute' FOR NO KEY UPDATE OF t SKIP LOCKED) "
            "UPDATE identity.api_token t SET last_used_at = due.at FROM due WHERE t.id = due.id",
            {Type::uuid_array, Type::timestamp_array});
  return std::move(all).status();
}

sdk::Result<std::optional<BearerRecord>> OperatorStore::find_api_token(const sdk::Uuid& id) const {
  return optional_row(store_.read_once(api_token_, id), api_token_of);
}

sdk::Result<std::optional<BearerRecord>> OperatorStore::find_access_token(
    const sdk::Uuid& id) const {
  return optional_row(store_.read_once(access_token_, id), access_token_of);
}

sdk::Result<std::optional<PrincipalRecord>> OperatorStore::find_principal(
    OwnerKind kind, const sdk::Uuid& id) const {
  return optional_row(store_.read_once(kind == OwnerKind::service ? service_ : user_, id),
                      [](const sdk::Row& row) {
                        return PrincipalRecord{row.string(0), row.optional_string(1), row.uuid(2)};
                      });
}

sdk::Status OperatorStore::record_uses(std::span<const TokenUse> uses) const {
  std::vector<sdk::Param> ids;
  std::vector<sdk::Param> times;
  for (const TokenUse& use : uses) {
    ids.emplace_back(use.token_id);
    times.emplace_back(use.at);
  }
  auto tx = store_.begin();
  if (!tx.ok()) {
    return tx.error();
  }
  auto written =
      tx->run(record_uses_, sdk::Param(ids, Type::uuid), sdk::Param(times, Type::timestamp));
  return written.ok() ? tx->commit() : sdk::Status(written.error());
}

}  // namespace plexsphere::identity

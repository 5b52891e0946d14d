#include "store/api_token_store.hpp"

#include <algorithm>

namespace plexsphere::identity {
namespace {

using sdk::Type;

// Live tokens, in the order that row_of reads.
std::string select_where(std::string_view condition) {
  return "SELECT t.id, t.user_id, t.service_identity_id, COALESCE(u.domain_id, s.domain_id), "
         "s.federation_kind, t.env_prefix, t.created_at, t.expires_at, t.rotated_at, "
         "t.last_used_at "
         "FROM identity.api_token t LEFT JOIN identity.user_account u ON u.id = t.user_id "
         "LEFT JOIN identity.service_identity s ON s.id = t.service_identity_id "
         "WHERE t.revoked_at IS NULL AND t.expires_at > $2 AND " +
         std::string(condition);
}
constexpr std::initializer_list<Type> kColumns = {
    Type::uuid, Type::uuid,      Type::uuid,      Type::uuid,      Type::text,
    Type::text, Type::timestamp, Type::timestamp, Type::timestamp, Type::timestamp};

ApiTokenRow row_of(const sdk::Row& row) {
  TokenOwner owner;
  owner.kind = row.is_null(2) ? OwnerKind::user : OwnerKind::service;
  owner.id = row.uuid(row.is_null(2) ? 1 : 2);
  owner.domain_id = row.uuid(3);
  owner.federation = federation_kind(row.text(4));
  return {row.uuid(0),    std::move(owner),        row.string(5),          row.instant(6),
          row.instant(7), row.optional_instant(8), row.optional_instant(9)};
}

sdk::Error missing() {
  return {sdk::Code::not_found, "not_found", "There is no such API token."};
}

sdk::Status status_of(const sdk::Result<sdk::Rows>& rows) {
  return rows.ok() ? sdk::Status{} : sdk::Status(rows.error());
}

}  // namespace

sdk::Status ApiTokenStore::declare(const sdk::Store& store) {
  store_ = store;
  sdk::Declarations all(store_);
  all.read(user_, "token_owner.user",
           "SELECT domain_id, disabled_at IS NOT NULL, NULL::text FROM identity.user_account "
           "WHERE id = $1",
           {Type::uuid}, {Type::uuid, Type::boolean, Type::text});
  all.read(service_, "token_owner.service",
           "SELECT domain_id, disabled_at IS NOT NULL, federation_kind "
           "FROM identity.service_identity WHERE id = $1",
           {Type::uuid}, {Type::uuid, Type::boolean, Type::text});
  // Ids of users and of service identities are from one space: no token of another is found.
  all.read(live_of_, "api_token.live_of",
           select_where("(t.user_id = $1 OR t.service_identity_id = $1) ORDER BY t.id"),
           {Type::uuid, Type::timestamp}, kColumns);
  all.read(find_live_, "api_token.find_live", select_where("t.id = $1"),
           {Type::uuid, Type::timestamp}, kColumns);
  declare_changes(all);
  declare_sweep(all);
  return std::move(all).status();
}

void ApiTokenStore::declare_changes(sdk::Declarations& all) {
  // Two statements, because one would count what it saw before it had the lock.
  all.write(lock_owner_, "api_token.lock_owner",
            "SELECT 1::bigint FROM pg_catalog.pg_advisory_xact_lock("
            "pg_catalog.hashtextextended('identity.api_token/' || $1::uuid::text, 0))",
            {Type::uuid}, {Type::int64});
  all.write(count_, "api_token.count",
            "SELECT pg_catalog.count(*) FROM identity.api_token t WHERE "
            "(t.user_id = $1 OR t.service_identity_id = $1) AND t.revoked_at IS NULL "
            "AND t.expires_at > $2",
            {Type::uuid, Type::timestamp}, {Type::int64});
  all.write(insert_, "api_token.insert",
            "INSERT INTO identity.api_token (id, user_id, service_identity_id, secret_sha256, "
            "env_prefix, created_at, expires_at, issued_with) VALUES ($1, $2, $3, $4, $5, $6, $7, "
            "$8)",
            {Type::uuid, Type::uuid, Type::uuid, Type::bytes, Type::text, Type::timestamp,
             Type::timestamp, Type::uuid});
  all.write(retire_, "api_token.retire_secret",
            "WITH present AS (SELECT t.id, t.secret_sha256 FROM identity.api_token t "
            "WHERE t.id = $1 AND t.revoked_at IS NULL AND t.expires_at > $2 FOR NO KEY UPDATE) "
            "INSERT INTO identity.api_token_retired_secret (token_id, secret_sha256, retires_at) "
            "SELECT present.id, present.secret_sha256, $3 FROM present RETURNING token_id",
            {Type::uuid, Type::timestamp, Type::timestamp}, {Type::uuid});
  all.write(rotate_, "api_token.rotate",
            "UPDATE identity.api_token SET secret_sha256 = $2, rotated_at = $3 WHERE id = $1",
            {Type::uuid, Type::bytes, Type::timestamp});
  all.write(trim_, "api_token.trim_retired",
            "DELETE FROM identity.api_token_retired_secret r WHERE r.token_id = $1 "
            "AND r.secret_sha256 NOT IN (SELECT k.secret_sha256 "
            "FROM identity.api_token_retired_secret k WHERE k.token_id = $1 "
            "ORDER BY k.retires_at DESC LIMIT $2)",
            {Type::uuid, Type::int64});
  all.write(revoke_, "api_token.revoke",
            "UPDATE identity.api_token SET revoked_at = $2 WHERE id = $1 AND revoked_at IS NULL "
            "AND expires_at > $2 RETURNING id",
            {Type::uuid, Type::timestamp}, {Type::uuid});
}

void ApiTokenStore::declare_sweep(sdk::Declarations& all) {
  all.write(sweep_secrets_, "api_token.sweep_secrets",
            "DELETE FROM identity.api_token_retired_secret WHERE (token_id, secret_sha256) IN "
            "(SELECT token_id, secret_sha256 FROM identity.api_token_retired_secret "
            "WHERE retires_at <= $1 ORDER BY retires_at LIMIT $2)",
            {Type::timestamp, Type::int64});
  all.write(sweep_access_, "access_token.sweep",
            "DELETE FROM identity.service_access_token WHERE id IN "
            "(SELECT id FROM identity.service_access_token WHERE expires_at <= $1 "
            "ORDER BY expires_at LIMIT $2)",
            {Type::timestamp, Type::int64});
  all.write(sweep_tokens_, "api_token.sweep",
            "SELECT identity.forget_ended_api_tokens($1::timestamptz, $2::bigint)",
            {Type::timestamp, Type::int64}, {Type::int64});
}

sdk::Result<std::optional<TokenOwner>> ApiTokenStore::find_owner(OwnerKind kind,
                                                                 const sdk::Uuid& id) const {
  auto rows = store_.read_once(kind == OwnerKind::service ? service_ : user_, id);
  if (!rows.ok()) {
    return rows.error();
  }
  if (rows->empty()) {
    return std::optional<TokenOwner>();
  }
  const sdk::Row row = (*rows)[0];
  return std::optional(
      TokenOwner{kind, id, row.uuid(0), row.boolean(1), federation_kind(row.text(2))});
}

sdk::Result<std::vector<ApiTokenRow>> ApiTokenStore::live_of(const sdk::Uuid& owner_id,
                                                             sdk::Instant now) const {
  auto rows = store_.read_once(live_of_, owner_id, now);
  if (!rows.ok()) {
    return rows.error();
  }
  std::vector<ApiTokenRow> out;
  for (std::size_t i = 0; i < rows->size(); ++i) {
    out.push_back(row_of((*rows)[i]));
  }
  return out;
}

sdk::Result<ApiTokenRow> ApiTokenStore::find_live(const sdk::Uuid& id, sdk::Instant now) const {
  auto rows = store_.read_once(find_live_, id, now);
  if (!rows.ok()) {
    return rows.error();
  }
  return rows->empty() ? sdk::Result<ApiTokenRow>(missing())
                       : sdk::Result<ApiTokenRow>(row_of((*rows)[0]));
}

sdk::Result<std::int64_t> ApiTokenStore::count_exclusively(const sdk::Transaction& tx,
                                                           const sdk::Uuid& owner_id,
                                                           sdk::Instant now) const {
  if (auto locked = status_of(tx.run(lock_owner_, owner_id)); !locked.ok()) {
    return locked.error();
  }
  auto rows = tx.run(count_, owner_id, now);
  return rows.ok() ? sdk::Result<std::int64_t>((*rows)[0].integer(0))
                   : sdk::Result<std::int64_t>(rows.error());
}

sdk::Status ApiTokenStore::insert(const sdk::Transaction& tx, const ApiTokenRow& token,
                                  std::string_view secret_sha256,
                                  const sdk::Uuid& issued_with) const {
  const bool service = token.owner.kind == OwnerKind::service;
  const std::optional<sdk::Uuid> user = service ? std::nullopt : std::optional(token.owner.id);
  const std::optional<sdk::Uuid> identity = service ? std::optional(token.owner.id) : std::nullopt;
  return status_of(tx.run(insert_, token.id, user, identity, sdk::Bytes{secret_sha256},
                          token.env_prefix, token.created_at, token.expires_at, issued_with));
}

sdk::Result<bool> ApiTokenStore::rotate(const sdk::Transaction& tx, const sdk::Uuid& id,
                                        std::string_view secret_sha256, sdk::Instant now,
                                        sdk::Instant deadline) const {
  auto retired = tx.run(retire_, id, now, deadline);
  if (!retired.ok()) {
    return retired.error();
  }
  if (retired->empty()) {
    return false;
  }
  if (auto done = status_of(tx.run(rotate_, id, sdk::Bytes{secret_sha256}, now)); !done.ok()) {
    return done.error();
  }
  auto trimmed = status_of(tx.run(trim_, id, kMostRetiredSecrets));
  return trimmed.ok() ? sdk::Result<bool>(true) : sdk::Result<bool>(trimmed.error());
}

sdk::Result<bool> ApiTokenStore::revoke(const sdk::Transaction& tx, const sdk::Uuid& id,
                                        sdk::Instant now) const {
  auto rows = tx.run(revoke_, id, now);
  return rows.ok() ? sdk::Result<bool>(!rows->empty()) : sdk::Result<bool>(rows.error());
}

sdk::Result<std::int64_t> ApiTokenStore::sweep(const sdk::Transaction& tx, sdk::Instant now,
                                               sdk::Instant ended_before,
                                               std::int64_t limit) const {
  std::int64_t most = 0;
  for (const sdk::Statement ephemeral : {sweep_access_, sweep_secrets_}) {
    auto gone = tx.run(ephemeral, now, limit);
    if (!gone.ok()) {
      return gone.error();
    }
    most = std::max(most, static_cast<std::int64_t>(gone->affected()));
  }
  auto tokens = tx.run(sweep_tokens_, ended_before, limit);
  return tokens.ok() ? sdk::Result<std::int64_t>(std::max(most, (*tokens)[0].integer(0)))
                     : sdk::Result<std::int64_t>(tokens.error());
}

}  // namespace plexsphere::identity

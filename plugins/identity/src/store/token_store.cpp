#include "store/token_store.hpp"

#include "plexsphere/sdk/declarations.hpp"

namespace plexsphere::identity {
namespace {

using sdk::Type;

TokenRecord record_of(const sdk::Row& row) {
  return {row.uuid(0),
          row.uuid(1),
          row.uuid(2),
          token_kind(row.text(3)).value_or(TokenKind::node),
          row.string(4),
          row.uuid(5),
          row.instant(6),
          row.instant(7),
          row.optional_instant(8),
          row.optional_instant(9)};
}

std::vector<TokenRecord> records_of(const sdk::Rows& rows) {
  std::vector<TokenRecord> out;
  out.reserve(rows.size());
  for (std::size_t i = 0; i < rows.size(); ++i) {
    out.push_back(record_of(rows[i]));
  }
  return out;
}

sdk::Error missing() {
  return {sdk::Code::not_found, "not_found", "There is no such bootstrap token."};
}

}  // namespace

sdk::Status TokenStore::declare(const sdk::Store& store) {
  store_ = store;
  // The order that record_of reads.
  const std::string select =
      "t.id, t.domain_id, t.project_id, t.kind, t.env_prefix, t.issued_by_user_id, t.issued_at, "
      "t.expires_at, t.consumed_at, t.revoked_at";
  sdk::Declarations all(store_);
  all.write(insert_, "token.insert",
            "INSERT INTO identity.bootstrap_token (id, domain_id, project_id, kind, env_prefix, "
            "selector, token_hash, issued_by_user_id, issued_at, expires_at) "
            "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
            {Type::uuid, Type::uuid, Type::uuid, Type::text, Type::text, Type::bytes, Type::text,
             Type::uuid, Type::timestamp, Type::timestamp});
  all.read(
      by_selector_, "token.by_selector",
      "SELECT " + select +
          ", t.token_hash, t.consumed_nonce_sha256, t.consumed_by_node_id "
          "FROM identity.bootstrap_token t WHERE t.selector = $1",
      {Type::bytes},
      {Type::uuid, Type::uuid, Type::uuid, Type::text, Type::text, Type::uuid, Type::timestamp,
       Type::timestamp, Type::timestamp, Type::timestamp, Type::text, Type::bytes, Type::uuid});
  const auto columns = {Type::uuid,      Type::uuid,     Type::uuid,      Type::text,
                        Type::text,      Type::uuid,     Type::timestamp, Type::timestamp,
                        Type::timestamp, Type::timestamp};
  all.read(
      by_id_, "token.by_id",
      "SELECT " + select + " FROM identity.bootstrap_token t WHERE t.project_id = $1 AND t.id = $2",
      {Type::uuid, Type::uuid}, columns);
  all.read(purchase_, "token.purchase",
           "SELECT " + select +
               ", t.consumed_by_node_id FROM identity.bootstrap_token t WHERE t.id = $1",
           {Type::uuid},
           {Type::uuid, Type::uuid, Type::uuid, Type::text, Type::text, Type::uuid, Type::timestamp,
            Type::timestamp, Type::timestamp, Type::timestamp, Type::uuid});
  all.read(page_, "token.page",
           "SELECT " + select +
               " FROM identity.bootstrap_token t WHERE t.project_id = $1 AND t.id > $2 "
               "ORDER BY t.id LIMIT $3",
           {Type::uuid, Type::uuid, Type::int64}, columns);
  all.read(domain_, "token.domain", "SELECT domain_id FROM identity.bootstrap_token WHERE id = $1",
           {Type::uuid}, {Type::uuid});
  all.write(consume_, "token.consume",
            "UPDATE identity.bootstrap_token SET consumed_at = $5, consumed_nonce_sha256 = $4, "
            "consumed_by_node_id = $6 WHERE id = $1 AND project_id = $2 AND kind = $3 "
            "AND consumed_at IS NULL AND revoked_at IS NULL AND expires_at > $5 RETURNING id",
            {Type::uuid, Type::uuid, Type::text, Type::bytes, Type::timestamp, Type::uuid},
            {Type::uuid});
  all.write(revoke_, "token.revoke",
            "UPDATE identity.bootstrap_token SET revoked_at = $3 WHERE project_id = $1 "
            "AND id = $2 AND consumed_at IS NULL AND revoked_at IS NULL RETURNING id",
            {Type::uuid, Type::uuid, Type::timestamp}, {Type::uuid});
  all.write(note_expired_, "token.note_expired",
            std::string(
                "UPDATE identity.bootstrap_token t SET expiry_noted_at = $1 WHERE t.id IN "
                "(SELECT s.id FROM identity.bootstrap_token s WHERE s.expires_at <= $1 "
                "AND s.consumed_at IS NULL AND s.revoked_at IS NULL AND s.expiry_noted_at IS NULL "
                "ORDER BY s.expires_at LIMIT $2 FOR UPDATE SKIP LOCKED) "
                "RETURNING ") +
                select,
            {Type::timestamp, Type::int64}, columns);
  return std::move(all).status();
}

sdk::Status TokenStore::insert(const sdk::Transaction& tx, const TokenRecord& token,
                               std::string_view selector, std::string_view hash) const {
  auto rows = tx.run(insert_, token.id, token.domain_id, token.project_id, text_of(token.kind),
                     token.env_prefix, sdk::Bytes{selector}, hash, token.issued_by, token.issued_at,
                     token.expires_at);
  return rows.ok() ? sdk::Status{} : sdk::Status(rows.error());
}

sdk::Result<TokenSecretRecord> TokenStore::find_by_selector(std::string_view selector) const {
  auto rows = store_.read_once(by_selector_, sdk::Bytes{selector});
  if (!rows.ok()) {
    return rows.error();
  }
  if (rows->empty()) {
    return missing();
  }
  const sdk::Row row = (*rows)[0];
  return TokenSecretRecord{record_of(row), row.string(10), std::string(row.bytes(11)),
                           row.uuid(12)};
}

sdk::Result<TokenRecord> TokenStore::find(const sdk::Uuid& project_id, const sdk::Uuid& id) const {
  auto rows = store_.read_once(by_id_, project_id, id);
  if (!rows.ok()) {
    return rows.error();
  }
  return rows->empty() ? sdk::Result<TokenRecord>(missing())
                       : sdk::Result<TokenRecord>(record_of((*rows)[0]));
}

sdk::Result<TokenPurchase> TokenStore::find_purchase(const sdk::Uuid& id) const {
  auto rows = store_.read_once(purchase_, id);
  if (!rows.ok()) {
    return rows.error();
  }
  if (rows->empty()) {
    return missing();
  }
  const sdk::Row row = (*rows)[0];
  return TokenPurchase{record_of(row), row.uuid(10)};
}

sdk::Result<std::vector<TokenRecord>> TokenStore::page(const sdk::Uuid& project_id,
                                                       const sdk::Uuid& after,
                                                       std::int64_t limit) const {
  auto rows = store_.read_once(page_, project_id, after, limit);
  return rows.ok() ? sdk::Result<std::vector<TokenRecord>>(records_of(*rows))
                   : sdk::Result<std::vector<TokenRecord>>(rows.error());
}

sdk::Result<sdk::Uuid> TokenStore::domain_of(const sdk::Uuid& id) const {
  auto rows = store_.read_once(domain_, id);
  if (!rows.ok()) {
    return rows.error();
  }
  return rows->empty() ? sdk::Uuid{} : (*rows)[0].uuid(0);
}

sdk::Result<bool> TokenStore::consume(const sdk::Transaction& tx,
                                      const Consumption& consumption) const {
  auto rows =
      tx.run(consume_, consumption.token_id, consumption.project_id, text_of(consumption.kind),
             sdk::Bytes{consumption.nonce_sha256}, consumption.now, consumption.node_id);
  return rows.ok() ? sdk::Result<bool>(!rows->empty()) : sdk::Result<bool>(rows.error());
}

sdk::Result<bool> TokenStore::revoke(const sdk::Transaction& tx, const sdk::Uuid& project_id,
                                     const sdk::Uuid& id, sdk::Instant now) const {
  auto rows = tx.run(revoke_, project_id, id, now);
  return rows.ok() ? sdk::Result<bool>(!rows->empty()) : sdk::Result<bool>(rows.error());
}

sdk::Result<std::vector<TokenRecord>> TokenStore::note_expired(const sdk::Transaction& tx,
                                                               sdk::Instant now,
                                                               std::int64_t limit) const {
  auto rows = tx.run(note_expired_, now, limit);
  return rows.ok() ? sdk::Result<std::vector<TokenRecord>>(records_of(*rows))
                   : sdk::Result<std::vector<TokenRecord>>(rows.error());
}

}  // namespace plexsphere::identity

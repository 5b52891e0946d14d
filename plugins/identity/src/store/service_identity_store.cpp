#include "store/service_identity_store.hpp"

#include "plexsphere/sdk/declarations.hpp"

namespace plexsphere::identity {
namespace {

using sdk::Type;

sdk::Status status_of(const sdk::Result<sdk::Rows>& rows) {
  return rows.ok() ? sdk::Status{} : sdk::Status(rows.error());
}

ServiceIdentityRow row_of(const sdk::Row& row) {
  return {row.uuid(0),
          row.uuid(1),
          row.string(2),
          row.string(3),
          std::string(row.bytes(4)),
          row.string(5),
          federation_kind(row.text(6)).value_or(FederationKind::oidc_cc),
          row.instant(7)};
}

}  // namespace

sdk::Status ServiceIdentityStore::declare(const sdk::Store& store) {
  store_ = store;
  sdk::Declarations all(store_);
  all.write(insert_, "service_identity.insert",
            "INSERT INTO identity.service_identity (id, domain_id, display_name, subject, "
            "subject_sha256, subject_pseudonym, audience, federation_kind, created_at) "
            "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
            {Type::uuid, Type::uuid, Type::text, Type::text, Type::bytes, Type::bytes, Type::text,
             Type::text, Type::timestamp});
  all.read(find_, "service_identity.find",
           "SELECT id, domain_id, display_name, subject, subject_pseudonym, audience, "
           "federation_kind, created_at FROM identity.service_identity WHERE id = $1 "
           "AND disabled_at IS NULL",
           {Type::uuid},
           {Type::uuid, Type::uuid, Type::text, Type::text, Type::bytes, Type::text, Type::text,
            Type::timestamp});
  all.read(domain_, "service_identity.domain",
           "SELECT domain_id FROM identity.service_identity WHERE id = $1", {Type::uuid},
           {Type::uuid});
  all.write(sign_in_, "service_identity.sign_in",
            "UPDATE identity.service_identity SET last_sign_in_at = $2 WHERE id = $1 "
            "AND disabled_at IS NULL RETURNING id",
            {Type::uuid, Type::timestamp}, {Type::uuid});
  all.write(count_, "access_token.count",
            "SELECT pg_catalog.count(*) FROM identity.service_access_token "
            "WHERE service_identity_id = $1 AND expires_at > $2",
            {Type::uuid, Type::timestamp}, {Type::int64});
  all.write(insert_token_, "access_token.insert",
            "INSERT INTO identity.service_access_token (id, service_identity_id, api_token_id, "
            "secret_sha256, created_at, expires_at) VALUES ($1, $2, $3, $4, $5, $6)",
            {Type::uuid, Type::uuid, Type::uuid, Type::bytes, Type::timestamp, Type::timestamp});
  return std::move(all).status();
}

sdk::Status ServiceIdentityStore::insert(const sdk::Transaction& tx, const ServiceIdentityRow& row,
                                         std::string_view subject_sha256) const {
  auto inserted = status_of(tx.run(insert_, row.id, row.domain_id, row.display_name, row.subject,
                                   sdk::Bytes{subject_sha256}, sdk::Bytes{row.pseudonym},
                                   row.audience, text_of(row.federation), row.created_at));
  if (!inserted.ok() && inserted.error().code == sdk::Code::already_exists) {
    return sdk::Error{sdk::Code::already_exists, "service_identity_already_exists",
                      "The Domain has a service identity with this subject."};
  }
  return inserted;
}

sdk::Result<std::optional<ServiceIdentityRow>> ServiceIdentityStore::find(
    const sdk::Uuid& id) const {
  auto rows = store_.read_once(find_, id);
  if (!rows.ok()) {
    return rows.error();
  }
  return rows->empty() ? std::optional<ServiceIdentityRow>() : std::optional(row_of((*rows)[0]));
}

sdk::Result<sdk::Uuid> ServiceIdentityStore::domain_of(const sdk::Uuid& id) const {
  auto rows = store_.read_once(domain_, id);
  if (!rows.ok()) {
    return rows.error();
  }
  return rows->empty() ? sdk::Uuid{} : (*rows)[0].uuid(0);
}

sdk::Result<bool> ServiceIdentityStore::sign_in(const sdk::Transaction& tx, const sdk::Uuid& id,
                                                sdk::Instant now) const {
  auto rows = tx.run(sign_in_, id, now);
  return rows.ok() ? sdk::Result<bool>(!rows->empty()) : sdk::Result<bool>(rows.error());
}

sdk::Result<std::int64_t> ServiceIdentityStore::count_access_tokens(const sdk::Transaction& tx,
                                                                    const sdk::Uuid& id,
                                                                    sdk::Instant now) const {
  auto rows = tx.run(count_, id, now);
  return rows.ok() ? sdk::Result<std::int64_t>((*rows)[0].integer(0))
                   : sdk::Result<std::int64_t>(rows.error());
}

sdk::Status ServiceIdentityStore::insert_access_token(const sdk::Transaction& tx,
                                                      const AccessTokenRow& token) const {
  return status_of(tx.run(insert_token_, token.id, token.service_identity_id, token.api_token_id,
                          sdk::Bytes{token.secret_sha256}, token.created_at, token.expires_at));
}

}  // namespace plexsphere::identity

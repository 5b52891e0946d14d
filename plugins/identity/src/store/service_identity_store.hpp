// The tables of service identities and of their access tokens.
// Thread safety: declare at configure, then any thread; blocks.
#pragma once

#include <optional>
#include <string>

#include "domain/service_identity.hpp"
#include "plexsphere/sdk/store.hpp"

namespace plexsphere::identity {

struct ServiceIdentityRow {
  sdk::Uuid id;
  sdk::Uuid domain_id;
  std::string display_name;
  std::string subject;
  std::string pseudonym;  // 32 bytes, of the subject, different in each Domain
  std::string audience;
  FederationKind federation = FederationKind::api_token;
  sdk::Instant created_at;
};

struct AccessTokenRow {
  sdk::Uuid id;
  sdk::Uuid service_identity_id;
  std::optional<sdk::Uuid> api_token_id;  // what was traded for it
  std::string secret_sha256;
  sdk::Instant created_at;
  sdk::Instant expires_at;
};

class ServiceIdentityStore {
 public:
  sdk::Status declare(const sdk::Store& store);

  // ALREADY_EXISTS "service_identity_already_exists".
  sdk::Status insert(const sdk::Transaction& tx, const ServiceIdentityRow& row,
                     std::string_view subject_sha256) const;
  // Nothing for one that is unknown or disabled.
  sdk::Result<std::optional<ServiceIdentityRow>> find(const sdk::Uuid& id) const;
  // Zero when there is none.
  sdk::Result<sdk::Uuid> domain_of(const sdk::Uuid& id) const;

  // Notes the sign-in and takes the identity's row until `tx` ends. False: disabled meanwhile.
  sdk::Result<bool> sign_in(const sdk::Transaction& tx, const sdk::Uuid& id,
                            sdk::Instant now) const;
  sdk::Result<std::int64_t> count_access_tokens(const sdk::Transaction& tx, const sdk::Uuid& id,
                                                sdk::Instant now) const;
  sdk::Status insert_access_token(const sdk::Transaction& tx, const AccessTokenRow& token) const;

 private:
  sdk::Store store_;
  sdk::Statement insert_, find_, domain_, sign_in_, count_, insert_token_;
};

}  // namespace plexsphere::identity

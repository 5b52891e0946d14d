// Makes service identities: one transaction for the row, the tuple that hangs it under its Domain,
// the event and the audit row.
// Thread safety: any thread, after configure. Blocks.
#pragma once

#include <string>

#include "app/api_token_service.hpp"
#include "plexsphere/sdk/ports/authz.hpp"
#include "plexsphere/sdk/ports/tenancy.hpp"
#include "plexsphere/sdk/seal.hpp"
#include "store/service_identity_store.hpp"

namespace plexsphere::identity {

struct NewServiceIdentity {
  sdk::Uuid domain_id;
  std::string display_name;
  std::string subject;
  std::string audience;
  FederationKind federation = FederationKind::api_token;
};

struct ServiceIdentityPorts {
  sdk::Store store;
  sdk::Outbox outbox;
  sdk::Clock clock;
  sdk::Audit audit;
  sdk::Authz authz;
  sdk::Tenancy tenancy;
  sdk::Seal seal;
};

class ServiceIdentities {
 public:
  ServiceIdentities(ServiceIdentityPorts ports, const ServiceIdentityStore& store)
      : ports_(std::move(ports)), store_(store) {}

  // NOT_FOUND "domain_not_found"; ALREADY_EXISTS "service_identity_already_exists"; UNAVAILABLE
  // "authz_unavailable".
  sdk::Result<ServiceIdentityRow> create(const NewServiceIdentity& order,
                                         const Caller& caller) const;

 private:
  sdk::Status tell(const sdk::Transaction& tx, const ServiceIdentityRow& row,
                   const Caller& caller) const;

  ServiceIdentityPorts ports_;
  const ServiceIdentityStore& store_;
};

// A subject in public: keyed BLAKE2b-256 under a key of the Domain that no database holds, so that
// nobody can test a guess, and one subject in two Domains has two pseudonyms.
sdk::Result<std::string> subject_pseudonym(const sdk::Seal& seal, const sdk::Uuid& domain_id,
                                           std::string_view subject);

}  // namespace plexsphere::identity

#include "app/service_identities.hpp"

#include <sodium.h>

#include <nlohmann/json.hpp>
#include <span>

#include "app/digest.hpp"
#include "plexsphere/sdk/encoding.hpp"

namespace plexsphere::identity {
namespace {

const unsigned char* bytes_of(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

}  // namespace

sdk::Result<std::string> subject_pseudonym(const sdk::Seal& seal, const sdk::Uuid& domain_id,
                                           std::string_view subject) {
  auto key = seal.derive_key("subject-pseudonym/" + domain_id.text());
  if (!key.ok()) {
    return key.error();
  }
  std::string out(32, '\0');
  crypto_generichash(reinterpret_cast<unsigned char*>(out.data()), out.size(), bytes_of(subject),
                     subject.size(), bytes_of(key->bytes()), key->bytes().size());
  return out;
}

sdk::Result<ServiceIdentityRow> ServiceIdentities::create(const NewServiceIdentity& order,
                                                          const Caller& caller) const {
  // Who manages the platform passes the gate of a Domain that does not exist.
  if (auto domain = ports_.tenancy.reachability_policy(order.domain_id); !domain.ok()) {
    return domain.error();
  }
  auto pseudonym = subject_pseudonym(ports_.seal, order.domain_id, order.subject);
  if (!pseudonym.ok()) {
    return pseudonym.error();
  }
  const sdk::Instant now = ports_.clock.now();
  ServiceIdentityRow row{
      sdk::Uuid::v7(sdk::to_ms(now)), order.domain_id, order.display_name, order.subject,
      std::move(*pseudonym),          order.audience,  order.federation,   now};
  auto tx = ports_.store.begin();
  if (!tx.ok()) {
    return tx.error();
  }
  auto inserted = store_.insert(*tx, row, sha256(row.subject));
  auto told = inserted.ok() ? tell(*tx, row, caller) : std::move(inserted);
  auto committed = told.ok() ? tx->commit() : std::move(told);
  return committed.ok() ? sdk::Result<ServiceIdentityRow>(std::move(row))
                        : sdk::Result<ServiceIdentityRow>(committed.error());
}

sdk::Status ServiceIdentities::tell(const sdk::Transaction& tx, const ServiceIdentityRow& row,
                                    const Caller& caller) const {
  const sdk::Tuple parent{
      {"service-identity", row.id.text()}, "parent", {"domain", row.domain_id.text()}};
  if (auto written = ports_.authz.write(tx, std::span(&parent, 1)); !written.ok()) {
    return written.error().code == sdk::Code::unavailable
               ? sdk::Error{sdk::Code::unavailable, "authz_unavailable",
                            "Authorisation cannot take the identity at the moment; try again."}
               : written;
  }
  const nlohmann::json payload{{"id", row.id.text()},
                               {"domain_id", row.domain_id.text()},
                               {"federation_kind", text_of(row.federation)},
                               {"subject_pseudonym", sdk::hex_encode(row.pseudonym)}};
  auto appended = ports_.outbox.append(tx, {{},
                                            row.domain_id,
                                            "ServiceIdentityProvisioned",
                                            "service_identity",
                                            row.id,
                                            payload.dump(),
                                            caller.call.correlation_id});
  if (!appended.ok()) {
    return appended;
  }
  return ports_.audit.stage(tx, owner_entry(caller, row.domain_id, "service_identity.create",
                                            "service-identity", row.id));
}

}  // namespace plexsphere::identity

#include "app/operator_authentication.hpp"

#include <algorithm>

#include "plexsphere/sdk/secret.hpp"

namespace plexsphere::identity {
namespace {

using Found = sdk::Result<std::optional<BearerRecord>>;

sdk::Error unauthenticated() {
  return {sdk::Code::unauthenticated, "unauthenticated",
          "The credential is missing, unknown or no longer valid."};
}

sdk::Error not_known() {
  return {sdk::Code::unavailable, "datastore_unavailable",
          "Credentials cannot be checked at the moment."};
}

bool accepts(const BearerRecord& record, const PresentedBearer& presented, sdk::Instant now) {
  bool matched = false;
  for (const AcceptedSecret& secret : record.secrets) {
    const bool same = sdk::constant_time_equal(secret.sha256, presented.secret_sha256);
    matched = matched || (same && now < secret.until);
  }
  return matched && !record.ended && record.env_prefix == presented.env;
}

px_principal principal_of(const BearerRecord& record) {
  px_principal out{};
  out.struct_size = sizeof out;
  out.kind = record.owner_kind == OwnerKind::service ? PX_PRINCIPAL_SERVICE : PX_PRINCIPAL_USER;
  out.id = record.owner_id.wire();
  out.domain_id = record.domain_id.wire();
  out.credential_id = record.id.wire();
  return out;
}

}  // namespace

sdk::Result<px_principal> OperatorAuthentication::identify(std::string_view bearer) {
  auto found = resolve(bearer);
  if (!found.ok()) {
    return found.error();
  }
  return *found ? sdk::Result<px_principal>(principal_of(**found))
                : sdk::Result<px_principal>(unauthenticated());
}

Found OperatorAuthentication::resolve(std::string_view bearer) {
  const auto presented = present_bearer(bearer);
  if (!presented) {
    return std::optional<BearerRecord>();
  }
  auto record = find(*presented);
  if (!record.ok()) {
    return record;
  }
  const sdk::Instant now = clock_.now();
  if (!*record || !accepts(**record, *presented, now)) {
    return std::optional<BearerRecord>();
  }
  if ((*record)->unaudited) {
    if (auto told = break_glass_.tell((*record)->id); !told.ok()) {
      return not_known();
    }
    known_.erase((*record)->id);
  }
  if (presented->kind == BearerKind::api_token) {
    uses_.note((*record)->id, now, (*record)->last_used_at);
  }
  return record;
}

Found OperatorAuthentication::find(const PresentedBearer& presented) {
  const auto read_at = clock_.steady();
  if (auto known = known_.find(presented.id, read_at)) {
    return known;
  }
  auto found = presented.kind == BearerKind::api_token ? operators_.find_api_token(presented.id)
                                                       : operators_.find_access_token(presented.id);
  if (!found.ok()) {
    return not_known();
  }
  if (*found) {
    known_.put(presented.id, **found, read_at);
  }
  return found;
}

}  // namespace plexsphere::identity

#include "app/authentication.hpp"

#include "app/digest.hpp"
#include "domain/credential_text.hpp"
#include "plexsphere/sdk/encoding.hpp"
#include "plexsphere/sdk/secret.hpp"

namespace plexsphere::identity {
namespace {

sdk::Error refused(std::string reason, std::string detail) {
  return {sdk::Code::unauthenticated, std::move(reason), std::move(detail)};
}

sdk::Error key_unknown() {
  return refused("nsk_invalid", "The Node secret key does not resolve.");
}

sdk::Error key_revoked() {
  return refused("nsk_revoked", "The Node secret key was revoked.");
}

// Whatever the database could not tell is no verdict on the credential.
sdk::Error not_known() {
  return {sdk::Code::unavailable, "datastore_unavailable",
          "Credentials cannot be checked at the moment."};
}

px_principal principal(px_principal_kind kind, const sdk::Uuid& id, const sdk::Uuid& domain_id,
                       const sdk::Uuid& credential_id, std::int64_t generation) {
  px_principal out{};
  out.struct_size = sizeof out;
  out.kind = kind;
  out.id = id.wire();
  out.domain_id = domain_id.wire();
  out.credential_id = credential_id.wire();
  out.generation = generation;
  return out;
}

}  // namespace

void Authentication::authenticate(const sdk::Credential& credential, Done done) {
  done(identify(credential));
}

sdk::Result<px_principal> Authentication::identify(const sdk::Credential& credential) {
  if (credential.accepts_node && credential.bearer.starts_with("nsk_")) {
    return identify_node(credential.bearer);
  }
  return credential.accepts_operator
             ? operators_.identify(credential.bearer)
             : refused("unauthorized", "A Node secret key is expected as bearer.");
}

sdk::Result<px_principal> Authentication::identify_node(std::string_view bearer) {
  const auto text = parse_node_key_text(bearer);
  auto payload = text ? sdk::base64url_decode(text->payload) : std::nullopt;
  if (!payload || payload->size() != 48) {
    return refused("unauthorized", "The bearer is not of the form nsk_<env>_<payload>.");
  }
  const auto node_id = *sdk::Uuid::from_bytes(std::string_view(*payload).substr(0, 16));
  const std::string digest = sha256(std::string_view(*payload).substr(16));
  sdk::zero(*payload);
  const auto key = find_key(node_id, digest);
  if (!key.ok()) {
    return key.error();
  }
  return principal(PX_PRINCIPAL_NODE, node_id, (*key).domain_id, (*key).key_id, (*key).generation);
}

sdk::Result<KeyCandidate> Authentication::find_key(const sdk::Uuid& node_id,
                                                   std::string_view digest) {
  const auto read_at = clock_.steady();
  if (auto known = keys_.find(node_id, read_at);
      known && sdk::constant_time_equal(known->digest, digest)) {
    return std::move(*known);
  }
  auto candidates = nodes_.keys_of(node_id);
  if (!candidates.ok()) {
    return not_known();
  }
  for (KeyCandidate& candidate : *candidates) {
    if (!sdk::constant_time_equal(candidate.digest, digest)) {
      continue;
    }
    if (candidate.revoked) {
      return key_revoked();
    }
    auto used = use_key(node_id, std::move(candidate));
    if (used.ok()) {
      keys_.put(node_id, *used, read_at);
    }
    return used;
  }
  return key_unknown();
}

sdk::Result<KeyCandidate> Authentication::use_key(const sdk::Uuid& node_id, KeyCandidate key) {
  if (key.used) {
    return key;
  }
  auto first = nodes_.mark_used(key.key_id, clock_.now());
  if (!first.ok()) {
    return not_known();
  }
  key.used = true;
  if (*first) {
    return key;
  }
  // Another replica was first to use it, or a replay has just revoked it.
  auto candidates = nodes_.keys_of(node_id);
  if (!candidates.ok()) {
    return not_known();
  }
  for (const KeyCandidate& candidate : *candidates) {
    if (candidate.key_id == key.key_id && !candidate.revoked && candidate.used) {
      return key;
    }
  }
  return key_revoked();
}

}  // namespace plexsphere::identity

#include "app/bearer_text.hpp"

#include <array>

#include "app/digest.hpp"
#include "domain/credential_text.hpp"
#include "plexsphere/sdk/encoding.hpp"

namespace plexsphere::identity {
namespace {

constexpr std::size_t kSecretBytes = 32;

MintedBearer mint(std::string_view head, const sdk::Uuid& id) {
  std::array<char, kSecretBytes> secret;
  sdk::random_bytes(secret.data(), secret.size());
  const std::string_view bytes(secret.data(), secret.size());
  std::string encoded = sdk::base32_encode(bytes);
  std::string text;
  text.reserve(head.size() + 26 + 1 + encoded.size());
  text.append(head).append(sdk::base32_encode(id.bytes())).append("_").append(encoded);
  sdk::zero(encoded);
  MintedBearer out{SecretText(std::move(text)), sha256(bytes)};
  sdk::zero(secret.data(), secret.size());
  return out;
}

}  // namespace

MintedBearer mint_api_token(std::string_view env, const sdk::Uuid& id) {
  return mint("psk_" + std::string(env) + "_", id);
}

MintedBearer mint_access_token(const sdk::Uuid& id) {
  return mint("svc_", id);
}

std::optional<PresentedBearer> present_bearer(std::string_view bearer) {
  const auto api = parse_api_token_text(bearer);
  const auto access = api ? std::nullopt : parse_access_token_text(bearer);
  if (!api && !access) {
    return std::nullopt;
  }
  const auto id_bytes = sdk::base32_decode(api ? api->id : access->id);
  const auto id = id_bytes ? sdk::Uuid::from_bytes(*id_bytes) : std::nullopt;
  auto secret = sdk::base32_decode(api ? api->secret : access->secret);
  if (!id || !secret || secret->size() != kSecretBytes) {
    return std::nullopt;
  }
  PresentedBearer out{api ? BearerKind::api_token : BearerKind::access_token, *id, sha256(*secret),
                      api ? api->env : std::string_view{}};
  sdk::zero(*secret);
  return out;
}

}  // namespace plexsphere::identity

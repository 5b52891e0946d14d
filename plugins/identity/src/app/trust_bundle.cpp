#include "app/trust_bundle.hpp"

#include <algorithm>
#include <fstream>
#include <iterator>

#include "plexsphere/sdk/encoding.hpp"
#include "plexsphere/sdk/json.hpp"

namespace plexsphere::identity {
namespace {

using sdk::Code;
using sdk::Error;
using sdk::Json;

constexpr std::size_t kMostKeys = 256;

Error invalid(std::string detail) {
  return {Code::invalid_argument, "bundle_invalid", std::move(detail)};
}

std::string text(const Json& object, const char* name) {
  const auto at = object.find(name);
  return at != object.end() && at->is_string() ? at->get<std::string>() : std::string{};
}

std::string number(const Json& jwk, const char* name) {
  return sdk::base64url_decode(text(jwk, name)).value_or("");
}

sdk::VerificationKey curve_key(const Json& jwk) {
  const std::string curve = text(jwk, "crv");
  const px_key_type type = curve == "P-256"   ? PX_KEY_P256
                           : curve == "P-384" ? PX_KEY_P384
                           : curve == "P-521" ? PX_KEY_P521
                                              : 0;
  return {type, number(jwk, "x"), number(jwk, "y")};
}

// Type 0 for what nobody here verifies with.
sdk::VerificationKey key_of(const Json& jwk) {
  const std::string type = text(jwk, "kty");
  if (type == "RSA") {
    return {PX_KEY_RSA, number(jwk, "n"), number(jwk, "e")};
  }
  if (type == "EC") {
    return curve_key(jwk);
  }
  return type == "OKP" && text(jwk, "crv") == "Ed25519"
             ? sdk::VerificationKey{PX_KEY_ED25519, number(jwk, "x"), {}}
             : sdk::VerificationKey{};
}

}  // namespace

sdk::Result<std::vector<BundleKey>> parse_bundle(std::string_view json) {
  const auto parsed = sdk::parse_json(json);
  if (!parsed.ok() || !parsed->is_object() || !parsed->contains("keys") ||
      !parsed->at("keys").is_array()) {
    return invalid("The bundle is not a JSON Web Key Set.");
  }
  const Json& keys = parsed->at("keys");
  if (keys.size() > kMostKeys) {
    return invalid("The bundle has more than 256 keys.");
  }
  std::vector<BundleKey> out;
  for (const Json& jwk : keys) {
    if (!jwk.is_object() || text(jwk, "use") != "jwt-svid" || text(jwk, "kid").empty()) {
      continue;
    }
    BundleKey key{text(jwk, "kid"), text(jwk, "alg"), key_of(jwk)};
    if (key.key.type != 0) {
      out.push_back(std::move(key));
    }
  }
  return out;
}

sdk::Result<std::optional<BundleKey>> TrustBundle::key(std::string_view id) {
  const std::lock_guard lock(mutex_);
  const auto now = clock_.steady();
  const auto find = [&]() -> const BundleKey* {
    if (!keys_) {
      return nullptr;
    }
    const auto at = std::ranges::find(*keys_, id, &BundleKey::id);
    return at == keys_->end() ? nullptr : &*at;
  };
  if (!looked_at_ || now - *looked_at_ >= kLookEvery) {
    look(now);
  }
  const BundleKey* found = find();
  if (found == nullptr && now - *looked_at_ >= kLookForUnknownKey) {
    look(now);
    found = find();
  }
  if (!keys_) {
    return Error{Code::unavailable, "spiffe_bundle_unreachable",
                 "The trust bundle cannot be read, and no earlier copy is held."};
  }
  return found == nullptr ? std::optional<BundleKey>() : std::optional(*found);
}

void TrustBundle::look(std::chrono::nanoseconds now) {
  looked_at_ = now;
  std::error_code failed;
  const auto written_at = std::filesystem::last_write_time(file_, failed);
  if (failed) {
    log_.warn("spiffe_bundle_unreadable", {{"file", file_.string()}, {"error", failed.message()}});
    return;
  }
  if (written_at != written_at_ || !keys_) {
    read();
    written_at_ = written_at;
  }
}

void TrustBundle::read() {
  std::error_code failed;
  const auto size = std::filesystem::file_size(file_, failed);
  std::ifstream in(file_, std::ios::binary);
  if (failed || size > kLargestFile || !in) {
    log_.warn("spiffe_bundle_unreadable", {{"file", file_.string()}});
    return;
  }
  const std::string json{std::istreambuf_iterator<char>(in), {}};
  auto parsed = parse_bundle(json);
  if (!parsed.ok()) {
    log_.warn("spiffe_bundle_invalid",
              {{"file", file_.string()}, {"reason", parsed.error().detail}});
    return;
  }
  keys_ = std::move(*parsed);
  log_.info("spiffe_bundle_read",
            {{"file", file_.string()}, {"keys", std::to_string(keys_->size())}});
}

}  // namespace plexsphere::identity

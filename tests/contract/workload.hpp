// A workload of a SPIFFE trust domain, for tests: keys of its own, the bundle that tells of them,
// and JWT-SVIDs signed with them (ES256, RFC 7518 3.4). Not thread-safe.
#pragma once

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>

#include <memory>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string>

#include "plexsphere/sdk/encoding.hpp"

namespace plexsphere::contract {

class IssuerKey {
 public:
  explicit IssuerKey(std::string id) : id_(std::move(id)), key_(EVP_EC_gen("P-256")) {}

  nlohmann::json jwk() const {
    return {{"kty", "EC"},
            {"use", "jwt-svid"},
            {"kid", id_},
            {"crv", "P-256"},
            {"x", coordinate(OSSL_PKEY_PARAM_EC_PUB_X)},
            {"y", coordinate(OSSL_PKEY_PARAM_EC_PUB_Y)}};
  }
  // `header` members win over alg and kid.
  std::string sign(const nlohmann::json& claims, const nlohmann::json& header = {}) const {
    nlohmann::json head{{"alg", "ES256"}, {"kid", id_}, {"typ", "JWT"}};
    head.update(header.is_null() ? nlohmann::json::object() : header);
    const std::string input =
        sdk::base64url_encode(head.dump()) + "." + sdk::base64url_encode(claims.dump());
    return input + "." + sdk::base64url_encode(raw(der(input)));
  }

 private:
  static constexpr int kHalf = 32;  // bytes of r, of s, and of a coordinate

  template <auto free>
  struct Free {
    template <typename T>
    void operator()(T* it) const {
      free(it);
    }
  };
  using Number = std::unique_ptr<BIGNUM, Free<BN_free>>;

  static void require(bool good) {
    if (!good) {
      throw std::runtime_error("OpenSSL refused to sign");
    }
  }
  std::string coordinate(const char* name) const {
    BIGNUM* number = nullptr;
    require(EVP_PKEY_get_bn_param(key_.get(), name, &number) == 1);
    const Number owned(number);
    std::string out(kHalf, '\0');
    BN_bn2binpad(number, reinterpret_cast<unsigned char*>(out.data()), kHalf);
    return sdk::base64url_encode(out);
  }
  std::string der(const std::string& input) const {
    const std::unique_ptr<EVP_MD_CTX, Free<EVP_MD_CTX_free>> context(EVP_MD_CTX_new());
    std::string out(256, '\0');
    std::size_t size = out.size();
    require(EVP_DigestSignInit(context.get(), nullptr, EVP_sha256(), nullptr, key_.get()) == 1 &&
            EVP_DigestSign(context.get(), reinterpret_cast<unsigned char*>(out.data()), &size,
                           reinterpret_cast<const unsigned char*>(input.data()),
                           input.size()) == 1);
    out.resize(size);
    return out;
  }
  static std::string raw(const std::string& der) {
    const auto* at = reinterpret_cast<const unsigned char*>(der.data());
    const std::unique_ptr<ECDSA_SIG, Free<ECDSA_SIG_free>> pair(
        d2i_ECDSA_SIG(nullptr, &at, static_cast<long>(der.size())));
    require(pair != nullptr);
    std::string out(2 * kHalf, '\0');
    auto* bytes = reinterpret_cast<unsigned char*>(out.data());
    BN_bn2binpad(ECDSA_SIG_get0_r(pair.get()), bytes, kHalf);
    BN_bn2binpad(ECDSA_SIG_get0_s(pair.get()), bytes + kHalf, kHalf);
    return out;
  }

  std::string id_;
  std::unique_ptr<EVP_PKEY, Free<EVP_PKEY_free>> key_;
};

}  // namespace plexsphere::contract

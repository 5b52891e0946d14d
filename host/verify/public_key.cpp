#include "host/verify/public_key.hpp"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/param_build.h>

#include <vector>

namespace plexsphere::host::verify {
namespace {

constexpr int kLeastModulusBits = 2048;
constexpr int kMostModulusBits = 8192;
constexpr int kMostExponentBits = 32;
constexpr std::size_t kEd25519Bytes = 32;

struct Free {
  void operator()(BIGNUM* number) const { BN_free(number); }
  void operator()(OSSL_PARAM_BLD* builder) const { OSSL_PARAM_BLD_free(builder); }
  void operator()(OSSL_PARAM* parameters) const { OSSL_PARAM_free(parameters); }
  void operator()(EVP_PKEY_CTX* context) const { EVP_PKEY_CTX_free(context); }
};
template <typename T>
using Owned = std::unique_ptr<T, Free>;

Owned<BIGNUM> number(Bytes bytes) {
  return Owned<BIGNUM>(BN_bin2bn(bytes.data(), static_cast<int>(bytes.size()), nullptr));
}

PublicKey from_parameters(const char* algorithm, OSSL_PARAM_BLD* builder) {
  const Owned<OSSL_PARAM> parameters(OSSL_PARAM_BLD_to_param(builder));
  const Owned<EVP_PKEY_CTX> context(EVP_PKEY_CTX_new_from_name(nullptr, algorithm, nullptr));
  EVP_PKEY* key = nullptr;
  if (!parameters || !context || EVP_PKEY_fromdata_init(context.get()) != 1 ||
      EVP_PKEY_fromdata(context.get(), &key, EVP_PKEY_PUBLIC_KEY, parameters.get()) != 1) {
    return nullptr;
  }
  return PublicKey(key);
}

PublicKey rsa(Bytes modulus, Bytes exponent) {
  if (modulus.size() > kMostModulusBits / 8 || exponent.size() > kMostExponentBits / 8) {
    return nullptr;
  }
  const auto n = number(modulus);
  const auto e = number(exponent);
  const Owned<OSSL_PARAM_BLD> builder(OSSL_PARAM_BLD_new());
  if (!n || !e || !builder || BN_num_bits(n.get()) < kLeastModulusBits || BN_is_odd(n.get()) == 0 ||
      BN_is_odd(e.get()) == 0 || BN_is_one(e.get()) != 0 ||
      OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_N, n.get()) != 1 ||
      OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_E, e.get()) != 1) {
    return nullptr;
  }
  return from_parameters("RSA", builder.get());
}

bool on_curve(EVP_PKEY* key) {
  const Owned<EVP_PKEY_CTX> context(EVP_PKEY_CTX_new_from_pkey(nullptr, key, nullptr));
  return context && EVP_PKEY_public_check(context.get()) == 1;
}

PublicKey curve_point(const char* group, std::size_t coordinate, Bytes x, Bytes y) {
  if (x.size() != coordinate || y.size() != coordinate) {
    return nullptr;
  }
  std::vector<std::uint8_t> point{4};  // uncompressed (SEC 1, 2.3.3)
  point.insert(point.end(), x.begin(), x.end());
  point.insert(point.end(), y.begin(), y.end());
  const Owned<OSSL_PARAM_BLD> builder(OSSL_PARAM_BLD_new());
  if (!builder ||
      OSSL_PARAM_BLD_push_utf8_string(builder.get(), OSSL_PKEY_PARAM_GROUP_NAME, group, 0) != 1 ||
      OSSL_PARAM_BLD_push_octet_string(builder.get(), OSSL_PKEY_PARAM_PUB_KEY, point.data(),
                                       point.size()) != 1) {
    return nullptr;
  }
  PublicKey key = from_parameters("EC", builder.get());
  return key && on_curve(key.get()) ? std::move(key) : nullptr;
}

}  // namespace

PublicKey make_public_key(px_key_type type, Bytes a, Bytes b) {
  switch (type) {
    case PX_KEY_RSA:
      return rsa(a, b);
    case PX_KEY_P256:
      return curve_point("P-256", 32, a, b);
    case PX_KEY_P384:
      return curve_point("P-384", 48, a, b);
    case PX_KEY_P521:
      return curve_point("P-521", 66, a, b);
    case PX_KEY_ED25519:
      return a.size() != kEd25519Bytes || !b.empty()
                 ? nullptr
                 : PublicKey(
                       EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nullptr, a.data(), a.size()));
    default:
      return nullptr;
  }
}

}  // namespace plexsphere::host::verify

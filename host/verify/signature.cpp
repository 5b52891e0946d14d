#include "host/verify/signature.hpp"

#include <openssl/bn.h>
#include <openssl/ecdsa.h>
#include <openssl/err.h>
#include <openssl/rsa.h>

#include <algorithm>
#include <array>
#include <optional>
#include <vector>

namespace plexsphere::host::verify {
namespace {

struct Algorithm {
  std::string_view name;
  px_key_type type;
  const char* digest;       // null: the algorithm hashes for itself
  bool pss;                 // RSASSA-PSS, salt as long as the digest
  std::size_t half_length;  // of r and s; 0: the signature is taken as it is
};

constexpr std::array kAlgorithms{
    Algorithm{"RS256", PX_KEY_RSA, "SHA256", false, 0},
    Algorithm{"RS384", PX_KEY_RSA, "SHA384", false, 0},
    Algorithm{"RS512", PX_KEY_RSA, "SHA512", false, 0},
    Algorithm{"PS256", PX_KEY_RSA, "SHA256", true, 0},
    Algorithm{"PS384", PX_KEY_RSA, "SHA384", true, 0},
    Algorithm{"PS512", PX_KEY_RSA, "SHA512", true, 0},
    Algorithm{"ES256", PX_KEY_P256, "SHA256", false, 32},
    Algorithm{"ES384", PX_KEY_P384, "SHA384", false, 48},
    Algorithm{"ES512", PX_KEY_P521, "SHA512", false, 66},
    Algorithm{"EdDSA", PX_KEY_ED25519, nullptr, false, 0},
};

struct Free {
  void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
  void operator()(ECDSA_SIG* signature) const { ECDSA_SIG_free(signature); }
};

// r ‖ s as the DER sequence that OpenSSL takes (RFC 3279, 2.2.3).
std::optional<std::vector<std::uint8_t>> to_der(Bytes signature, std::size_t half) {
  if (signature.size() != 2 * half) {
    return std::nullopt;
  }
  const std::unique_ptr<ECDSA_SIG, Free> pair(ECDSA_SIG_new());
  BIGNUM* r = BN_bin2bn(signature.data(), static_cast<int>(half), nullptr);
  BIGNUM* s = BN_bin2bn(signature.data() + half, static_cast<int>(half), nullptr);
  if (!pair || r == nullptr || s == nullptr || ECDSA_SIG_set0(pair.get(), r, s) != 1) {
    BN_free(r);
    BN_free(s);
    return std::nullopt;
  }
  std::uint8_t* der = nullptr;
  const int size = i2d_ECDSA_SIG(pair.get(), &der);
  if (size <= 0) {
    return std::nullopt;
  }
  std::vector<std::uint8_t> out(der, der + size);
  OPENSSL_free(der);
  return out;
}

bool prepare(EVP_MD_CTX* context, const Algorithm& algorithm, EVP_PKEY* key) {
  EVP_PKEY_CTX* options = nullptr;
  if (EVP_DigestVerifyInit_ex(context, &options, algorithm.digest, nullptr, nullptr, key,
                              nullptr) != 1) {
    return false;
  }
  return !algorithm.pss || (EVP_PKEY_CTX_set_rsa_padding(options, RSA_PKCS1_PSS_PADDING) == 1 &&
                            EVP_PKEY_CTX_set_rsa_pss_saltlen(options, RSA_PSS_SALTLEN_DIGEST) == 1);
}

bool verifies(const Algorithm& algorithm, EVP_PKEY* key, Bytes message, Bytes signature) {
  const std::unique_ptr<EVP_MD_CTX, Free> context(EVP_MD_CTX_new());
  return context && prepare(context.get(), algorithm, key) &&
         EVP_DigestVerify(context.get(), signature.data(), signature.size(), message.data(),
                          message.size()) == 1;
}

Outcome check_with(const Algorithm& algorithm, EVP_PKEY* key, Bytes message, Bytes signature) {
  if (algorithm.half_length == 0) {
    return verifies(algorithm, key, message, signature) ? Outcome::kValid : Outcome::kInvalid;
  }
  const auto der = to_der(signature, algorithm.half_length);
  return der && verifies(algorithm, key, message, *der) ? Outcome::kValid : Outcome::kInvalid;
}

}  // namespace

Outcome check_signature(std::string_view name, px_key_type type, Bytes a, Bytes b, Bytes message,
                        Bytes signature) {
  const auto* algorithm =
      std::ranges::find_if(kAlgorithms, [&](const Algorithm& each) { return each.name == name; });
  if (algorithm == kAlgorithms.end()) {
    return Outcome::kAlgorithmUnknown;
  }
  const PublicKey key = algorithm->type == type ? make_public_key(type, a, b) : nullptr;
  const Outcome outcome =
      key ? check_with(*algorithm, key.get(), message, signature) : Outcome::kKeyInvalid;
  ERR_clear_error();  // a refusal leaves notes on this thread that nobody reads
  return outcome;
}

}  // namespace plexsphere::host::verify

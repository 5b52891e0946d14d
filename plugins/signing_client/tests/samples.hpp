// Key-set documents spelled out by hand, for tests that need ones no signer would make.
#pragma once

#include <sodium.h>

#include <array>
#include <string>
#include <string_view>

#include "domain/key_set_view.hpp"

namespace plexsphere::signing_client::testing {

inline const std::string kScope = "domain:0190a8b8-a0c0-7a0a-8a0a-a0a0a0a0a0a3";
inline const std::string kOtherScope = "domain:0190a8b8-a0c0-7a0a-8a0a-a0a0a0a0a0a4";

inline std::string hex_of(char digit) {
  return std::string(64, digit);
}

inline std::string head(const std::string& scope = kScope, int number = 1) {
  return "plexsphere-key-set v1\nscope " + scope + "\nnumber " + std::to_string(number) + "\n";
}

inline std::string key_line(const std::string& id, const std::string& state) {
  return "key " + id + " " + state + " 1767225600 0 " + hex_of('1') + " " + hex_of('2') + "\n";
}

// What only a signer does outside of tests.
class DocumentSigner {
 public:
  DocumentSigner() { crypto_sign_keypair(public_key_.data(), secret_key_.data()); }

  [[nodiscard]] std::string public_key() const {
    return {reinterpret_cast<const char*>(public_key_.data()), public_key_.size()};
  }
  [[nodiscard]] SignedDocument sign(const std::string& document) const {
    std::string signature(crypto_sign_BYTES, '\0');
    crypto_sign_detached(reinterpret_cast<unsigned char*>(signature.data()), nullptr,
                         reinterpret_cast<const unsigned char*>(document.data()), document.size(),
                         secret_key_.data());
    return {document, signature, public_key()};
  }

 private:
  std::array<unsigned char, crypto_sign_PUBLICKEYBYTES> public_key_{};
  std::array<unsigned char, crypto_sign_SECRETKEYBYTES> secret_key_{};
};

}  // namespace plexsphere::signing_client::testing

#include "app/password_hash.hpp"

#include <sodium.h>

#include <array>

namespace plexsphere::identity {

sdk::Result<std::string> PasswordHash::hash(std::string_view secret) const {
  std::array<char, crypto_pwhash_STRBYTES> out;
  if (crypto_pwhash_str_alg(out.data(), secret.data(), secret.size(), passes_, memory_bytes_,
                            crypto_pwhash_ALG_ARGON2ID13) != 0) {
    return sdk::Error{sdk::Code::resource_exhausted, "argon2_memory",
                      "There is not enough memory for Argon2id at the configured cost."};
  }
  return std::string(out.data());
}

bool PasswordHash::verify(const std::string& stored, std::string_view secret) {
  return crypto_pwhash_str_verify(stored.c_str(), secret.data(), secret.size()) == 0;
}

}  // namespace plexsphere::identity

#include "app/sha256.hpp"

#include <sodium.h>

namespace plexsphere::signing {
namespace {

void add(crypto_hash_sha256_state& state, const Sha256& hash) {
  crypto_hash_sha256_update(&state, hash.data(), hash.size());
}

}  // namespace

Sha256 sha256(std::string_view bytes) {
  Sha256 hash;
  crypto_hash_sha256(hash.data(), reinterpret_cast<const unsigned char*>(bytes.data()),
                     bytes.size());
  return hash;
}

std::string hex_of(const Sha256& hash) {
  std::string text(2 * hash.size() + 1, '\0');
  sodium_bin2hex(text.data(), text.size(), hash.data(), hash.size());
  text.pop_back();
  return text;
}

Sha256 hash_of(std::string_view hex) {
  Sha256 hash{};
  std::size_t size = 0;
  (void)sodium_hex2bin(hash.data(), hash.size(), hex.data(), hex.size(), nullptr, &size, nullptr);
  return hash;
}

Sha256 next_hash(const Sha256& previous, std::string_view record) {
  crypto_hash_sha256_state state;
  crypto_hash_sha256_init(&state);
  add(state, previous);
  add(state, sha256(record));
  Sha256 hash;
  crypto_hash_sha256_final(&state, hash.data());
  return hash;
}

Sha256 digest_of(const std::vector<std::string_view>& messages) {
  crypto_hash_sha256_state state;
  crypto_hash_sha256_init(&state);
  for (const std::string_view message : messages) {
    add(state, sha256(message));
  }
  Sha256 hash;
  crypto_hash_sha256_final(&state, hash.data());
  return hash;
}

}  // namespace plexsphere::signing

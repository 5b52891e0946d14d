#include "provider/locked_bytes.hpp"

#include <sodium.h>

#include <array>
#include <cassert>
#include <cstring>
#include <stdexcept>

namespace plexsphere::signing {

LockedBytes::LockedBytes(std::size_t size) : data_(nullptr), size_(size) {
  if (sodium_init() < 0) {
    throw std::runtime_error("libsodium could not be initialised");
  }
  data_ = static_cast<std::uint8_t*>(sodium_malloc(size));
  if (data_ == nullptr) {
    throw std::runtime_error("no guarded memory for private keys");
  }
  // sodium_malloc locks too, but says nothing when it could not.
  if (sodium_mlock(data_, size) != 0) {
    sodium_free(data_);
    throw std::runtime_error(
        "private keys cannot be locked in memory: raise RLIMIT_MEMLOCK (LimitMEMLOCK=)");
  }
  sodium_memzero(data_, size);
}

LockedBytes::~LockedBytes() {
  sodium_free(data_);
}

void hkdf_sha512(std::span<const std::uint8_t> key, std::span<const std::uint8_t> info,
                 std::span<std::uint8_t> out) {
  constexpr std::size_t block = crypto_auth_hmacsha512_BYTES;
  assert(out.size() <= block);
  const std::array<std::uint8_t, block> salt{};  // RFC 5869 2.2: absent means zeros
  constexpr std::uint8_t counter = 1;
  std::array<std::uint8_t, block> pseudorandom;
  std::array<std::uint8_t, block> first;

  crypto_auth_hmacsha512_state state;
  crypto_auth_hmacsha512_init(&state, salt.data(), salt.size());
  crypto_auth_hmacsha512_update(&state, key.data(), key.size());
  crypto_auth_hmacsha512_final(&state, pseudorandom.data());

  crypto_auth_hmacsha512_init(&state, pseudorandom.data(), pseudorandom.size());
  crypto_auth_hmacsha512_update(&state, info.data(), info.size());
  crypto_auth_hmacsha512_update(&state, &counter, 1);
  crypto_auth_hmacsha512_final(&state, first.data());
  std::memcpy(out.data(), first.data(), out.size());

  sodium_memzero(&state, sizeof state);
  sodium_memzero(pseudorandom.data(), pseudorandom.size());
  sodium_memzero(first.data(), first.size());
}

}  // namespace plexsphere::signing

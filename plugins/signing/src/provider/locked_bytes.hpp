// Memory for private material: guard pages around it, kept out of swap and of core dumps, zeroed
// when freed (libsodium's sodium_malloc).
//
// Thread safety: as a plain buffer. Ownership: owns its memory; neither copied nor moved.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace plexsphere::signing {

class LockedBytes {
 public:
  // Throws std::runtime_error when the memory cannot be had or cannot be locked: a key that might
  // reach the swap is not a key we hold.
  explicit LockedBytes(std::size_t size);
  ~LockedBytes();
  LockedBytes(const LockedBytes&) = delete;
  LockedBytes& operator=(const LockedBytes&) = delete;

  [[nodiscard]] std::span<std::uint8_t> bytes() { return {data_, size_}; }
  [[nodiscard]] std::span<const std::uint8_t> bytes() const { return {data_, size_}; }

 private:
  std::uint8_t* data_;
  std::size_t size_;
};

// HKDF (RFC 5869) with SHA-512 and no salt, for outputs of at most 64 bytes: extract, then one
// block of expand. The pseudorandom key is zeroed before returning.
void hkdf_sha512(std::span<const std::uint8_t> key, std::span<const std::uint8_t> info,
                 std::span<std::uint8_t> out);

}  // namespace plexsphere::signing

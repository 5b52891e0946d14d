// Secret bytes in guarded, locked memory (libsodium's sodium_malloc), zeroed when they go.
//
// Thread safety: one thread at a time. Ownership: sole; moves, never copies.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace plexsphere::host::seal {

class SecretBytes {
 public:
  SecretBytes() = default;
  // Zeroed bytes. Throws std::bad_alloc.
  explicit SecretBytes(std::size_t size);
  SecretBytes(SecretBytes&& other) noexcept;
  SecretBytes& operator=(SecretBytes&& other) noexcept;
  SecretBytes(const SecretBytes&) = delete;
  SecretBytes& operator=(const SecretBytes&) = delete;
  ~SecretBytes();

  [[nodiscard]] std::span<std::uint8_t> span() { return {bytes_, size_}; }
  [[nodiscard]] std::span<const std::uint8_t> span() const { return {bytes_, size_}; }

 private:
  std::uint8_t* bytes_ = nullptr;
  std::size_t size_ = 0;
};

}  // namespace plexsphere::host::seal

#include "host/seal/secret_bytes.hpp"

#include <sodium.h>

#include <algorithm>
#include <new>
#include <stdexcept>
#include <utility>

namespace plexsphere::host::seal {

SecretBytes::SecretBytes(std::size_t size) : size_(size) {
  if (::sodium_init() < 0) {
    throw std::runtime_error("libsodium cannot be initialised");
  }
  bytes_ = static_cast<std::uint8_t*>(::sodium_malloc(std::max<std::size_t>(size, 1)));
  if (bytes_ == nullptr) {
    throw std::bad_alloc();
  }
  std::fill_n(bytes_, size, std::uint8_t{0});
}

SecretBytes::SecretBytes(SecretBytes&& other) noexcept
    : bytes_(std::exchange(other.bytes_, nullptr)), size_(std::exchange(other.size_, 0)) {}

SecretBytes& SecretBytes::operator=(SecretBytes&& other) noexcept {
  std::swap(bytes_, other.bytes_);
  std::swap(size_, other.size_);
  return *this;
}

SecretBytes::~SecretBytes() {
  ::sodium_free(bytes_);  // zeroes; null is fine
}

}  // namespace plexsphere::host::seal

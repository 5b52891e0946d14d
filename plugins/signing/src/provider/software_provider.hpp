// The key provider for development: every key is derived from one 32-byte seed.
//
// secret = HKDF-SHA512(seed, info = purpose "|" scope "|" key id), 32 bytes, taken as the seed of
// an Ed25519 key (RFC 8032). No part of the info can hold the separator. Two providers with one
// seed hold the same keys, so replicas agree without talking.
//
// Thread safety: all functions may be called concurrently; signing is serialised. Ownership: all
// private material lies in locked memory of this object. Retire only forgets what was cached: what
// can be derived can be derived again, and the key set is what keeps a retired key from signing.
#pragma once

#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "app/key_provider.hpp"
#include "provider/locked_bytes.hpp"

namespace plexsphere::signing {

class SoftwareProvider final : public KeyProvider {
 public:
  // Reads the seed: a regular file of exactly 32 bytes, owned by the effective user, mode 0400 or
  // 0600, not a symbolic link. Faults name the file, what is wrong and the remedy.
  static Outcome<std::unique_ptr<SoftwareProvider>> open(const std::string& seed_file);

  ~SoftwareProvider() override = default;

  Outcome<PublicKey> generate(const KeyName& name) override;
  Outcome<PublicKey> public_key(const KeyName& name) override;
  Outcome<Signature> sign(const KeyName& name, std::span<const std::uint8_t> message) override;
  void retire(const KeyName& name) override;

 private:
  struct Slot {
    KeyName name;
    std::size_t index;  // of the 64-byte secret key in secrets_
  };
  using Slots = std::list<Slot>;

  SoftwareProvider();
  [[nodiscard]] std::span<std::uint8_t> secret_at(std::size_t index);
  [[nodiscard]] std::span<std::uint8_t> secret_of(const KeyName& name);  // requires lock_
  [[nodiscard]] std::size_t take_index();                                // requires lock_
  void derive(const KeyName& name, std::span<std::uint8_t> secret_key);

  LockedBytes seed_;
  LockedBytes secrets_;  // fixed room for the keys in use; the least recently used one makes way
  std::mutex lock_;
  Slots recent_;                              // guarded by lock_; front is the most recently used
  std::map<KeyName, Slots::iterator> slots_;  // guarded by lock_
};

}  // namespace plexsphere::signing

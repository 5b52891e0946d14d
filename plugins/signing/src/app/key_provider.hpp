// Where private keys live. The only port through which the signer reaches them.
//
// Thread safety: every function may be called from any thread. Ownership: the provider owns all
// private material; nothing private crosses this interface.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "domain/fault.hpp"
#include "domain/key_set.hpp"

namespace plexsphere::signing {

// Raw Ed25519 signature (RFC 8032).
using Signature = std::array<std::uint8_t, 64>;

// Names one private key. The purpose is part of the name, so a key made for one kind of message
// cannot be asked to sign another. Purposes: "events", "checkpoints", "key-sets".
struct KeyName {
  std::string purpose;
  std::string scope;
  std::string key_id;
  friend auto operator<=>(const KeyName&, const KeyName&) = default;
};

// Restores are signed with the key of checkpoints.
[[nodiscard]] std::string_view purpose_name(Purpose purpose);

// The key that signs key-set documents: one for an installation, in no scope.
[[nodiscard]] KeyName document_key_name();

class KeyProvider {
 public:
  KeyProvider() = default;
  KeyProvider(const KeyProvider&) = delete;
  KeyProvider& operator=(const KeyProvider&) = delete;
  virtual ~KeyProvider() = default;

  // Makes the key if it does not exist and gives its public half. Faults: provider unavailable.
  virtual Outcome<PublicKey> generate(const KeyName& name) = 0;
  // The public half of an existing key. Faults: key not found, provider unavailable.
  virtual Outcome<PublicKey> public_key(const KeyName& name) = 0;
  // Pure Ed25519 over the message itself, not over a digest of it: agents verify no other form.
  // Faults: key not found, provider unavailable.
  virtual Outcome<Signature> sign(const KeyName& name, std::span<const std::uint8_t> message) = 0;
  // Forgets what it can of a key that signs no more. Repeatable; best effort.
  virtual void retire(const KeyName& name) = 0;
};

}  // namespace plexsphere::signing

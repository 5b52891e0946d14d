// What a signer instance has seen: the newest key set of each scope, so that an older one handed in
// later is recognised as a replay. Monotonicity is claimed per instance, not across replicas.
//
// Thread safety: one call at a time; the signer's lock sees to it.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>

#include "app/key_provider.hpp"
#include "domain/fault.hpp"
#include "domain/scope.hpp"

namespace plexsphere::signing {

// A key set in the form it travels in.
struct SignedDocument {
  std::string document;
  Signature signature{};
  PublicKey document_key{};
  friend bool operator==(const SignedDocument&, const SignedDocument&) = default;
};

class KeySetMemory {
 public:
  KeySetMemory() = default;
  KeySetMemory(const KeySetMemory&) = delete;
  KeySetMemory& operator=(const KeySetMemory&) = delete;
  virtual ~KeySetMemory() = default;

  // The newest document remembered of the scope, if any.
  virtual Outcome<std::optional<SignedDocument>> recall(const Scope& scope) = 0;
  // Replaces it. On success the document outlives a crash of the process and of the machine.
  virtual Outcome<Done> remember(const Scope& scope, const SignedDocument& document) = 0;
};

}  // namespace plexsphere::signing

// What a signer instance has seen: the newest key set of each scope, so that an older one handed in
// later is recognised as a replay, and the largest checkpoint it signed in it, so that a log cannot
// be shown shorter or forked. Monotonicity is claimed per instance, not across replicas.
//
// Thread safety: one call about key sets at a time, and one about checkpoints; the signer's locks
// see to it.
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

// The largest checkpoint signed in a scope, in its present epoch.
struct SeenCheckpoint {
  std::uint64_t size = 0;
  std::string root{};  // base64 as in the note; empty when none has been signed since the first key
  std::uint64_t epoch = 1;  // one more with every declared restore
  std::string restore{};    // SHA-256 of the statement that began the epoch, hexadecimal; or empty
  friend bool operator==(const SeenCheckpoint&, const SeenCheckpoint&) = default;
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

  // The largest checkpoint remembered of the scope; nothing when the scope is not one whose first
  // key was made here.
  virtual Outcome<std::optional<SeenCheckpoint>> recall_checkpoint(const Scope& scope) = 0;
  // As remember.
  virtual Outcome<Done> remember_checkpoint(const Scope& scope,
                                            const SeenCheckpoint& checkpoint) = 0;

  // The statement about the scope that the signer's operator permits next, if any.
  virtual Outcome<std::optional<std::string>> restore_permit(const Scope& scope) = 0;
  // Keeps a statement for good; a permit of it may be forgotten afterwards.
  virtual Outcome<Done> keep_restore(const Scope& scope, std::uint64_t epoch,
                                     std::string_view statement) = 0;
};

}  // namespace plexsphere::signing

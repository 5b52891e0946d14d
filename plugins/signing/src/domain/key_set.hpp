// The keys of one scope and the rotation between them.
//
// A scope has no keys, or exactly one active key. Opening a rotation makes a new key active and the
// old one rotating: from then on fresh signatures use the new key, and what must still reach
// readers of the old one (the announcement of the rotation above all) is signed with it by name.
// Closing retires the old key. Nothing is ever removed, so old signatures stay attributable.
//
// Thread safety: a value. Invariants: at most one rotation is open; it names one rotating and the
// active key; key ids are unique; `number` grows by one with every change.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "domain/fault.hpp"
#include "domain/scope.hpp"

namespace plexsphere::signing {

// Wall-clock time in whole seconds since 1970 UTC: what the key-set document holds.
using UnixSeconds = std::chrono::sys_seconds;

enum class KeyState { kActive, kRotating, kRetired };

// What a signature is for. Events and checkpoints have a key each under every key id; restores are
// signed with that of checkpoints, among which they stand.
enum class Purpose { kEvents, kCheckpoints, kRestores };

// Raw Ed25519 public key (RFC 8032).
using PublicKey = std::array<std::uint8_t, 32>;

struct KeyEntry {
  std::string key_id;
  KeyState state = KeyState::kActive;
  UnixSeconds valid_from{};
  std::optional<UnixSeconds> valid_until;  // when it was retired
  PublicKey events{};
  PublicKey checkpoints{};

  [[nodiscard]] const PublicKey& public_key(Purpose purpose) const {
    return purpose == Purpose::kEvents ? events : checkpoints;
  }
  friend bool operator==(const KeyEntry&, const KeyEntry&) = default;
};

struct Rotation {
  std::string old_key_id;
  std::string new_key_id;
  UnixSeconds opened_at{};
  UnixSeconds closes_at{};
  friend bool operator==(const Rotation&, const Rotation&) = default;
};

// A scope's key count is bounded so that a key set stays small enough to ride along with each call.
inline constexpr std::size_t kMaxKeys = 128;

class KeySet {
 public:
  // The empty set of a scope, number 0.
  explicit KeySet(Scope scope) : scope_(std::move(scope)) {}

  // Rebuilds a set from its parts, refusing any that break an invariant (rejected key set).
  static Outcome<KeySet> restore(Scope scope, std::uint64_t number, std::vector<KeyEntry> keys,
                                 std::optional<Rotation> rotation);

  [[nodiscard]] const Scope& scope() const { return scope_; }
  [[nodiscard]] std::uint64_t number() const { return number_; }
  [[nodiscard]] const std::vector<KeyEntry>& keys() const { return keys_; }
  [[nodiscard]] const std::optional<Rotation>& rotation() const { return rotation_; }

  // The active key, or key not found on an empty set.
  [[nodiscard]] Outcome<KeyEntry> active() const;
  // The key of that id, in whatever state.
  [[nodiscard]] Outcome<KeyEntry> find(std::string_view key_id) const;
  // The key to sign with: the active one for an empty id, else the named one unless retired.
  [[nodiscard]] Outcome<KeyEntry> signing_key(std::string_view key_id) const;

  // Whether `Open` would take this id now; separate, so that no key is made in vain.
  [[nodiscard]] Outcome<Done> can_open(std::string_view new_key_id) const;
  // The set with `fresh` active since `now`; the first key of a scope opens no rotation.
  [[nodiscard]] Outcome<KeySet> open(const KeyEntry& fresh, UnixSeconds now,
                                     std::chrono::seconds overlap) const;
  // The set with the open rotation closed. Before `closes_at` only when forced. Closing a rotation
  // that is closed already gives the set unchanged.
  [[nodiscard]] Outcome<KeySet> close(std::string_view old_key_id, std::string_view new_key_id,
                                      UnixSeconds now, bool force) const;

  friend bool operator==(const KeySet&, const KeySet&) = default;

 private:
  Scope scope_;
  std::uint64_t number_ = 0;
  std::vector<KeyEntry> keys_;
  std::optional<Rotation> rotation_;
};

}  // namespace plexsphere::signing

// What the core reads out of a key-set document: public halves, states, the open rotation.
//
// The format is the signer's: lines of words, `plexsphere-key-set v1` first, then scope, number, at
// most one rotation, and the keys in order of creation (docs/contexts/signing.md). The document is
// believed because of its signature; reading it checks only that it is whole.
//
// Thread safety: values; the functions are pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace plexsphere::signing_client {

enum class KeyState { kActive, kRotating, kRetired };
// Restores are signed with the key of checkpoints.
enum class Purpose { kEvents, kCheckpoints, kRestores };

struct KeyView {
  std::string key_id;
  KeyState state = KeyState::kActive;
  std::string events;       // 32 raw bytes, Ed25519
  std::string checkpoints;  // 32 raw bytes, Ed25519

  [[nodiscard]] const std::string& public_key(Purpose purpose) const {
    return purpose == Purpose::kEvents ? events : checkpoints;
  }
};

struct RotationView {
  std::string old_key_id;
  std::string new_key_id;
  std::int64_t closes_at = 0;  // Unix seconds
};

struct KeySetView {
  std::string scope;
  std::int64_t number = 0;
  std::vector<KeyView> keys;
  std::optional<RotationView> rotation;

  // The key that signs. A set that was parsed has exactly one.
  [[nodiscard]] const KeyView& active() const;
};

// A key set in the form it travels and is stored in.
struct SignedDocument {
  std::string document;      // at most 64 KiB
  std::string signature;     // 64 raw bytes
  std::string document_key;  // 32 raw bytes: what the signer says verifies it
};

// Nothing if the text is not a key set of at least one key with exactly one active.
[[nodiscard]] std::optional<KeySetView> parse_key_set(std::string_view document);

// "platform", or "domain:" and 36 characters. The signer has the last word on scopes; this keeps
// nonsense from travelling there.
[[nodiscard]] bool looks_like_scope(std::string_view text);

}  // namespace plexsphere::signing_client

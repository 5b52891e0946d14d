// The signed envelope of an event, and whether an agent would believe it.
//
// Canonical bytes are what the agent's own encoder (Go's encoding/json) makes of the envelope it
// has parsed: `id`, `type`, `scope`, `key_id`, `issued_at`, `payload`, in this order, always all
// six, without white space; the payload keeps its order and its spelling of numbers; `<`, `>`, `&`,
// U+2028 and U+2029 are escaped everywhere. Ed25519 (RFC 8032) over those bytes.
//
// Thread safety: values; an EnvelopeVerifier is used by one thread at a time.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "plexsphere/sdk/time.hpp"

namespace plexsphere::sim {

// As parsed; a member that was absent is empty.
struct Envelope {
  std::string id;
  std::string type;
  std::string scope;
  std::string key_id;
  std::string issued_at;  // in UTC, as sent
  std::string payload;    // JSON, as sent
  std::string signature;  // base64
};

// Throws std::invalid_argument, naming what is wrong, for a text that is no envelope.
Envelope parse_envelope(std::string_view json);
std::string canonical_bytes(const Envelope& envelope);

// In the order in which an agent checks.
enum class Verdict {
  kGenuine,
  kUnsigned,
  kUndated,
  kStale,          // issued more than five minutes ago
  kFromTheFuture,  // issued more than five minutes from now
  kUnknownKey,
  kForged,
};
std::string_view text_of(Verdict verdict);

// The keys that an agent believes: the one that registration told it, and what signing_key_rotated
// has put in its place. Two at most.
class EnvelopeVerifier {
 public:
  // `public_key`: standard base64 of 32 bytes. Throws std::invalid_argument for another.
  EnvelopeVerifier(std::string key_id, const std::string& public_key);

  Verdict verify(const Envelope& envelope, sdk::Instant now) const;
  // Takes over the keys that a genuine signing_key_rotated names; false when it names none that can
  // be used, and nothing changes.
  bool rotate(const Envelope& envelope);

  const std::string& key_id() const { return current_.id; }

 private:
  struct Key {
    std::string id;
    std::string bytes;       // 32
    sdk::Instant good_till;  // of a previous key
  };
  const Key* key_for(const std::string& id, sdk::Instant now) const;

  Key current_;
  std::optional<Key> previous_;
};

}  // namespace plexsphere::sim

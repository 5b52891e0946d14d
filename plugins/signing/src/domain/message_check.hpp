// The strict reading of what is about to be signed.
//
// Signatures carry no prefix that tells one kind of message from another (node agents verify
// Ed25519 over the bare bytes), so each purpose has a key of its own and the signer signs only
// bytes that read, from the first to the last, as a message of that purpose.
//
// Thread safety: pure functions.
#pragma once

#include <cstdint>
#include <string_view>

#include "domain/key_set.hpp"

namespace plexsphere::signing {

// An event frame is read by agents line by line, 64 KiB at most, signature and framing included.
inline constexpr std::size_t kMaxMessageBytes = 60 * 1024;
inline constexpr std::size_t kMaxMessages = 256;
inline constexpr std::size_t kMaxTotalBytes = 2 * 1024 * 1024;

// The members of an event envelope that the signer compares. Views into the checked bytes.
struct EventHeader {
  std::string_view scope;
  std::string_view key_id;
};

// The canonical bytes of an event envelope: one JSON object without white space, members `id`,
// `type`, `scope`, `key_id`, `issued_at`, `payload` in this order, spelled as Go's encoder spells
// them. Vectors: the three canonical texts in tests/event_envelope_test.cpp.
[[nodiscard]] Outcome<EventHeader> check_event(std::string_view bytes);

// What a checkpoint note says. Views into the checked bytes.
struct CheckpointNote {
  std::string_view origin;
  std::uint64_t size = 0;  // less than 10^18
  std::string_view root;   // base64 of 32 bytes, in its one spelling
  std::uint64_t epoch = 1;
};

// The text of a checkpoint note (C2SP tlog-checkpoint): origin line, tree size, base64 of a 32-byte
// root hash, optional extension lines, each line ended by a newline. The first of these is
// "epoch <number>" after the log was restored to an earlier point, and in no other note; the next
// is "begins <number> <base64 of 32 bytes>" once its entries up to that number may have left.
[[nodiscard]] Outcome<CheckpointNote> check_checkpoint(std::string_view bytes);

// The message reads as one of its purpose and belongs to this scope and key: an event names the key
// id it will be signed under and, where it names a Domain, this one; the origin of a checkpoint or
// of a restore statement ends in the scope after its last slash.
[[nodiscard]] Outcome<Done> check_message(Purpose purpose, std::string_view bytes,
                                          const Scope& scope, std::string_view key_id);

}  // namespace plexsphere::signing

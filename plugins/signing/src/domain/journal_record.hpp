// What the signer's journal holds of each call, and the one spelling it has in a file.
//
// A line is thirteen words with one space between them and a newline at the end:
//
//   instance seq at rpc scope purpose key_id outcome key_set messages digest previous hash
//
// The first eleven are the record; hash = SHA-256(previous ‖ SHA-256(record)), the construction of
// the audit chain. A segment begins with a line of its own, the header:
//
//   plexsphere-signer-journal v1 instance first_seq previous check
//
// where check = SHA-256 of the five words before it, single-spaced. Hashes and instance are
// lower-case hexadecimal, numbers are decimal without leading zeros. What a caller sent and what is
// neither a scope nor a key id is never written down: it reads "?", and what was not sent reads
// "*". So a line has at most kMaxJournalLine bytes, and no caller can forge one.
//
// Thread safety: values; the functions are pure.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "domain/fault.hpp"
#include "domain/key_set.hpp"

namespace plexsphere::signing {

inline constexpr std::size_t kMaxJournalLine = 768;
inline constexpr std::size_t kInstanceHexDigits = 32;
inline constexpr std::size_t kHashHexDigits = 64;

// The calls, by the word a line has for each.
inline constexpr std::string_view kRpcSign = "sign";
inline constexpr std::string_view kRpcPublicKey = "public_key";
inline constexpr std::string_view kRpcOpenRotation = "open_rotation";
inline constexpr std::string_view kRpcCloseRotation = "close_rotation";
inline constexpr std::string_view kRpcForceCloseRotation = "force_close_rotation";

inline constexpr std::string_view kRpcLastCheckpoint = "last_checkpoint";

inline constexpr std::string_view kOutcomeOk = "ok";

// Of one call, before its place in the journal is known.
struct JournalRecord {
  std::chrono::sys_time<std::chrono::milliseconds> at{};
  std::string_view rpc = kRpcSign;  // one of the words above
  std::string scope = "*";          // see journal_scope
  std::string purpose = "*";        // "events", "checkpoints", "restores", "*"
  std::string key_id = "*";         // that signed, or that was asked for; see journal_key_id
  std::string outcome{kOutcomeOk};  // or the fault, see journal_outcome
  std::uint64_t key_set = 0;        // number of the key set it was answered with; 0 when refused
  std::uint64_t messages = 0;       // how many a call to sign carried
  std::string digest;               // SHA-256 over the SHA-256 of each message in turn, hexadecimal
};

// How a caller's words are written down.
[[nodiscard]] std::string journal_scope(std::string_view text);
[[nodiscard]] std::string journal_key_id(std::string_view text);
// The fault's contract string without its prefix, spaces turned into underscores: "key_retired".
[[nodiscard]] std::string journal_outcome(FaultKind kind);

// The first eleven words, without the space after them.
[[nodiscard]] std::string journal_text(std::string_view instance, std::uint64_t seq,
                                       const JournalRecord& record);

// A header without its last word and the space before it.
[[nodiscard]] std::string journal_header_text(std::string_view instance, std::uint64_t first_seq,
                                              std::string_view previous);

// A line as read; views into it.
struct JournalLine {
  std::string_view text;  // the record: what is hashed
  std::string_view instance;
  std::uint64_t seq = 0;
  std::string_view rpc;
  std::string_view outcome;
  std::string_view previous;
  std::string_view hash;
};
struct JournalHeader {
  std::string_view text;  // what `check` is the hash of
  std::string_view instance;
  std::uint64_t first_seq = 0;
  std::string_view previous;
  std::string_view check;
};

// `line` without its newline; nothing unless it is in the one spelling. The hashes are not checked.
[[nodiscard]] std::optional<JournalLine> parse_journal_line(std::string_view line);
[[nodiscard]] std::optional<JournalHeader> parse_journal_header(std::string_view line);

// Whether `tail`, which no newline ends, may be what a crash left of a line being written: a
// beginning of one, not longer than a whole one, perhaps followed by zero bytes. Anything else at
// the end of a journal is damage.
[[nodiscard]] bool is_torn_line(std::string_view tail);

}  // namespace plexsphere::signing

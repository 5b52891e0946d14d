// Checkpoints of an append-only log as text: the body of C2SP tlog-checkpoint, and the signed note
// (C2SP signed-note) around it.
//
//   plexsphere/audit/domain:0190a8b8-a0c0-7a0a-8a0a-a0a0a0a0a0a3      origin
//   20852                                                           leaves, decimal
//   CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=                     root, base64 of 32 bytes
//                                                                   (an empty line)
//   — plexsphere/audit/domain:0190a8b8-… az3grlgt…                   name, base64(id ‖ signature)
//
// After the log was restored to an earlier point a fourth line follows the root, "epoch 2" and so
// on, so that checkpoints of before and after are not taken for each other. A line "begins 512 "
// and the base64 of that entry's hash says that the entries up to it may have left the log.
//
// Signed is the body, its last newline included; by Ed25519, whose key id in a note is the first
// four bytes of sha256(name ‖ 0x0A ‖ 0x01 ‖ public key). Reading is strict: one checkpoint has one
// spelling. Nothing here signs or verifies a signature, and SHA-256 is handed in.
//
// Thread safety: pure functions.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "plexsphere/sdk/encoding.hpp"
#include "plexsphere/sdk/merkle.hpp"

namespace plexsphere::sdk::inline v1 {

// What a log begins after, once its first entries have left.
struct Beginning {
  std::uint64_t seq = 0;   // the last that may have left; 0: none
  std::string entry_hash;  // of that one, 32 raw bytes
  friend bool operator==(const Beginning&, const Beginning&) = default;
};

struct Checkpoint {
  std::string origin;
  std::uint64_t size = 0;
  std::string root;         // 32 raw bytes
  std::uint64_t epoch = 1;  // one more each time the log was restored to an earlier point
  Beginning begins{};
};

struct NoteSignature {
  std::string name;       // of the key
  std::string key_id;     // 4 raw bytes
  std::string signature;  // raw; 64 bytes of an Ed25519 key
};

struct SignedNote {
  std::string text;  // what is signed, its last newline included
  std::vector<NoteSignature> signatures;
};

// A verifying key by the name it signs notes under.
struct NoteKey {
  std::string name;
  std::string public_key;  // Ed25519 (RFC 8032), 32 raw bytes
};

namespace checkpoint {

inline constexpr std::size_t kMostNote = 64 * 1024;  // bytes; a longer one is not read
inline constexpr std::size_t kMostSignatures = 16;
inline constexpr std::size_t kMostDigits =
    18;                                   // as the signer: every size of that many digits fits
inline constexpr char kEd25519 = '\x01';  // algorithm byte of signed-note

// The origin of a chain's checkpoints, which is the name of its keys as well. `scope` is the
// signer's, "platform" or "domain:<uuid>", so that no checkpoint of one chain passes for another's.
inline std::string origin_of(std::string_view scope) {
  return "plexsphere/audit/" + std::string(scope);
}

}  // namespace checkpoint

namespace detail {

inline constexpr std::string_view kSignatureMark = "\xe2\x80\x94 ";  // an em dash and a space

inline std::optional<std::string_view> take_note_line(std::string_view& rest) {
  const std::size_t end = rest.find('\n');
  if (end == std::string_view::npos) {
    return std::nullopt;
  }
  const std::string_view line = rest.substr(0, end);
  rest.remove_prefix(end + 1);
  return line;
}

inline std::optional<std::uint64_t> tree_size(std::string_view text) {
  const bool canonical = text == "0" || (!text.empty() && text[0] != '0');
  if (!canonical || text.size() > checkpoint::kMostDigits) {
    return std::nullopt;
  }
  std::uint64_t value = 0;
  for (const char c : text) {
    if (c < '0' || c > '9') {
      return std::nullopt;
    }
    value = value * 10 + static_cast<std::uint64_t>(c - '0');
  }
  return value;
}

// Printable ASCII without a space or a plus: what a key's name may be in a line of its own.
inline bool is_note_name(std::string_view name) {
  return !name.empty() && std::all_of(name.begin(), name.end(),
                                      [](char c) { return c > ' ' && c < '\x7f' && c != '+'; });
}

}  // namespace detail

// The body that is signed.
inline std::string checkpoint_text(const Checkpoint& checkpoint) {
  return checkpoint.origin + "\n" + std::to_string(checkpoint.size) + "\n" +
         base64_encode(checkpoint.root) + "\n" +
         (checkpoint.epoch == 1 ? std::string()
                                : "epoch " + std::to_string(checkpoint.epoch) + "\n") +
         (checkpoint.begins.seq == 0 ? std::string()
                                     : "begins " + std::to_string(checkpoint.begins.seq) + " " +
                                           base64_encode(checkpoint.begins.entry_hash) + "\n");
}

namespace detail {

// The number after "epoch ", from 2.
inline std::optional<std::uint64_t> epoch_in(std::string_view line) {
  const auto number = tree_size(line.substr(std::string_view("epoch ").size()));
  return number && *number >= 2 ? number : std::nullopt;
}

inline std::optional<Beginning> beginning_in(std::string_view line) {
  line.remove_prefix(std::string_view("begins ").size());
  const std::size_t space = line.find(' ');
  if (space == std::string_view::npos) {
    return std::nullopt;
  }
  const auto seq = tree_size(line.substr(0, space));
  auto hash = base64_decode(line.substr(space + 1));
  if (!seq || *seq == 0 || !hash || hash->size() != merkle::kHashSize) {
    return std::nullopt;
  }
  return Beginning{*seq, std::move(*hash)};
}

}  // namespace detail

// Nothing unless it is exactly origin, size, root and, from the second on, the epoch; other lines
// of extensions are not ours.
inline std::optional<Checkpoint> parse_checkpoint(std::string_view text) {
  const auto origin = detail::take_note_line(text);
  const auto size = origin ? detail::take_note_line(text) : std::nullopt;
  const auto root = size ? detail::take_note_line(text) : std::nullopt;
  if (!root || !detail::is_note_name(*origin)) {
    return std::nullopt;
  }
  Checkpoint out;
  auto line = detail::take_note_line(text);
  if (line && line->starts_with("epoch ")) {
    const auto epoch = detail::epoch_in(*line);
    if (!epoch) {
      return std::nullopt;
    }
    out.epoch = *epoch;
    line = detail::take_note_line(text);
  }
  if (line && line->starts_with("begins ")) {
    auto begins = detail::beginning_in(*line);
    if (!begins) {
      return std::nullopt;
    }
    out.begins = std::move(*begins);
    line = detail::take_note_line(text);
  }
  const auto leaves = detail::tree_size(*size);
  auto hash = base64_decode(*root);
  if (line || !text.empty() || !leaves || !hash || hash->size() != merkle::kHashSize ||
      out.begins.seq > *leaves) {
    return std::nullopt;
  }
  out.origin = *origin;
  out.size = *leaves;
  out.root = std::move(*hash);
  return out;
}

// 4 raw bytes.
inline std::string note_key_id(merkle::Sha256 sha256, const NoteKey& key) {
  return sha256(key.name + "\n" + checkpoint::kEd25519 + key.public_key).substr(0, 4);
}

// "<name>+<8 hex digits of the key id>+<base64 of algorithm byte and public key>".
inline std::string verifier_key(merkle::Sha256 sha256, const NoteKey& key) {
  return key.name + "+" + hex_encode(note_key_id(sha256, key)) + "+" +
         base64_encode(checkpoint::kEd25519 + key.public_key);
}

// Nothing for another form, another algorithm, or a key id that is not the key's.
inline std::optional<NoteKey> parse_verifier_key(merkle::Sha256 sha256, std::string_view text) {
  const std::size_t first = text.find('+');
  const std::size_t second = first == std::string_view::npos ? first : text.find('+', first + 1);
  if (second == std::string_view::npos) {
    return std::nullopt;
  }
  const auto bytes = base64_decode(text.substr(second + 1));
  if (!bytes || bytes->size() != 33 || bytes->front() != checkpoint::kEd25519 ||
      !detail::is_note_name(text.substr(0, first))) {
    return std::nullopt;
  }
  NoteKey key{std::string(text.substr(0, first)), bytes->substr(1)};
  return verifier_key(sha256, key) == text ? std::optional(std::move(key)) : std::nullopt;
}

inline std::string note_text(const SignedNote& note) {
  std::string out = note.text + "\n";
  for (const NoteSignature& each : note.signatures) {
    out += detail::kSignatureMark;
    out += each.name + " " + base64_encode(each.key_id + each.signature) + "\n";
  }
  return out;
}

// Nothing unless it is a text, an empty line, and 1 to kMostSignatures lines of signatures.
inline std::optional<SignedNote> parse_note(std::string_view note) {
  const std::size_t gap = note.rfind("\n\n");
  if (note.size() > checkpoint::kMostNote || gap == std::string_view::npos) {
    return std::nullopt;
  }
  SignedNote out{std::string(note.substr(0, gap + 1)), {}};
  std::string_view rest = note.substr(gap + 2);
  while (!rest.empty()) {
    auto line = detail::take_note_line(rest);
    if (!line || !line->starts_with(detail::kSignatureMark) ||
        out.signatures.size() == checkpoint::kMostSignatures) {
      return std::nullopt;
    }
    line->remove_prefix(detail::kSignatureMark.size());
    const std::size_t space = line->find(' ');
    const auto bytes =
        space == std::string_view::npos ? std::nullopt : base64_decode(line->substr(space + 1));
    if (!bytes || bytes->size() <= 4 || !detail::is_note_name(line->substr(0, space))) {
      return std::nullopt;
    }
    out.signatures.push_back(
        {std::string(line->substr(0, space)), bytes->substr(0, 4), bytes->substr(4)});
  }
  return out.signatures.empty() ? std::nullopt : std::optional(std::move(out));
}

// The note's signature by this key, or null. Whether it holds is for the caller to verify.
inline const NoteSignature* signature_by(merkle::Sha256 sha256, const SignedNote& note,
                                         const NoteKey& key) {
  const std::string id = note_key_id(sha256, key);
  const auto at = std::find_if(
      note.signatures.begin(), note.signatures.end(),
      [&](const NoteSignature& each) { return each.name == key.name && each.key_id == id; });
  return at == note.signatures.end() ? nullptr : &*at;
}

}  // namespace plexsphere::sdk::inline v1
